"""Short training runs that are compared with one another, each done once and remembered.

A trial is a training configuration with what else is varied. Its result is appended as one line
of JSON to `trials.jsonl` in the folder of the experiment, and a trial that stands there is not
run again. A trial that was interrupted goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from torch import nn

from musenet.cli.output import progress, say
from musenet.cli.train import stopping
from musenet.condition import Condition
from musenet.copying import POINTERS
from musenet.corpus.shards import Split
from musenet.errors import UserError
from musenet.evaluation.likelihood import NOTHING, score, split_samples
from musenet.model import PROMPT_ROWS, parameters
from musenet.presets import PRESETS, ModelConfig
from musenet.training.batches import Sample
from musenet.training.loop import Run, validation_pieces
from musenet.training.settings import TrainingConfig
from musenet.training.state import STATE_FILE

Record = dict[str, Any]
Wanted = Callable[[], bool]
"""Says whether to stop."""
TOLD = {"nothing told": False, "all told": True}
"""How likelihood is measured: without prompt and length, and with both."""
_EVENTS_AT_ONCE = 8192


@dataclass(frozen=True)
class Trial:
    """One training run and how it is measured.

    Attributes:
        training: all that decides the run.
        share: of the works of the training split that it may see.
        untold: items of the prompt (fields of `Condition`) that "all told" leaves out, for
            a network that was never told them.
        scored: events of the validation split that it is measured on.
    """

    training: TrainingConfig
    share: float = 1.0
    untold: tuple[str, ...] = ()
    scored: int = 60_000

    @property
    def key(self) -> str:
        """What it is known by: all its settings but those that do not change its result."""
        settings = json.loads(json.dumps(asdict(self)))
        for name in ("threads", "loaders", "save_minutes"):
            del settings["training"][name]
        return sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def read_records(path: Path) -> list[Record]:
    """The results in a file, one a line; of a killed program the last line may be cut short."""
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data[: _whole(data)].splitlines()]


def add_record(path: Path, record: Record) -> None:
    """Add a result to a file, in place of a line that was cut short."""
    with path.open("a+b") as file:
        file.truncate(_whole(path.read_bytes()))
        file.write(json.dumps(record).encode() + b"\n")


def _whole(data: bytes) -> int:
    """How many bytes are whole lines."""
    return data.rfind(b"\n") + 1


class Trials:
    """The trials of a folder and their results."""

    def __init__(self, folder: Path, device: str) -> None:
        """Read the results that are there."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.device = folder, device
        self.path = folder / "trials.jsonl"
        self.records: dict[str, Record] = {
            record["key"]: record for record in read_records(self.path)
        }

    def result(self, trial: Trial) -> Record | None:
        """What a trial gave, None if it was not run."""
        return self.records.get(trial.key)

    def bits(self, trial: Trial, told: str = "nothing told") -> float | None:
        """Its bits a note, None if it was not run or diverged."""
        record = self.result(trial)
        return record["bits_per_note"][told]["all"] if record and record["bits_per_note"] else None

    def run(self, named: Sequence[tuple[str, Trial]], stop: Wanted) -> bool:
        """Run the trials that were not run before, until told to stop; whether all are done."""
        missing = {trial.key: (name, trial) for name, trial in named if not self.result(trial)}
        columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"),
                   TimeElapsedColumn())  # fmt: skip
        with progress(*columns) as bar:
            task = bar.add_task("", total=float(max(1, len(missing))))
            for place, (name, trial) in enumerate(missing.values()):
                show = partial(_show, bar, task, name, place)
                record = self._run(trial, stop, show)
                if record is None:
                    return False
                self._keep({"name": name, **record})
                say(f"{name}: {_told(record)}", stderr=True)
        return True

    def _keep(self, record: Record) -> None:
        self.records[record["key"]] = record
        add_record(self.path, record)

    def _run(self, trial: Trial, stop: Wanted, show: Callable[[float], None]) -> Record | None:
        out = self.folder / trial.key
        out.mkdir(parents=True, exist_ok=True)
        started = time.process_time()
        run = Run(trial.training, out, device=self.device)
        run.train = some_works(run.train, trial.share)
        if (out / STATE_FILE).exists():
            run.resume()
        try:
            finished = run.fit(lambda facts: show(run.progress), stop)
            bits = measured(run, trial) if finished else None
        except UserError as error:
            if "diverged" not in str(error):
                raise
            finished, bits = True, None
        if not finished:
            return None
        shutil.rmtree(out)
        show(1.0)
        return {
            "key": trial.key, "trial": asdict(trial), "bits_per_note": bits,
            "parameters": parameters(run.model), "matrices": matrices(run.model),
            "events": run.state.events, "pieces": len(run.train),
            "events_to_draw_from": int(run.train.pieces["events"].sum(dtype=np.int64)),
            "seconds": run.state.seconds, "cpu_seconds": time.process_time() - started,
        }  # fmt: skip


