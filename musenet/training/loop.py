"""The training loop: budget, schedule, progress, log, checkpoints, resuming."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from musenet.checkpoint import load_model, save_model
from musenet.corpus.shards import Split, open_split
from musenet.corpus.statistics import ensembles, style_counts, voices
from musenet.errors import UserError
from musenet.evaluation.likelihood import NOTHING, batch_bits, score, split_samples
from musenet.events import FIELDS
from musenet.files import write_atomically
from musenet.model import PROMPT_ROWS, Model, parameters
from musenet.presets import ModelConfig
from musenet.training.augment import Augmentation
from musenet.training.batches import LENGTH_STEP, Batch, step_batches
from musenet.training.mixture import piece_weights
from musenet.training.mixup import mixed_bits
from musenet.training.optimise import (
    OptimiserName,
    clip,
    default_dtype,
    default_optimiser,
    optimisers,
    set_learning_rate,
    trapezoid,
)
from musenet.training.state import STATE_FILE, TrainingState, read_state, write_state
from musenet.training.workers import Workers

MIN_CONTEXT = 16
"""Fewest events a window."""


LENGTHEN = ((0.0, 0.25), (0.35, 0.5), (0.65, 1.0))
"""From which progress on windows have which share of the context."""


@dataclass(frozen=True)
class TrainingConfig:
    """All that decides a training run; written into its folder.

    Attributes:
        model: dimensions of the network.
        data: the corpus folder.
        steps: optimiser steps to train for, or None for a budget of time.
        minutes: minutes to train for, or None for a number of steps.
        seed: of weights and of the order of the data.
        context: events a window at the end of training.
        lengthen: whether windows start at a quarter of the context and grow to half and all of
            it (`LENGTHEN`): short ones are cheaper and more varied while little is known.
        batch_events: events an optimiser step.
        learning_rate: at its peak.
        weight_decay: of the matrices under Muon.
        optimiser: muon, adamw, or None for what suits the device.
        mixup: share of the batches whose windows are mixed in embedding space.
        augmentation: how pieces are varied and prompts dropped.
        weights: a model to start from instead of random weights, or None.
        save_minutes: time between checkpoints.
        threads: CPU threads.
    """

    model: ModelConfig
    data: str
    steps: int | None = None
    minutes: float | None = None
    seed: int = 0
    context: int = 1024
    lengthen: bool = True
    batch_events: int = 4096
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    optimiser: OptimiserName | None = None
    mixup: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    weights: str | None = None
    save_minutes: float = 5.0
    threads: int = 1

    def __post_init__(self) -> None:
        """Check the budget.

        Raises:
            UserError: not exactly one of steps and minutes, one that is not positive and
                finite, or windows that do not fit the model.
        """
        budget = self.steps if self.minutes is None else self.minutes
        if (self.steps is None) == (self.minutes is None) or not 0 < (budget or 0) < math.inf:
            raise UserError("give either --steps or --minutes, more than 0")
        if self.context < MIN_CONTEXT or self.batch_events < 1:
            raise UserError(f"give windows of {MIN_CONTEXT} events or more, and a batch of some")
        if self.model.positions == "learned" and self.context > longest_window(self.model):
            most = longest_window(self.model)
            raise UserError(
                f"the model takes windows of {most} events at most: give --context {most}"
            )

    def context_at(self, progress: float) -> int:
        """Events a window at a progress of 0 to 1."""
        shares = [share for start, share in LENGTHEN if progress >= start]
        return round(self.context * shares[-1]) if self.lengthen else self.context

    def progress(self, step: int, seconds: float) -> float:
        """How much of the budget is used up, 0 to 1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        return min(1.0, seconds / (60.0 * (self.minutes or 1.0)))


def longest_window(model: ModelConfig) -> int:
    """Events of the longest padded window that fits the model's context beside the prompt."""
    return (model.context - PROMPT_ROWS + 1) // LENGTH_STEP * LENGTH_STEP


