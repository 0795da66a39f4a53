"""Muon (Jordan et al., 2024) that orthogonalises all matrices of one shape at once.

torch.optim.Muon takes each matrix on its own, in some 25 small operations: for a hundred matrices
that is longer than a GPU needs for the arithmetic. The state is kept as torch's keeps it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from musenet.training.workers import Workers

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration, by Jordan."""


class Muon(Optimizer):
    """Momentum orthogonalised, with the update scaled to AdamW's (Liu et al., 2025)."""

    def __init__(
        self,
        matrices: Iterable[Tensor],
        lr: float,
        *,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        iterations: int = 5,
        workers: Workers | None = None,
    ) -> None:
        """Turn matrices; all parameters must have two dimensions. Workers share the work."""
        self.workers = workers or Workers()
        usual = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum}
        super().__init__(matrices, {**usual, "iterations": iterations})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """Take a step; `closure` is not supported."""
        for group in self.param_groups:
            owners = [own for own in group["params"] if own.grad is not None]
            if owners:
                self._step(owners, group)

    def _step(self, owners: list[Tensor], group: dict[str, Any]) -> None:
        gradients = [own.grad for own in owners if own.grad is not None]
        for own in owners:
            if not self.state[own]:
                self.state[own]["momentum_buffer"] = torch.zeros_like(own)
        momenta = [self.state[own]["momentum_buffer"] for own in owners]
        torch._foreach_lerp_(momenta, gradients, 1.0 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, momenta, group["momentum"])
        torch._foreach_mul_(owners, 1.0 - group["lr"] * group["weight_decay"])
        for places in _alike(owners):
            turned = self.workers.shared(
                partial(orthogonal, iterations=group["iterations"]),
                torch.stack([_wide(ahead[place]) for place in places]),
            )
            scale = 0.2 * math.sqrt(max(owners[places[0]].shape))
            for place, update in zip(places, turned, strict=True):
                own = owners[place]
                own.add_(update.T if _tall(own) else update, alpha=-group["lr"] * scale)


def orthogonal(matrices: Tensor, iterations: int = 5) -> Tensor:
    """Nearly the closest matrices with orthonormal rows, in bf16, by Newton-Schulz.

    Args:
        matrices: shape (count, rows, columns), no more rows than columns.
        iterations: steps of the iteration.
    """
    a, b, c = COEFFICIENTS
    x = matrices.bfloat16()
    x = x / x.flatten(1).norm(dim=1).clamp(min=1e-7)[:, None, None]
    for _ in range(iterations):
        gram = x @ x.mT
        update = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, update, x, beta=a)
    return x


def _tall(matrix: Tensor) -> bool:
    return matrix.shape[0] > matrix.shape[1]


def _wide(matrix: Tensor) -> Tensor:
    """In bf16 with no more rows than columns."""
    return (matrix.T if _tall(matrix) else matrix).bfloat16()


def _alike(matrices: list[Tensor]) -> list[list[int]]:
    """Places of the matrices that have one shape, whichever way they stand."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for place, matrix in enumerate(matrices):
        groups.setdefault(tuple(sorted(matrix.shape)), []).append(place)
    return list(groups.values())
