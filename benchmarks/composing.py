"""Notes and seconds of music a second while composing, beside the same model without a cache.

    python benchmarks/composing.py [--model PATH] [--candidates 1 4 16]

Some events of a long piece are composed, once from nothing and once behind an opening of 900
events that the model wrote itself. Without a cache every step reads the whole window again.
Notes and seconds of music are those of all candidates together; reading the opening has a line
of its own.

"of the bandwidth" is the share of the memory bandwidth measured in the same run at which a step
moves what it must: all matrices once, and the keys and values of each candidate. Matrices that
fit the processor's caches can exceed it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from common import parse, parser, tell, times
from numpy.typing import NDArray
from torch import Tensor, nn

from musenet.composing.composer import Composer, load
from musenet.composing.decoding import Decoder
from musenet.composing.engine import Engine
from musenet.composing.rules import Wishes
from musenet.composing.sampling import Sampling
from musenet.condition import Condition
from musenet.events import Table, is_note
from musenet.features import Features, moments_of
from musenet.instruments import instrument_id
from musenet.model import parameters

PLAYERS = tuple(sorted(instrument_id(name) for name in ("violin", "viola", "cello", "piano")))
PROMPT = Condition(instruments=PLAYERS)
LENGTH = 600.0
"""Seconds asked for, so that no candidate ends while it is measured."""


class Uncached(Engine):
    """Reads the whole window for every event, for one candidate."""

    def append(self, tables: NDArray[np.uint8], columns: Features) -> Tensor:
        """The hidden state after the last row, from nothing."""
        return self.begin(tables[0])


class Enough(Exception):
    """Ends a run that has composed as much as is measured."""


@dataclass(frozen=True)
class Task:
    """What is composed: `steps` events behind an opening."""

    opening: Table
    candidates: int
    steps: int
    cached: bool = True

    @property
    def behind(self) -> float:
        """Seconds that the opening lasts."""
        return float(moments_of(self.opening).seconds[-1]) if len(self.opening) else 0.0

    def begin(self, composer: Composer) -> Decoder:
        """Read the opening."""
        seconds = self.behind + LENGTH
        decoder = _decoder(composer, self.opening, self.candidates, seconds)
        if not self.cached:
            decoder.engine = Uncached(composer.model, PROMPT, 1, composer.context, seconds)
        return decoder

    def run(self, composer: Composer) -> Decoder:
        """Read the opening and compose; the decoder as it stands then."""
        decoder = self.begin(composer)

        def watch(_: float) -> None:
            if decoder.past.rows >= len(self.opening) + self.steps:
                raise Enough

        with suppress(Enough):
            decoder.run(watch)
        return decoder


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("--model", type=Path, help="default: the model that comes with musenet")
    made.add_argument("--candidates", type=int, nargs="*", default=[1, 4, 16])
    made.add_argument("--steps", type=int, default=96, help="events to compose (default 96)")
    made.add_argument("--events", type=int, default=900, help="of the opening (default 900)")
    arguments = parse(made)
    composer = load(arguments.model)
    opening = _opening(composer, arguments.events)
    bandwidth = _bandwidth(arguments)
    rows = []
    for table in (opening[:0], opening):
        tasks = [Task(table, 1, max(16, arguments.steps // 4), cached=False)]
        tasks += [Task(table, count, arguments.steps) for count in arguments.candidates]
        rows += [_row(composer, task, arguments, bandwidth) for task in tasks]
    reading = partial(Task(opening, 1, 0).begin, composer)
    facts = {
        "model": composer.name, "parameters": parameters(composer.model),
        "context": composer.context, "memory bandwidth, GB/s": bandwidth / 1e9,
        "reading the opening, events a second":
            len(opening) / times({"": reading}, arguments)[""].best,
    }  # fmt: skip
    columns = ("events before", "events after", "candidates", "cache", "notes a second",
               "seconds of music a second", "ms a step", "of the bandwidth")  # fmt: skip
    tell(arguments, columns, rows, facts)


def _decoder(composer: Composer, opening: Table, candidates: int, seconds: float) -> Decoder:
    return Decoder(
        composer.model, PROMPT, Wishes(PLAYERS, seconds), Sampling(),
        opening=opening, earliest=_tick(opening), seed=0, candidates=candidates,
        context=composer.context,
    )  # fmt: skip


def _tick(table: Table) -> int:
    return int(table[:, 0].sum(dtype=np.int64))


def _opening(composer: Composer, events: int) -> Table:
    """So many events that the model wrote."""
    seconds = 60.0
    while True:
        table = _decoder(composer, np.zeros((0, 5), np.uint8), 1, seconds).run()[0].table
        if len(table) >= events:
            return table[:events]
        seconds *= 2


def _row(
    composer: Composer, task: Task, arguments: argparse.Namespace, bandwidth: float
) -> tuple[object, ...]:
    """One measured task, the time to read its opening taken off."""
    done: list[Decoder] = []

    def compose() -> None:
        done[:] = [task.run(composer)]

    works: dict[str, Callable[[], object]] = {"read": partial(task.begin, composer), "all": compose}
    taken = times(works, arguments)
    seconds = taken["all"].best - taken["read"].best
    decoder, before = done[0], len(task.opening)
    steps = decoder.past.rows - before
    notes = int(is_note(decoder.tables[:, before : before + steps]).sum())
    music = float((decoder.moments.seconds - task.behind).sum())
    moved = _bytes(composer, task, before + steps // 2) * steps
    share = moved / seconds / bandwidth if task.cached else ""
    return (before, before + steps, task.candidates, "yes" if task.cached else "no",
            notes / seconds, music / seconds, 1000 * seconds / steps, share)  # fmt: skip


def _bytes(composer: Composer, task: Task, held: int) -> float:
    """Bytes that a step reads: matrices, and keys and values of `held` events."""
    model, config = composer.model, composer.model.config
    matrices = sum(m.weight.nbytes for m in model.modules() if isinstance(m, nn.Linear))
    held = min(held, composer.context)
    width = torch.tensor([], dtype=model.dtype).element_size()
    cache = 2 * config.layers * config.kv_heads * config.head_width * held * width
    return float(matrices + task.candidates * cache)


def _bandwidth(arguments: argparse.Namespace) -> float:
    """Bytes a second at which a vector is multiplied by a matrix of 256 MiB."""
    matrix, vector = torch.ones(8192, 8192), torch.ones(8192)
    return matrix.nbytes / times({"": lambda: matrix @ vector}, arguments, 10)[""].best


if __name__ == "__main__":
    main()
