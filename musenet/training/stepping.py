"""One optimiser step, whose numbers are read when the device has them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from musenet.events import FIELDS
from musenet.model import Model
from musenet.training.batches import Batch
from musenet.training.mixup import mixed_bits
from musenet.training.optimise import clip, set_learning_rate
from musenet.training.passes import field_bits, later, placed
from musenet.training.throughput import cost
from musenet.training.workers import Workers


@dataclass(frozen=True)
class Taken:
    """What a step did.

    Attributes:
        events: that counted in the loss.
        notes: among them.
        filled: share of the places of the batches that were events.
        flops: model FLOPs of all workers.
        read: gives the bits by field of all events and then the norm of the gradient, and waits
            for the device.
    """

    events: int
    notes: int
    filled: float
    flops: float
    read: Callable[[], list[float]]


class Stepper:
    """Takes optimiser steps; on a GPU it does not wait for them."""

    def __init__(
        self,
        model: Model,
        optimisers: Sequence[Optimizer],
        workers: Workers,
        *,
        seed: int,
        mixup: float,
        compiled: bool,
    ) -> None:
        """Train a model; `compiled` is about passes without mixup."""
        self.model, self.optimisers, self.workers = model, list(optimisers), workers
        self.seed, self.mixup = seed, mixup
        self.run, self.cost = field_bits(model, compiled=compiled), cost(model)

    def __call__(self, batches: Sequence[Batch], step: int, learning_rate: float) -> Taken:
        """Learn from the batches of this worker."""
        events, notes, places, rows, flops = self._sizes(batches)
        set_learning_rate(self.optimisers, learning_rate)
        self.model.train()
        total = torch.zeros(len(FIELDS), dtype=torch.float64, device=self.model.device)
        for index, batch in enumerate(batches):
            bits = self._bits(batch, self._random(step, index))
            torch.autograd.backward(bits.sum() * (math.log(2.0) / events))
            total += bits.detach()
        self.workers.sum_gradients(self.model)
        gradient = clip(self.model)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        numbers = torch.cat([self.workers.total(total), gradient.reshape(1)])
        return Taken(int(events), int(notes), rows / places, flops, later(numbers))

    def _sizes(self, batches: Sequence[Batch]) -> list[float]:
        own = [
            sum(batch.events for batch in batches),
            sum(batch.notes for batch in batches),
            sum(batch.ids.shape[0] * batch.ids.shape[1] for batch in batches),
            sum(int(batch.lengths.sum()) for batch in batches),
            self.cost.of(batch.lengths for batch in batches),
        ]
        sizes: list[float] = self.workers.total(torch.tensor(own, dtype=torch.float64)).tolist()
        return sizes

    def _bits(self, batch: Batch, rng: np.random.Generator) -> Tensor:
        """Bits by field, shape (5,)."""
        if rng.random() < self.mixup:
            return mixed_bits(self.model, batch, rng).sum(dim=(0, 1))
        return self.run(*placed(batch, self.model.device))

    def _random(self, step: int, batch: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, step, batch, 1 + self.workers.rank])
