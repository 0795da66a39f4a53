"""Notes and seconds of music a second while composing, beside others that do the same.

    python benchmarks/composing.py [--model PATH] [--candidates 1 4 16]
    python benchmarks/composing.py --device cuda [--candidates 1 16 64 256 512]

Some events of a long piece are composed, once from nothing and once behind an opening that the
model wrote itself, by

- `musenet`: as it comes, matrices in half precision;
- `fp32`: the same with matrices in fp32;
- `uncached`: the same model without a cache, which reads its window (three quarters of a context
  on average) for each event of one candidate;
- `GPT-2`: Hugging Face `generate` on a GPT-2 of as many parameters and the same width with
  MuseNet's tokens (a note is several: on, off, waits). It needs `pip install transformers`, and
  is left out without.

All sample with a cut-off of 0.98. Notes and seconds of music are
those of all candidates together. Reading the opening is taken off. Behind an opening longer than
the context half a context of events is composed, so that the window slides once.

"of the bandwidth" is the share of the memory bandwidth measured in the same run at which a step
moves what it must: all matrices once, and the keys and values of each candidate. Matrices that
fit the processor's caches can exceed it.

With `--device` the table is another one: large batches on a GPU (or the CPU), and which share of
the time goes into rules and sampling, into starting the network, into waiting until its scores are
there, and into reading windows anew where they slide. What copying the scores takes is measured by
itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import batches
import numpy as np
import torch
from batches import Enough
from common import parse, parser, run, tell, times
from gpt2 import Generator, generate, gpt2
from numpy.typing import NDArray
from torch import Tensor, nn

from musenet import openai_encoding
from musenet.composing.composer import Composer, bundled_model, load
from musenet.composing.decoding import Decoder, generators
from musenet.composing.engine import Engine
from musenet.composing.network import Network, Packed
from musenet.composing.rules import Wishes
from musenet.composing.sampling import Sampling
from musenet.condition import Condition
from musenet.events import Table, decode, is_note
from musenet.features import Features, moments_of
from musenet.instruments import instrument_id
from musenet.model import parameters

PLAYERS = tuple(sorted(instrument_id(name) for name in ("violin", "viola", "cello", "piano")))
PROMPT = Condition(instruments=PLAYERS)
MEASURED = ("musenet", "GPT-2", "fp32", "uncached", "process")
LENGTH = 600.0
"""Seconds asked for, so that no candidate ends while it is measured."""
COLUMNS = ("events before", "events after", "candidates", "by", "notes a second",
           "seconds of music a second", "ms a step", "of the bandwidth", "times GPT-2",
           "times uncached")  # fmt: skip
_ALONE = """
import json, sys, time
now = {"wall": time.perf_counter, "cpu": time.process_time}[sys.argv[2]]
begun = now()
from musenet import load
imported = now()
composer = load(sys.argv[1])
loaded, heard = now(), []
def take(place, rows):
    if (rows[:, 1] < 60).any():
        heard.append(now())
