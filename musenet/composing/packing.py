"""What a network is packed into for a CPU: matrices ready to multiply, complex rotations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from musenet.attention import Attention, Linear
from musenet.model import Model
from musenet.positions import NO_TICK, rotation_at
from musenet.presets import SPANS, TIME_WIDTH

Floats = NDArray[np.float32]
Multiply = Callable[[Floats], Floats]
_SPANS = np.array(SPANS)


def turns_in_row(model: Model, positions: int) -> NDArray[np.complex64]:
    """Rotations of the first positions as complex numbers, (positions, H / 2)."""
    turns: NDArray[np.complex64] = torch.complex(
        *rotation_at(0, positions, model.config.head_width, model.start.weight)
    ).numpy()
    return turns


def turns_in_time(ticks: NDArray[np.int64]) -> NDArray[np.complex64]:
    """Rotations of moments as complex numbers, (B, len(`SPANS`)), as `rotation_in_time`."""
    turns = np.exp(2j * np.pi * (ticks[:, None] % _SPANS) / _SPANS)
    turns[ticks == NO_TICK] = 0.0
    narrow: NDArray[np.complex64] = turns.astype(np.complex64)
    return narrow


def asking(own: Attention) -> list[Tensor]:
    """The matrices to queries and keys, scaled, head by head, with rotary pairs side by side."""
    config = own.config
    query, key = own.query.weight, own.key.weight
    if config.positions == "rotary":
        query, key = (_side_by_side(weight, config.head_width) for weight in (query, key))
    if own.time_query is not None and own.time_key is not None:
        in_time = (_side_by_side(own.time_query.weight, TIME_WIDTH),
                   _side_by_side(own.time_key.weight, TIME_WIDTH))  # fmt: skip
        query, key = (
            torch.cat([apart.view(-1, size, config.width) for apart, size in
                       ((row, config.head_width), (time, TIME_WIDTH))], dim=1).flatten(0, 1)
            for row, time in zip((query, key), in_time, strict=True)
        )  # fmt: skip
    return [query * config.head_width**-0.5, key]


def _side_by_side(weight: Tensor, head_width: int) -> Tensor:
    """The rows of a matrix to heads, with the rotary pairs of a head side by side."""
    return weight.view(-1, 2, head_width // 2, weight.shape[1]).transpose(1, 2).flatten(0, 2)


def largest_score(own: Attention) -> float:
    """What no score of a layer exceeds; infinite where queries and keys may be of any size."""
    config = own.config
    if not config.qk_norm:
        return float("inf")
    in_row, in_time = config.head_width**0.5, 0.0
    if own.time_query is not None:
        of_heads = own.time_query.weight.detach().view(config.heads, TIME_WIDTH, config.width)
        longest = config.width**0.5 * float(torch.linalg.matrix_norm(of_heads, 2).max())
        in_time = longest * (TIME_WIDTH / config.head_width) ** 0.5
    largest: float = in_row + in_time
    return largest


def weights_of(modules: Iterable[nn.Module]) -> list[Tensor]:
    """The weights of tables or matrices."""
    return [cast(nn.Embedding, module).weight for module in modules]


def packed(layer: Linear, half: bool) -> Multiply:
    """Multiplication by the matrix of a layer, as `multiply`."""
    return multiply(layer.weight, None, half)


def multiply(weight: Tensor, bias: Tensor | None, half: bool) -> Multiply:
    """Multiplication by a matrix, (B, inputs) to (B, outputs)."""
    if not (half and torch.backends.quantized.engine in ("x86", "fbgemm")):
        weight = weight.contiguous()
        return lambda x: F.linear(torch.from_numpy(x), weight, bias).numpy()
    packed = torch.ops.quantized.linear_prepack_fp16(weight.contiguous(), bias)
    # without the packet around it, which looks for fake tensors among the arguments of each call
    multiply: Callable[..., Tensor] = torch.ops.quantized.linear_dynamic_fp16._op
    return lambda x: multiply(torch.from_numpy(x), packed).numpy()
