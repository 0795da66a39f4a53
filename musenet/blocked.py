"""Causal attention in blocks of queries, for training on a CPU.

torch's fused attention reaches a quarter there of what matrix products reach. Products of blocks
with the keys up to each do twice as well, and of the upper half compute little more than nothing;
the weights are kept for the way back, half of (B, N, T, T).

Shape suffixes as in `attention`; G heads of a group.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

BLOCK = 128
"""Queries at once."""


def attend_in_blocks(q_BNTE: Tensor, k_BKTE: Tensor, v_BKTH: Tensor) -> Tensor:
    """Causal attention of grouped heads, (B, N, T, H), as `attention.attend`."""
    y_BNTH: Tensor = _Blocked.apply(q_BNTE, k_BKTE, v_BKTH)  # type: ignore[no-untyped-call]
    return y_BNTH


class _Blocked(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, q_BNTE: Tensor, k_BKTE: Tensor, v_BKTH: Tensor) -> Tensor:
        q_BKGTE = _grouped(q_BNTE * v_BKTH.shape[-1] ** -0.5, k_BKTE.shape[1])
        y_BKGTH = v_BKTH.new_empty(*q_BKGTE.shape[:-1], v_BKTH.shape[-1])
        kept = []
        for start, stop in _blocks(q_BKGTE.shape[3]):
            scores = _rows(q_BKGTE, start, stop) @ k_BKTE[:, :, :stop].mT
            weights = _masked(scores, stop - start).softmax(dim=-1)
            _set_rows(y_BKGTH, start, stop, weights @ v_BKTH[:, :, :stop])
            kept.append(weights)
        ctx.save_for_backward(q_BKGTE, k_BKTE, v_BKTH, *kept)
        return y_BKGTH.flatten(1, 2)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient_BNTH: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q_BKGTE, k_BKTE, v_BKTH, *kept = ctx.saved_tensors  # type: ignore[attr-defined]
        gradient_BKGTH = _grouped(gradient_BNTH, k_BKTE.shape[1])
        to_q, to_k, to_v = map(torch.zeros_like, (q_BKGTE, k_BKTE, v_BKTH))
        for weights, (start, stop) in zip(kept, _blocks(q_BKGTE.shape[3]), strict=True):
            gradient = _rows(gradient_BKGTH, start, stop)
            to_v[:, :, :stop] += weights.mT @ gradient
            to_scores = torch._softmax_backward_data(
                gradient @ v_BKTH[:, :, :stop].mT, weights, -1, weights.dtype
            )
            _set_rows(to_q, start, stop, to_scores @ k_BKTE[:, :, :stop])
            to_k[:, :, :stop] += to_scores.mT @ _rows(q_BKGTE, start, stop)
        return to_q.flatten(1, 2).mul_(v_BKTH.shape[-1] ** -0.5), to_k, to_v


def _grouped(x_BNTE: Tensor, groups: int) -> Tensor:
    return x_BNTE.reshape(x_BNTE.shape[0], groups, -1, *x_BNTE.shape[2:])


def _blocks(length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, BLOCK):
        yield start, min(length, start + BLOCK)


def _rows(x_BKGTE: Tensor, start: int, stop: int) -> Tensor:
    """A block of all heads of a group below each other, (B, K, G · block, E)."""
    return x_BKGTE[:, :, :, start:stop].flatten(2, 3)


def _set_rows(x_BKGTE: Tensor, start: int, stop: int, rows: Tensor) -> None:
    block = x_BKGTE[:, :, :, start:stop]
    block.copy_(rows.view(block.shape))


def _masked(scores: Tensor, block: int) -> Tensor:
    """Scores of which what lies behind each query is gone, in place."""
    later = torch.ones(block, block, dtype=torch.bool, device=scores.device).triu(1)
    scores.view(*scores.shape[:2], -1, block, scores.shape[3])[..., -block:].masked_fill_(
        later, -torch.inf
    )
    return scores
