"""The training loop: budget, schedule, progress, log, checkpoints, resuming."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from musenet.checkpoint import save_model
from musenet.corpus.relatives import relatives_by_name
from musenet.corpus.shards import Split, open_split
from musenet.corpus.statistics import ensembles, keys, metres, style_counts, tempi, voices
from musenet.errors import UserError
from musenet.evaluation.likelihood import NOTHING, score, split_samples
from musenet.events import FIELDS
from musenet.files import write_atomically
from musenet.model import Model, parameters
from musenet.training.averaging import Average
from musenet.training.optimise import (
    default_dtype,
    default_optimiser,
    optimisers,
    trapezoid,
)
from musenet.training.passes import attention, fastest_attention, too_large, warm_up
from musenet.training.prefetch import Drawer, Feed, Order, feeding
from musenet.training.settings import TrainingConfig
from musenet.training.starting import take_over
from musenet.training.state import (
    STATE_FILE,
    TrainingState,
    fresh_tables,
    read_state,
    write_state,
)
from musenet.training.stepping import Stepper, Taken
from musenet.training.throughput import peak, rates
from musenet.training.workers import Workers

Facts = dict[str, Any]


class Reporter(Protocol):
    """What watches a run."""

    def __call__(self, facts: Facts) -> None:
        """Take the facts of one step, or of one validation."""


def validation_pieces(split: Split, events: int = 40_000, seed: int = 0) -> list[int]:
    """A fixed choice of pieces of up to 4,000 events, `events` of them in all."""
    order = np.random.default_rng(seed).permutation(len(split))
    order = order[split.pieces["events"][order] <= 4_000]
    total = np.cumsum(split.pieces["events"][order])
    return [int(piece) for piece in order[: max(1, int(np.searchsorted(total, events)))]]


class Run:
    """A training run in a folder."""

    def __init__(
        self,
        config: TrainingConfig,
        out: Path,
        *,
        device: str = "cpu",
        workers: Workers | None = None,
    ) -> None:
        """Open the corpus and build model and optimisers at step 0.

        Raises:
            UserError: the corpus is missing, damaged or empty.
        """
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        place = torch.device(device)
        if place.type == "cuda":
            torch.set_float32_matmul_precision("high")
        self.config, self.out = config, out
        self.workers = workers or Workers()
        self.train = open_split(Path(config.data), "train")
        self.valid = open_split(Path(config.data), "valid")
        if not len(self.train):
            raise UserError(f"{config.data} has no pieces to train on: build a larger corpus")
        self.model = Model(config.model, default_dtype(place)).to(place)
        self.state = TrainingState(fresh=self._begin())
        self.optimisers = optimisers(
            self.model,
            config.optimiser or default_optimiser(place),
            config.learning_rate,
            config.weight_decay,
            self.state.fresh,
            self.workers,
        )
        self.stepper = Stepper(
            self.model,
            self.optimisers,
            self.workers,
            seed=config.seed,
            mixup=config.mixup,
            compiled=config.compile,
        )
        self.average = Average(self.model, config.average) if config.average else None
        best = peak(place)
        self._peak = None if best is None else best * self.workers.count

    def _begin(self) -> tuple[str, ...]:
        """Take over the weights to begin from; names of the tables that are new to them.

        A run that has begun needs them no longer.
        """
        if (self.out / STATE_FILE).exists():
            return fresh_tables(self.out)
        start = self.config.weights
        return () if start is None else take_over(self.model, Path(start))

    def resume(self) -> None:
        """Go on from the last checkpoint in the run's folder.

        Raises:
            UserError: there is none, or it is of a run with other settings.
        """
        self.state = read_state(self.out, self.model, self.optimisers, self.average)

    def fit(self, report: Reporter, stop: Callable[[], bool] = lambda: False) -> bool:
        """Train until the budget is used up or `stop` says so; whether it was finished.

        A checkpoint is written now and then, and at the end in either case. A run whose budget
        was used up before is validated once more and left as it is.

        Raises:
            UserError: the folder holds another run, it cannot be written, or training diverges.
        """
        if self.progress >= 1.0:
            with self._averaged():
                report(self.validate())
            return True
        if self.state.step == 0 and (self.out / STATE_FILE).exists():
            raise UserError(f"{self.out} holds a run already: resume it or choose another folder")
        self.workers.agree([0.0])
        if self.workers.rank == 0:
            self._write_config()
            if self.state.step == 0:  # the log of a run that was never saved
                (self.out / "log.jsonl").unlink(missing_ok=True)
        with ExitStack() as stack:
            drawer = Drawer(self.train)
            feed = stack.enter_context(feeding(drawer, self.config.data, self.config.loaders))
            stack.enter_context(self._prepared(report))
            self._fit(feed, report, stop)
        return self.progress >= 1.0

    def _fit(self, feed: Feed, report: Reporter, stop: Callable[[], bool]) -> None:
        """The loop; the numbers of a step on a GPU are told while the next is under way."""
        lag = 1 if self.model.device.type == "cuda" else 0
        waiting: deque[tuple[Facts, Taken]] = deque()
        for step in range(self.state.step, self.state.step + feed.ahead):
            feed.order(self._order(step))
        mark = saved = time.monotonic()
        pause, going = 0.0, True
        while going and self.progress < 1.0:
            before = self.progress
            facts, taken = self._step(feed)
            now = time.monotonic()
            due = now - saved > 60 * self.config.save_minutes
            seconds, stopped, saving = self.workers.agree([now - mark, stop(), due])
            mark, going = now, not stopped
            self.state = replace(self.state, seconds=self.state.seconds + seconds)
            if self.average:
                self.average.follow(self.model, self.progress - before)
            waiting.append(({**facts, "progress": self.progress}, taken))
            held = 0 if saving or stopped or self.progress >= 1.0 else lag
            while len(waiting) > held:
                self._tell_step(*waiting.popleft(), seconds - pause, report)
            pause = 0.0
            if saving:
                self._save(report)
                saved = time.monotonic()
                pause = saved - now
        self._save(report)

    @contextmanager
    def _prepared(self, report: Reporter) -> Iterator[None]:
        """Choose and compile what there is to compile, before the budget's clock starts.

        Raises:
            UserError: it does not fit into memory, or cannot be compiled.
        """
        passes, on_gpu = self.config.all_passes(), self.model.device.type == "cuda"
        if not passes or not (on_gpu or self.config.compile):
            yield
            return
        name = fastest_attention(self.model, passes[-1]) if on_gpu else None
        with attention(name):
            compiled = self.config.compile
            seconds = warm_up(self.model, self.stepper.run, passes, compiled=compiled)
            self._tell(
                {
                    "step": self.state.step,
                    "warm_up_seconds": seconds,
                    "attention": name,
                    "shapes": [[shape.rows, shape.length] for shape in passes],
                },
                report,
            )
            yield

    @property
    def progress(self) -> float:
        """How much of the budget is used up, 0 to 1."""
        return self.config.progress(self.state.step, self.state.seconds)

    def _order(self, step: int) -> Order:
        """What to draw for a step, by the progress that is known now."""
        config, workers = self.config, self.workers
        progress = config.progress(step, self.state.seconds)
        return Order(
            seed=config.seed,
            step=step,
            worker=workers.rank,
            events=config.batch_events // workers.count,
            context=config.context_at(progress),
            augmentation=config.augmentation.at(progress),
            passes=config.passes_at(progress),
        )

    def _step(self, feed: Feed) -> tuple[Facts, Taken]:
        """Take a step; what is known of it at once, and what will be.

        Raises:
            UserError: it does not fit into memory, or a process that draws data has died.
        """
        config, step = self.config, self.state.step
        feed.order(self._order(step + feed.ahead))
        rate = config.learning_rate * trapezoid(self.progress + 1e-4, cool_down=config.cool_down)
        try:
            taken = self.stepper(feed.batches(), step, rate)
        except torch.OutOfMemoryError as error:  # the optimisers' state comes with the first step
            raise too_large("a step") from error
        self.state = replace(
            self.state,
            step=step + 1,
            events=self.state.events + taken.events,
            flops=self.state.flops + taken.flops,
        )
        return {"step": step + 1, "learning_rate": rate}, taken

    def _tell_step(self, facts: Facts, taken: Taken, seconds: float, report: Reporter) -> None:
        """Tell of a step, waiting for its numbers.

        Raises:
            UserError: training has diverged.
        """
        *bits, gradient = taken.read()
        if not math.isfinite(gradient):
            message = f"training diverged at step {facts['step']}: lower the learning rate"
            raise UserError(message)
        each = [own / max(1, taken.notes) for own in bits]
        told = {"bits_per_note": sum(each), "gradient": gradient, "filled": taken.filled}
        speed = rates(taken.flops, taken.events, seconds, self._peak)
        self._tell({**facts, **told, **speed, **dict(zip(FIELDS, each, strict=True))}, report)

    def validate(self) -> Facts:
        """Bits a note on a fixed part of the validation split, prompt and length not told."""
        self.model.eval()
        chosen = split_samples(self.valid, validation_pieces(self.valid), self.config.context)
        total = sum(score(self.model, chosen, 8192), NOTHING)
        return {
            "step": self.state.step,
            "valid_bits_per_note": total.bits_per_note,
            "valid": total.by_field,
        }

    def _tell(self, facts: Facts, report: Reporter) -> None:
        if self.workers.rank == 0:
            self._log(facts)
            report(facts)

    def _save(self, report: Reporter) -> None:
        if self.workers.rank:
            return
        with self._averaged():
            facts = self.validate()
            self._tell(facts, report)
            save_model(self.out / "model.safetensors", self.model, facts=self.facts() | facts)
        write_state(self.out, self.state, self.model, self.optimisers, self.average)

    def _averaged(self) -> AbstractContextManager[None]:
        """The model as it is validated and kept."""
        return self.average.in_place(self.model) if self.average else nullcontext()

    def facts(self) -> Facts:
        """What is to be known of the run with its weights."""
        state = self.state
        return {
            "config": asdict(self.config),
            "step": state.step,
            "events": state.events,
            "minutes": round(state.seconds / 60, 2),
            "parameters": parameters(self.model),
            **rates(state.flops, state.events, max(state.seconds, 1e-9), self._peak),
            **self._statistics,
        }

    @cached_property
    def _statistics(self) -> Facts:
        """What composing wants to know of the training pieces."""
        return {
            "style_counts": style_counts(self.train),
            "ensembles": ensembles(self.train),
            "relatives": relatives_by_name(self.train),
            "keys": keys(self.train),
            "metres": metres(self.train),
            "tempi": tempi(self.train),
            "voices": voices(self.train),
        }

    def _write_config(self) -> None:
        text = json.dumps(asdict(self.config), indent=1)
        write_atomically(self.out / "config.json", text.encode())

    def _log(self, facts: Facts) -> None:
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")