def peak():  # getrusage would begin at the peak of the process that started this one
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
players = ["violin", "viola", "cello", "piano"]
composer.compose(minutes=0.5, instruments=players, on_rows=take)
short = peak()
composer.compose(minutes=8, instruments=players)
print(json.dumps({
    "seconds to import": imported - begun, "seconds to load": loaded - imported,
    "seconds to the first note": heard[0] - loaded,
    "peak MiB, half a minute of music": short, "peak MiB, eight minutes": peak(),
}))
"""


class Uncached(Engine):
    """Reads the whole window for every event, for one candidate."""

    def append(self, tables: NDArray[np.uint8], columns: Features) -> Tensor:
        """The hidden state after the last row, from nothing."""
        return self.begin(tables[0])


@dataclass(frozen=True)
class Task:
    """What is composed: `steps` events behind an opening."""

    opening: Table
    candidates: int
    steps: int
    network: Network
    context: int
    cached: bool = True

    @property
    def behind(self) -> float:
        """Seconds that the opening lasts."""
        return float(moments_of(self.opening).seconds[-1]) if len(self.opening) else 0.0

    def begin(self) -> Decoder:
        """Read the opening."""
        seconds = self.behind + LENGTH
        made = decoder(self.network, self.context, self.opening, self.candidates, seconds)
        if not self.cached:
            made.engine = Uncached(self.network, PROMPT, 1, 3 * self.context // 2, seconds)
        return made

    def run(self) -> Decoder:
        """Read the opening and compose; the decoder as it stands then."""
        made = self.begin()
        last = len(self.opening) + self.steps

        def enough() -> bool:
            if made.past.rows >= last:
                raise Enough
            return False

        with suppress(Enough):
            made.run(stop=enough)
        return made


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("--model", type=Path, help="default: the model that comes with musenet")
    made.add_argument("--candidates", type=int, nargs="*", help="default 1 4 16; with --device "
                      "1 16 64 256 512")  # fmt: skip
    made.add_argument("--device", choices=("cpu", "cuda"), help="measure large batches there")
    made.add_argument("--steps", type=int, default=96, help="events to compose (default 96)")
    made.add_argument("--events", type=int, default=4000, help="of the opening (default 4000)")
    made.add_argument("--only", nargs="*", choices=MEASURED, default=MEASURED,
                      help="what to measure (default: all)")  # fmt: skip
    arguments = parse(made)
    if arguments.device is not None:
        _batches(arguments)
        return
    arguments.candidates = arguments.candidates or [1, 4, 16]
    composer = load(arguments.model)
    opening = _opening(composer, arguments.events)
    bandwidth = _bandwidth(arguments)
    other = None
    if "GPT-2" in arguments.only:
        other = gpt2(parameters(composer.model), composer.model.config.width)
    rows: list[tuple[object, ...]] = []
    for table in (opening[:0], opening):
        rows += _rows(composer, table, opening, other, arguments, bandwidth)
    facts = {
        "model": composer.name, "parameters": parameters(composer.model),
        "context": composer.context, "memory bandwidth, GB/s": bandwidth / 1e9,
        "GPT-2": "left out, or transformers is not installed" if other is None
        else f"{other.num_parameters():,} parameters, {_tokens_a_note(opening):.2f} tokens a note",
    }  # fmt: skip
    if "process" in arguments.only:
        facts |= _alone(arguments)
    tell(arguments, COLUMNS, rows, facts)


def _batches(arguments: argparse.Namespace) -> None:
    """Measure large batches on a device and print."""
    if arguments.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("no CUDA GPU can be used here")
    composer = load(arguments.model, device=arguments.device)
    context = composer.context

    def begin(network: Network, opening: Table, candidates: int) -> Decoder:
        return Task(opening, candidates, 0, network, context).begin()

    opening = _opening(composer, arguments.events)
    rows = batches.rows(
        composer.network, begin, (opening[:0], opening),
        arguments.candidates or [1, 16, 64, 256, 512], arguments.steps, arguments.repeats, context,
    )  # fmt: skip
    facts = {
        "model": composer.name, "parameters": parameters(composer.model), "context": context,
        "network": type(composer.network).__name__,
        "device": torch.cuda.get_device_name() if arguments.device == "cuda" else "the CPU",
    }  # fmt: skip
    tell(arguments, batches.COLUMNS, list(rows), facts)


def decoder(
    network: Network, context: int, opening: Table, candidates: int, seconds: float
) -> Decoder:
    """Of the prompt that is measured."""
    return Decoder(
        network, PROMPT, Wishes(PLAYERS, seconds), Sampling(),
        opening=opening, earliest=int(opening[:, 0].sum(dtype=np.int64)),
        random=generators(0, range(candidates)), context=context,
    )  # fmt: skip


def _opening(composer: Composer, events: int) -> Table:
    """So many events that the model wrote."""
    seconds, none = 60.0, np.zeros((0, 5), np.uint8)
    while True:
        made = decoder(composer.network, composer.context, none, 1, seconds).run()[0].table
        if len(made) >= events:
            return made[:events]
        seconds *= 2


def _rows(
    composer: Composer, before: Table, music: Table, other: Generator | None,
    arguments: argparse.Namespace, bandwidth: float,
) -> Iterator[tuple[object, ...]]:  # fmt: skip
    """The rows of one place in the piece, all ratios among themselves."""
    steps, context = arguments.steps, composer.context
    if len(before) >= context:
        steps = max(steps, context // 2)
    plain = Packed(composer.model, half=False)
    slow = None
    if "uncached" in arguments.only:
        alone = Task(before, 1, max(16, arguments.steps // 4), plain, context, cached=False)
        slow = _measured(alone, arguments)
        yield (*_told(alone, "uncached", *slow), "", "", "")
    for count in arguments.candidates:
        theirs = None
        if other is not None:
            theirs = _theirs(other, before, music, count, arguments)
            yield (len(before), "", count, "GPT-2", theirs, "", "", "", "", "")
        for name, network, width in (("fp32", plain, 4), ("musenet", composer.network, 2)):
            if name not in arguments.only:
                continue
            task = Task(before, count, steps, network, context)
            notes, sounds, seconds = _measured(task, arguments)
            share = _bytes(composer, task, width) / seconds / bandwidth
            ratio = "" if theirs is None else notes / theirs
            told = _told(task, name, notes, sounds, seconds)
            yield (*told, share, ratio, notes / slow[0] if slow and count == 1 else "")


def _told(task: Task, name: str, notes: float, sounds: float, seconds: float) -> tuple[object, ...]:
    before = len(task.opening)
    return (before, before + task.steps, task.candidates, name, notes, sounds, 1000 * seconds)


def _measured(task: Task, arguments: argparse.Namespace) -> tuple[float, float, float]:
    """Notes a second, seconds of music a second, and seconds a step, without the reading."""
    done: list[Decoder] = []

    def compose() -> None:
        done[:] = [task.run()]

    works: dict[str, Callable[[], object]] = {"read": task.begin, "all": compose}
    taken = times(works, arguments)
    seconds = taken["all"].best - taken["read"].best
    made, before = done[0], len(task.opening)
    steps = made.past.rows - before
    notes = int(is_note(made.tables[:, before : before + steps]).sum())
    sounds = float((made.moments.seconds - task.behind).sum())
    return notes / seconds, sounds / seconds, seconds / steps


def _tokens_a_note(music: Table) -> float:
    return len(openai_encoding.encode(decode(music))) / int(is_note(music).sum())


def _theirs(
    network: Generator,
    before: Table,
    music: Table,
    candidates: int,
    arguments: argparse.Namespace,
) -> float:
    """Notes a second of a GPT-2 behind the same opening."""
    tokens = openai_encoding.encode(decode(before)) if len(before) else []
    new = arguments.steps
    first, more = generate(network, tokens, candidates, new)
    taken = times({"first": first, "more": more}, arguments)
    seconds = taken["more"].best - taken["first"].best
    notes: float = candidates * new / seconds / _tokens_a_note(music)
    return notes


def _bytes(composer: Composer, task: Task, width: int) -> float:
    """Bytes that a step reads: matrices, and keys and values of the events that it sees."""
    config, context = composer.model.config, composer.context
    numbers = sum(m.weight.numel() for m in composer.model.modules() if isinstance(m, nn.Linear))
    held = 3 * context // 4 if len(task.opening) >= context else task.steps // 2
    width_of_both = config.key_width + config.head_width
    cache = 4 * config.layers * config.kv_heads * width_of_both * held
    return float(width * numbers + task.candidates * cache)


def _bandwidth(arguments: argparse.Namespace) -> float:
    """Bytes a second at which a vector is multiplied by a matrix of 256 MiB."""
    matrix, vector = torch.ones(8192, 8192), torch.ones(8192)
    return matrix.nbytes / times({"": partial(torch.mv, matrix, vector)}, arguments, 10)[""].best


def _alone(arguments: argparse.Namespace) -> dict[str, float]:
    """Times and memory of a process that only loads and composes."""
    path = arguments.model or bundled_model()
    command = [sys.executable, "-c", _ALONE, str(path), arguments.clock]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    run(main)
