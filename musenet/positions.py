"""Rotary positions (Su et al., 2021): the places of events in a row, and musical time.

Music repeats itself bars later, not a number of events later. So beside the positions in the row,
heads have some in beats: pairs that turn once in each of `SPANS`, from a third of a beat to 96
beats. As most spans divide longer ones, a head that asks for what was 32 beats ago finds it
whatever has been played in between. A key stands at the time of the row before it, as the token
shift shows it that row: what followed the moment that is like now.
"""

from __future__ import annotations

import torch
from torch import Tensor

from musenet.presets import SPANS

NO_TICK = -1
"""Stands for the time of the rows of prompt, which have none."""
Rotation = tuple[Tensor, Tensor]
"""Cosines and sines, which broadcast to (B, heads, T, half of what is turned)."""


def rotation_at(start: int, length: int, head_width: int, like: Tensor) -> Rotation:
    """Of positions in the row, each (T, H / 2)."""
    half = head_width // 2
    frequency = 10_000.0 ** (-torch.arange(half, device=like.device) / half)
    angle = torch.arange(start, start + length, device=like.device)[:, None] * frequency
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


def spans_on(device: torch.device) -> Tensor:
    """`SPANS` where they are needed."""
    return torch.tensor(SPANS, device=device)


def rotation_in_time(ticks_BT: Tensor, spans: Tensor, dtype: torch.dtype) -> Rotation:
    """Of moments, each (B, 1, T, spans); nothing is left of rows without a time."""
    angle = 2 * torch.pi * (ticks_BT[:, None, :, None] % spans) / spans
    timed = (ticks_BT != NO_TICK)[:, None, :, None]
    return (angle.cos() * timed).to(dtype), (angle.sin() * timed).to(dtype)


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Turn each pair of halves of a head by its position's angle."""
    cos, sin = rotation
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)