class Reporter(Protocol):
    """What watches a run."""

    def __call__(self, facts: dict[str, Any]) -> None:
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
        self.config, self.out = config, out
        self.workers = workers or Workers()
        self.train = open_split(Path(config.data), "train")
        self.valid = open_split(Path(config.data), "valid")
        if not len(self.train):
            raise UserError(f"{config.data} has no pieces to train on: build a larger corpus")
        self.weights: dict[int, NDArray[np.float64]] = {}
        self.model = Model(config.model, default_dtype(place)).to(place)
        if config.weights is not None:
            self._start_from(Path(config.weights))
        self.optimisers = optimisers(
            self.model,
            config.optimiser or default_optimiser(place),
            config.learning_rate,
            config.weight_decay,
        )
        self.state = TrainingState()

    def _start_from(self, weights: Path) -> None:
        """Take over the weights of a model.

        Raises:
            UserError: it is missing, or of other dimensions.
        """
        other, _ = load_model(weights)
        try:
            self.model.load_state_dict(other.state_dict())
        except RuntimeError as error:
            raise UserError(f"{weights} has other dimensions: give its own --preset") from error

    def resume(self) -> None:
        """Go on from the last checkpoint in the run's folder.

        Raises:
            UserError: there is none, or it is of a run with other settings.
        """
        self.state = read_state(self.out, self.model, self.optimisers)

    def fit(self, report: Reporter, stop: Callable[[], bool] = lambda: False) -> bool:
        """Train until the budget is used up or `stop` says so; whether it was finished.

        A checkpoint is written now and then, and at the end in either case. A run whose budget
        was used up before is validated once more and left as it is.

        Raises:
            UserError: the folder holds another run, it cannot be written, or training diverges.
        """
        if self.progress >= 1.0:
            report(self.validate())
            return True
        if self.state.step == 0 and (self.out / STATE_FILE).exists():
            raise UserError(f"{self.out} holds a run already: resume it or choose another folder")
        self.workers.agree([0.0])
        if self.workers.rank == 0:
            self._write_config()
        saved, stopping = time.monotonic(), False
        while self.progress < 1.0 and not stopping:
            started = time.monotonic()
            facts = self._step()
            now = time.monotonic()
            due = now - saved > 60 * self.config.save_minutes
            seconds, stopped, saving = self.workers.agree([now - started, stop(), due])
            stopping = bool(stopped)
            self.state = replace(self.state, seconds=self.state.seconds + seconds)
            facts["events_per_second"] = facts.pop("events") / seconds
            self._tell(facts, report)
            if saving:
                self._save(report)
                saved = time.monotonic()
        self._save(report)
        return self.progress >= 1.0

    @property
    def progress(self) -> float:
        """How much of the budget is used up, 0 to 1."""
        return self.config.progress(self.state.step, self.state.seconds)

    def _step(self) -> dict[str, Any]:
        config, step = self.config, self.state.step
        context = config.context_at(self.progress)
        batches = step_batches(
            self.train,
            self._weights(context),
            seed=config.seed,
            step=step,
            events=config.batch_events // self.workers.count,
            context=context,
            augmentation=config.augmentation.at(self.progress),
            worker=self.workers.rank,
        )
        own = [sum(batch.events for batch in batches), sum(batch.notes for batch in batches)]
        events, notes = self.workers.total(torch.tensor(own)).tolist()
        rate = config.learning_rate * trapezoid(self.progress + 1e-4)
        set_learning_rate(self.optimisers, rate)
        self.model.train()
        total = torch.zeros(len(FIELDS), dtype=torch.float64)
        for index, batch in enumerate(batches):
            bits = self._bits(batch, self._random(step, index))
            torch.autograd.backward(bits.sum() * math.log(2.0) / events)
            total += bits.detach().sum(dim=(0, 1)).double().cpu()
        self.workers.sum_gradients(self.model)
        gradient = clip(self.model)
        if not math.isfinite(gradient):
            raise UserError(f"training diverged at step {step + 1}: lower the learning rate")
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.state = replace(self.state, step=step + 1, events=self.state.events + events)
        each = (self.workers.total(total) / max(1, notes)).tolist()
        return {
            "step": step + 1,
            "bits_per_note": sum(each),
            "learning_rate": rate,
            "gradient": gradient,
            "events": events,
            "progress": self.progress,
            **dict(zip(FIELDS, each, strict=True)),
        }

    def _weights(self, context: int) -> NDArray[np.float64]:
        if context not in self.weights:
            self.weights[context] = piece_weights(self.train, context)
        return self.weights[context]

    def _random(self, step: int, batch: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, step, batch, 1 + self.workers.rank])

    def _bits(self, batch: Batch, rng: np.random.Generator) -> torch.Tensor:
        if rng.random() < self.config.mixup:
            return mixed_bits(self.model, batch, rng)
        return batch_bits(self.model, batch)

    def validate(self) -> dict[str, Any]:
        """Bits a note on a fixed part of the validation split, prompt and length not told."""
        self.model.eval()
        chosen = split_samples(self.valid, validation_pieces(self.valid), self.config.context)
        total = sum(score(self.model, chosen, 8192), NOTHING)
        return {
            "step": self.state.step,
            "valid_bits_per_note": total.bits_per_note,
            "valid": total.by_field,
        }

    def _tell(self, facts: dict[str, Any], report: Reporter) -> None:
        if self.workers.rank == 0:
            self._log(facts)
            report(facts)

    def _save(self, report: Reporter) -> None:
        if self.workers.rank:
            return
        facts = self.validate()
        self._tell(facts, report)
        save_model(self.out / "model.safetensors", self.model, facts=self.facts() | facts)
        write_state(self.out, self.state, self.model, self.optimisers)

    def facts(self) -> dict[str, Any]:
        """What is to be known of the run with its weights."""
        return {
            "config": asdict(self.config),
            "step": self.state.step,
            "events": self.state.events,
            "minutes": round(self.state.seconds / 60, 2),
            "parameters": parameters(self.model),
            **self._statistics,
        }

    @cached_property
    def _statistics(self) -> dict[str, Any]:
        """What composing wants to know of the training pieces."""
        return {
            "style_counts": style_counts(self.train),
            "ensembles": ensembles(self.train),
            "voices": voices(self.train),
        }

    def _write_config(self) -> None:
        text = json.dumps(asdict(self.config), indent=1)
        write_atomically(self.out / "config.json", text.encode())

    def _log(self, facts: dict[str, Any]) -> None:
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")
