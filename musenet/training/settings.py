"""What decides a training run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from musenet.errors import UserError
from musenet.model import PROMPT_ROWS
from musenet.presets import ModelConfig
from musenet.training.augment import Augmentation
from musenet.training.batches import LENGTH_STEP
from musenet.training.optimise import OptimiserName
from musenet.training.shapes import Shape, shapes

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
        micro_events: places a forward pass, whose windows then have one of a few lengths
            (`training.shapes`); None for windows of any length, as many as come.
        compile: whether the network is compiled, which needs `micro_events`.
        learning_rate: at its peak.
        weight_decay: of the matrices under Muon.
        optimiser: muon, adamw, or None for what suits the device.
        cool_down: share of the budget, at its end, over which the learning rate falls to 0.
        average: horizon of the average of the weights that is validated and saved, as a share
            of the budget; 0 for the weights of the last step.
        mixup: share of the batches whose windows are mixed in embedding space.
        augmentation: how pieces are varied and prompts dropped.
        weights: a model to start from instead of random weights, or None.
        save_minutes: time between checkpoints.
        threads: CPU threads.
        loaders: processes that draw windows ahead of time; 0 for none.
    """

    model: ModelConfig
    data: str
    steps: int | None = None
    minutes: float | None = None
    seed: int = 0
    context: int = 1024
    lengthen: bool = True
    batch_events: int = 4096
    micro_events: int | None = None
    compile: bool = False
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    optimiser: OptimiserName | None = None
    cool_down: float = 0.4
    average: float = 0.0
    mixup: float = 0.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    weights: str | None = None
    save_minutes: float = 5.0
    threads: int = 1
    loaders: int = 0

    def __post_init__(self) -> None:
        """Check the budget.

        Raises:
            UserError: not exactly one of steps and minutes, one that is not positive and
                finite, or windows that do not fit the model or the passes.
        """
        budget = self.steps if self.minutes is None else self.minutes
        if (self.steps is None) == (self.minutes is None) or not 0 < (budget or 0) < math.inf:
            raise UserError("give either --steps or --minutes, more than 0")
        if self.context < MIN_CONTEXT or self.batch_events < 1:
            raise UserError(f"give windows of {MIN_CONTEXT} events or more, and a batch of some")
        if self.compile and self.micro_events is None:
            raise UserError("a network is compiled for passes of one size: give --micro-events")
        if self.model.positions == "learned" and self.context > longest_window(self.model):
            most = longest_window(self.model)
            raise UserError(
                f"the model takes windows of {most} events at most: give --context {most}"
            )

    def context_at(self, progress: float) -> int:
        """Events a window at a progress of 0 to 1."""
        shares = [share for start, share in LENGTHEN if progress >= start]
        return round(self.context * shares[-1]) if self.lengthen else self.context

    def passes_at(self, progress: float) -> tuple[Shape, ...]:
        """Shapes of the batches at a progress of 0 to 1; none where any will do."""
        if self.micro_events is None:
            return ()
        return shapes(self.context, self.micro_events, self.context_at(progress))

    def all_passes(self) -> list[Shape]:
        """All shapes of a run, those of the shortest windows first."""
        found = {shape for start, _ in LENGTHEN for shape in self.passes_at(start)}
        return sorted(found, key=lambda shape: shape.length)

    def progress(self, step: int, seconds: float) -> float:
        """How much of the budget is used up, 0 to 1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        return min(1.0, seconds / (60.0 * (self.minutes or 1.0)))


def longest_window(model: ModelConfig) -> int:
    """Events of the longest padded window that fits the model's context beside the prompt."""
    return (model.context - PROMPT_ROWS + 1) // LENGTH_STEP * LENGTH_STEP
