"""The prompt that stands in front of a piece: style, instruments, key and kind of source.

Each item may be missing; training leaves items out at random, so that any may be left out
when composing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STYLE_SLOTS, INSTRUMENT_SLOTS = 256, 64
KEYS = 24
"""Keys: 0-11 major on C, C#, …, 12-23 minor; `KEYS` itself is 'not told'."""
SOURCES = ("notated", "performed", "arranged", "beatless")
KINDS = 2 * len(SOURCES)
"""Kinds: 2 · place in `SOURCES` + 1 if velocities are expressive; `KINDS` is 'not told'."""
NOTATED, PERFORMED, ARRANGED, BEATLESS = range(len(SOURCES))
"""Places in `SOURCES`."""


def has_beat(kind: int) -> bool:
    """Whether the ticks of pieces of a kind lie on beats."""
    return kind // 2 != BEATLESS


@dataclass(frozen=True)
class Condition:
    """What is told of a piece before it begins.

    Attributes:
        styles: (id, weight) pairs, the weights adding up to 1; empty: not told.
        instruments: ids of all instruments that play; empty: not told.
        key: 0-23, or `KEYS` for not told.
        kind: 0-7, or `KINDS` for not told.
    """

    styles: tuple[tuple[int, float], ...] = ()
    instruments: tuple[int, ...] = ()
    key: int = KEYS
    kind: int = KINDS


@dataclass(frozen=True)
class Conditions:
    """A batch of prompts as arrays.

    Attributes:
        styles: weights, shape (batch, `STYLE_SLOTS`).
        instruments: 0 or 1, shape (batch, `INSTRUMENT_SLOTS`).
        key: shape (batch,).
        kind: shape (batch,).
        start: 1 where the window begins at the true start of the piece, shape (batch,).
    """

    styles: NDArray[np.float32]
    instruments: NDArray[np.float32]
    key: NDArray[np.int64]
    kind: NDArray[np.int64]
    start: NDArray[np.int64]


def stack(conditions: Sequence[Condition], starts: Sequence[bool]) -> Conditions:
    """A batch of prompts, and whether each window begins its piece."""
    styles = np.zeros((len(conditions), STYLE_SLOTS), dtype=np.float32)
    instruments = np.zeros((len(conditions), INSTRUMENT_SLOTS), dtype=np.float32)
    for row, condition in enumerate(conditions):
        for style, weight in condition.styles:
            styles[row, style] += weight
        instruments[row, list(condition.instruments)] = 1.0
    return Conditions(
        styles,
        instruments,
        np.array([condition.key for condition in conditions], dtype=np.int64),
        np.array([condition.kind for condition in conditions], dtype=np.int64),
        np.array(starts, dtype=np.int64),
    )
