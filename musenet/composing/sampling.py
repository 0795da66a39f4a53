"""Sampling from the scores of one field, for all candidates at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musenet.errors import UserError

Weights = NDArray[np.float64]

_NEVER = np.float64(-np.inf)
_LOWEST, _LEAST = -700.0, 1e-300
"""Logarithms are raised to the first, since those of 0 take ten times as long; what weighs less
than the second is nothing."""
_MANY = 48
"""Rows from which on each is ranked for itself."""
COLDEST, HOTTEST = 0.05, 5.0
"""Temperatures that make sense."""
GIVE = 4.0
"""What the cut-offs leave out is divided by this power of the warmth."""
_LEAST_TOP_P = 1e-6
_SHRINKS, _SUREST = 0.8, 1e-3
"""Base of the coolness of what is sure, and the fewest bits that count."""
MOST_ENDINGS = 64


@dataclass(frozen=True)
class Sampling:
    """How daring the choice of each event is.

    Attributes:
        temperature: below 1 plainer, above 1 wilder. It divides the scores, and what it is
            multiplied by keeps the music as surprising as human music (`surprise.Held`).
        top_p: choose among the likeliest values that make up this share (Holtzman et al., 2020).
        min_p: leave out what is less likely than this share of the likeliest value (Nguyen et al.,
            2024); higher values keep a small model from straying, and soon let it loop.
        guidance: how strongly styles and key are followed (`guidance.Guided`); 1 is plain and costs
            nothing.
        endings: how many ways to end a piece are tried, of which the one that the model itself is
            surest of is kept (`planning.CLOSING`); 1 costs nothing.
    """

    temperature: float = 1.0
    top_p: float = 0.98
    min_p: float = 0.01
    guidance: float = 1.0
    endings: int = 6

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            UserError: a value that makes no sense.
        """
        if not COLDEST <= self.temperature <= HOTTEST:
            between = f"between {COLDEST:g} and {HOTTEST:g}"
            raise UserError(f"--temperature {self.temperature:g} is not {between}")
        if not 0.0 < self.top_p <= 1.0:
            raise UserError(f"--top-p {self.top_p:g} is not more than 0 and at most 1")
        if not 0.0 <= self.min_p <= 1.0:
            raise UserError(f"min_p {self.min_p:g} is not between 0 and 1")
        if not 0.0 <= self.guidance <= 5.0:
            raise UserError(f"--guidance {self.guidance:g} is not between 0 and 5")
        if not 1 <= self.endings <= MOST_ENDINGS:
            raise UserError(f"--endings {self.endings} is not between 1 and {MOST_ENDINGS}")


def sample(
    scores: NDArray[np.floating[Any]], allowed: NDArray[np.bool_], chance: NDArray[np.float64],
    how: Sampling, rare: int = -1, warmth: Weights | float = 1.0, sureness: Weights | float = 0.0,
) -> NDArray[np.int64]:  # fmt: skip
    """A value for each row, by inverting the cumulative distribution at `chance`.

    Args:
        scores: logits, shape (rows, values).
        allowed: which values may be chosen, shape (rows, values); all, where a row has none.
        chance: a number in [0, 1) for each row.
        how: temperature and cut-offs.
        rare: a value that the cut-offs leave alone, since it comes only once; -1 for none.
        warmth: what the temperature is multiplied by, for all rows or each, shape (rows, 1). The
            cut-offs give way with it (`GIVE`): else nothing would be left to free a loop by.
        sureness: how much cooler a choice is of which the network is nearly sure (`_coolness`),
            likewise.

    Returns:
        Chosen values, shape (rows,).
    """
    weights = np.where(allowed, scores, _NEVER)
    top = np.maximum.reduce(weights, axis=1, keepdims=True)
    nothing = top == _NEVER
    if nothing.any():
        weights = np.where(allowed | nothing, scores, _NEVER)
        top = np.maximum.reduce(weights, axis=1, keepdims=True)
    weights -= top
    if np.any(sureness):
        np.maximum(weights, _LOWEST, out=weights)
        weights /= _coolness(weights, sureness)
    weights /= how.temperature * warmth
    np.maximum(weights, _LOWEST, out=weights)
    np.exp(weights, out=weights)
    strict = warmth**-GIVE
    top_p = np.maximum(1.0 - (1.0 - how.top_p) * strict, _LEAST_TOP_P)
    share = top_p * np.add.reduce(weights, axis=1, keepdims=True)
    kept = weights >= np.maximum(how.min_p * strict, _LEAST)
    if rare >= 0:
        kept[:, rare] = weights[:, rare] > _LEAST
    values, ranked = (_ranked_by_row if len(kept) >= _MANY else _ranked)(weights, kept)
    if values.shape[1] == 1:
        return values[:, 0]
    before = ranked.cumsum(axis=1)
    before -= ranked
    within = before < share
    if rare >= 0:
        within |= values == rare
    ranked *= within
    cumulative = ranked.cumsum(axis=1)
    place = (cumulative > chance[:, None] * cumulative[:, -1:]).argmax(axis=1)
    chosen: NDArray[np.int64] = values[np.arange(len(place)), place]
    return chosen


def _coolness(beside: Weights, sureness: Weights | float) -> Weights:
    """What the temperature of each row is multiplied by, shape (rows, 1): near 1, but where one
    value is nearly certain.

    That of entropy-based dynamic temperature (Zhang et al., 2024), 0.8 ** (sureness / bits), with
    the bits of the likeliest value for the entropy.

    Args:
        beside: logits below those of the likeliest value, shape (rows, values).
        sureness: 0 for none.
    """
    bits = np.log2(np.add.reduce(np.exp(beside), axis=1, keepdims=True))
    coolness: Weights = _SHRINKS ** (sureness / np.maximum(bits, _SUREST))
    return coolness


def _ranked(weights: Weights, kept: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Weights]:
    """The kept values of each row by falling weight, and their weights; others have none.

    What no row keeps is left out before sorting: nearly all values, nearly always.
    """
    places = np.flatnonzero(np.logical_or.reduce(kept, axis=0))
    weights *= kept
    fall = -weights[:, places]
    order = fall.argsort(axis=1, kind="stable")
    return places[order], -fall[np.arange(len(fall))[:, None], order]


def _ranked_by_row(weights: Weights, kept: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Weights]:
    """The same for many rows, which together keep nearly all values and one by one a few."""
    flat = np.flatnonzero(kept)
    rows = flat // kept.shape[1]
    counts = np.bincount(rows, minlength=len(kept))
    shape = len(kept), int(counts.max())
    begins = shape[1] * np.arange(len(kept))
    places = np.arange(len(flat)) + (begins - counts.cumsum() + counts)[rows]
    values, fall = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    values.reshape(-1)[places] = flat - rows * kept.shape[1]
    fall.reshape(-1)[places] = -weights.reshape(-1)[flat]
    order = fall.argsort(axis=1, kind="stable")
    order += begins[:, None]
    return values.reshape(-1)[order], -fall.reshape(-1)[order]
