"""Causal attention of grouped heads, with positions in the row and in musical time.

Shape suffixes: B batch, T positions, D width, N heads, K key-value heads, H head width, E width of
queries and keys.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musenet.blocked import attend_in_blocks
from musenet.positions import Rotation, rotate
from musenet.presets import TIME_WIDTH, ModelConfig

TIMES = "attention.time_"
"""What stands in the names of the matrices of musical time."""
LayerCache = tuple[Tensor, Tensor, int] | None


@dataclass(frozen=True)
class Turns:
    """By what queries and keys are turned.

    Attributes:
        row: by positions in the row; None for a network that has learned ones.
        time: what asks, then what is found in musical time; None for a network without it.
    """

    row: Rotation | None
    time: tuple[Rotation, Rotation] | None


class Linear(nn.Linear):
    """A matrix without bias, kept in fp32 and used in the precision of its input."""

    def __init__(self, inputs: int, outputs: int, *, zero: bool = False) -> None:
        """Initialise uniformly with variance 1 / inputs, or at zero."""
        super().__init__(inputs, outputs, bias=False)
        bound = 0.0 if zero else (3.0 / inputs) ** 0.5
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (…, inputs) to (…, outputs)."""
        return F.linear(x, self.weight.to(x.dtype))


def norm(x: Tensor) -> Tensor:
    """Root-mean-square norm without a gain (Zhang and Sennrich, 2019)."""
    return F.rms_norm(x, (x.shape[-1],))


class Attention(nn.Module):
    """Causal attention with grouped keys and values and normalised queries and keys."""

    def __init__(self, config: ModelConfig) -> None:
        """Create the matrices."""
        super().__init__()
        self.config = config
        self.query = Linear(config.width, config.heads * config.head_width)
        self.key = Linear(config.width, config.kv_heads * config.head_width)
        self.value = Linear(config.width, config.kv_heads * config.head_width)
        self.out = Linear(config.heads * config.head_width, config.width, zero=True)
        self.embedded = (
            Linear(config.width, config.kv_heads * config.head_width, zero=True)
            if config.value_embeddings
            else None
        )
        self.time_query = self.time_key = None
        if config.musical_time:
            self.time_query = Linear(config.width, config.heads * TIME_WIDTH, zero=True)
            self.time_key = Linear(config.width, config.kv_heads * TIME_WIDTH)

    def forward(
        self, x_BTD: Tensor, embedded_BTD: Tensor, turns: Turns, cache: LayerCache
    ) -> Tensor:
        """Attend to the positions up to each one; `cache` holds those before the first."""
        batch, length, _ = x_BTD.shape

        def split(x: Tensor, width: int = self.config.head_width) -> Tensor:
            return x.view(batch, length, -1, width).transpose(1, 2)

        q_BNTH, k_BKTH = split(self.query(x_BTD)), split(self.key(x_BTD))
        if self.config.qk_norm:
            q_BNTH, k_BKTH = norm(q_BNTH), norm(k_BKTH)
        values_BTD = self.value(x_BTD)
        if self.embedded is not None:
            values_BTD = values_BTD + self.embedded(embedded_BTD)
        v_BKTH = split(values_BTD)
        if turns.row is not None:
            q_BNTH, k_BKTH = rotate(q_BNTH, turns.row), rotate(k_BKTH, turns.row)
        if turns.time is not None and self.time_query is not None and self.time_key is not None:
            now, before = turns.time
            asked = rotate(split(self.time_query(x_BTD), TIME_WIDTH), now)
            found = rotate(norm(split(self.time_key(x_BTD), TIME_WIDTH)), before)
            q_BNTH, k_BKTH = torch.cat([q_BNTH, asked], -1), torch.cat([k_BKTH, found], -1)
        mask = None
        if cache is not None:
            k_BKTH, v_BKTH, mask = _append(cache, k_BKTH, v_BKTH)
        y_BNTH = attend(q_BNTH, k_BKTH, v_BKTH, mask)
        y_BTD: Tensor = self.out(y_BNTH.transpose(1, 2).reshape(batch, length, -1))
        return y_BTD


def attend(q_BNTE: Tensor, k_BKTE: Tensor, v_BKTH: Tensor, mask: Tensor | None) -> Tensor:
    """Causal attention of grouped heads, or one query that sees all keys, (B, N, T, H).

    Queries and keys may be wider than values, whose width H scales what they say.
    """
    groups, width = q_BNTE.shape[1] // k_BKTE.shape[1], v_BKTH.shape[-1]
    if q_BNTE.shape[2] == 1:  # the heads of a group stand as queries, and no key is copied
        q_BKGE = q_BNTE.reshape(*k_BKTE.shape[:2], groups, -1)
        y_BKGH = F.scaled_dot_product_attention(q_BKGE, k_BKTE, v_BKTH, scale=width**-0.5)
        return y_BKGH.reshape(*q_BNTE.shape[:-1], width)
    if mask is None and _learning_on_cpu(q_BNTE):
        return attend_in_blocks(q_BNTE, k_BKTE, v_BKTH)
    return attend_fused(q_BNTE, k_BKTE, v_BKTH, mask)


def attend_fused(
    q_BNTE: Tensor, k_BKTE: Tensor, v_BKTH: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Attention by torch's own kernels, causal where no mask is given, (B, N, T, H)."""
    groups, width = q_BNTE.shape[1] // k_BKTE.shape[1], v_BKTH.shape[-1]
    if groups > 1:
        k_BKTE = k_BKTE.repeat_interleave(groups, dim=1)
        v_BKTH = v_BKTH.repeat_interleave(groups, dim=1)
    wide = F.pad(v_BKTH, (0, k_BKTE.shape[-1] - width))  # as fast kernels want it
    return F.scaled_dot_product_attention(
        q_BNTE, k_BKTE, wide, attn_mask=mask, is_causal=mask is None, scale=width**-0.5
    )[..., :width]


def _learning_on_cpu(x: Tensor) -> bool:
    return x.requires_grad and x.device.type == "cpu" and not torch.compiler.is_compiling()


def _append(
    cache: tuple[Tensor, Tensor, int], k_BKTH: Tensor, v_BKTH: Tensor
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Write into the cache; give all keys and values, and a mask where one is needed."""
    keys, values, start = cache
    length = k_BKTH.shape[2]
    stop = start + length
    keys[:, :, start:stop], values[:, :, start:stop] = k_BKTH, v_BKTH
    mask = None
    if start > 0 and length > 1:
        ones = torch.ones(length, stop, dtype=torch.bool, device=keys.device)
        mask = ones.tril(diagonal=start)
    return keys[:, :, :stop], values[:, :, :stop], mask
