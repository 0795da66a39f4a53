"""Data-parallel training: several processes, each with its own windows of every step.

Started by `torchrun`; alone, every function here does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Workers:
    """The processes that train together.

    Attributes:
        rank: number of this one; 0 writes and reports.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    def agree(self, values: Sequence[float]) -> list[float]:
        """The values of rank 0, in every process."""
        if self.count == 1:
            return list(values)
        shared = torch.tensor(values, dtype=torch.float64)
        dist.broadcast(shared, src=0)
        return shared.tolist()

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of the values over the processes."""
        if self.count > 1:
            dist.all_reduce(values)
        return values

    def shared(
        self, work: Callable[[torch.Tensor], torch.Tensor], items: torch.Tensor
    ) -> torch.Tensor:
        """`work` on all items along the first dimension, each done by one process alone.

        Args:
            work: gives items of the same shape and type, each from its own alone.
            items: the same in every process.
        """
        if self.count == 1:
            return work(items)
        share = -(-len(items) // self.count)
        room = items.new_zeros((share * self.count, *items.shape[1:]))
        room[: len(items)] = items
        parts = room.chunk(self.count)
        dist.all_gather(list(parts), work(parts[self.rank]))
        return room[: len(items)]

    def sum_gradients(self, model: nn.Module) -> None:
        """Add up the gradients of all processes, in every process."""
        if self.count == 1:
            return
        owners = [parameter for parameter in model.parameters() if parameter.requires_grad]
        sizes = [parameter.numel() for parameter in owners]
        flat = torch.cat(
            [(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in owners]
        )
        dist.all_reduce(flat)
        for parameter, part in zip(owners, torch.split(flat, sizes), strict=True):
            parameter.grad = part.view_as(parameter)

    def leave(self) -> None:
        """Leave the others, when all work is done."""
        if self.count > 1:
            dist.destroy_process_group()


def start_workers() -> Workers:
    """Join the processes that `torchrun` started, or stay alone."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Workers()
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    return Workers(dist.get_rank(), count)