def _show(bar: Progress, task: TaskID, name: str, done: int, part: float) -> None:
    bar.update(task, completed=done + part, description=name)


def measured(run: Run, trial: Trial) -> dict[str, dict[str, float]]:
    """Bits a note on a fixed part of the validation split, in all and by field."""
    run.model.eval()
    pieces = validation_pieces(run.valid, trial.scored)
    found = {}
    with run.average.in_place(run.model) if run.average else nullcontext():
        for name, prompted in TOLD.items():
            made = split_samples(run.valid, pieces, run.config.context, prompted=prompted)
            known = [[without(item, trial.untold) for item in items] for items in made]
            total = sum(score(run.model, known, _EVENTS_AT_ONCE), NOTHING)
            found[name] = {"all": total.bits_per_note, **total.by_field}
    return found


def without(item: Sample, untold: Sequence[str]) -> Sample:
    """A window whose prompt lacks some items."""
    nothing = {name: getattr(Condition(), name) for name in untold}
    return replace(item, condition=replace(item.condition, **nothing))


def some_works(split: Split, share: float, seed: int = 0) -> Split:
    """All pieces of a random share of the works; a smaller share is part of a larger one."""
    works = np.random.default_rng(seed).permutation(np.unique(split.pieces["work"]))
    chosen = works[: max(1, round(share * len(works)))]
    kept = np.flatnonzero(np.isin(split.pieces["work"], chosen))
    names = tuple(split.names[piece] for piece in kept)
    return Split(split.events, split.pieces[kept], names)


def matrices(model: nn.Module) -> int:
    """Elements of the matrices that every event is multiplied by; tables do not count."""
    return sum(part.weight.numel() for part in model.modules() if isinstance(part, nn.Linear))


def trial_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options of all experiments."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = made.add_argument
    add("corpus", type=Path, help="what 'musenet corpus build' made")
    add("--out", type=Path, required=True, help="folder of the results; run again to go on")
    add("--preset", default="2x96", metavar="SIZE",
        help=f"{', '.join(PRESETS)}, or LAYERSxWIDTH (default 2x96)")  # fmt: skip
    add("--steps", type=int, default=500, help="optimiser steps a run (default 500)")
    add("--batch-events", type=int, default=1024, help="events a step (default 1024)")
    add("--context", type=int, default=512, help="events a window at the end (default 512)")
    add("--learning-rate", type=float, default=3e-3, help="at its peak (default 0.003)")
    add("--scored", type=int, default=60_000, help="validation events (default 60000)")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--micro-events", type=int, help="places a forward pass, for a GPU (default: any)")
    add("--loaders", type=int, default=0, help="processes that draw windows (default 0)")
    add("--threads", type=int, default=1, help="CPU threads (default 1)")
    add("--table", action="store_true", help="run nothing, print what is there")
    add("--json", action="store_true", help="print one JSON object, no table")
    return made


def sized(size: str, context: int) -> ModelConfig:
    """A preset, or LAYERSxWIDTH with heads of 32, with room for windows of `context` events.

    Raises:
        UserError: the size is neither.
    """
    if size in PRESETS:
        return replace(PRESETS[size](), context=context + PROMPT_ROWS)
    layers, _, width = size.partition("x")
    if not (layers.isdecimal() and width.isdecimal() and int(layers) and int(width) >= 32):
        raise UserError(f"no size '{size}': give {', '.join(PRESETS)} or such as 2x96")
    heads = int(width) // 32
    return ModelConfig(
        int(layers), int(width), heads, 1, 32, context + PROMPT_ROWS, musical_time=True,
        copies=POINTERS,
    )  # fmt: skip


def whole_recipe(arguments: argparse.Namespace) -> Trial:
    """The trial that the others differ from, Muon on every device."""
    return Trial(
        TrainingConfig(
            model=sized(arguments.preset, arguments.context),
            data=str(arguments.corpus),
            steps=arguments.steps,
            context=arguments.context,
            batch_events=arguments.batch_events,
            micro_events=arguments.micro_events,
            loaders=arguments.loaders,
            learning_rate=arguments.learning_rate,
            optimiser="muon",
            threads=arguments.threads,
        ),
        scored=arguments.scored,
    )


def conduct(experiment: Callable[[Wanted], bool]) -> None:
    """Run an experiment that Ctrl-C stops and the same command goes on with."""
    with stopping() as stop:
        finished = experiment(stop.wanted)
    if not finished:
        say("stopped; the same command goes on", stderr=True)
        raise SystemExit(128 + stop.number)


def _told(record: Record) -> str:
    bits = record["bits_per_note"]
    if bits is None:
        return "diverged"
    each = ", ".join(f"{name} {own['all']:.3f}" for name, own in bits.items())
    return f"{each} bits a note, {record['seconds']:.0f} s"
