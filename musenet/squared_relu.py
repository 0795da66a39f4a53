"""Squared ReLU (So et al., 2021), which goes over memory half as often as autograd's own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional as F


def squared_relu(x: Tensor) -> Tensor:
    """The square of what is positive, else 0."""
    if torch.compiler.is_compiling():  # which fuses all of it
        return F.relu(x).square()
    y: Tensor = _SquaredReLU.apply(x)  # type: ignore[no-untyped-call]
    return y


class _SquaredReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        positive = F.relu(x)
        ctx.save_for_backward(positive)
        return positive * positive

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:
        positive: Tensor = ctx.saved_tensors[0]  # type: ignore[attr-defined]
        return (positive * gradient).mul_(2.0)
