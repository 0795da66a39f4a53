"""Sampling from the scores of one field, for all candidates at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musenet.errors import UserError

_LEAST = np.finfo(np.float64).tiny
"""A weight that is more than 0."""


@dataclass(frozen=True)
class Sampling:
    """How daring the choice of each event is.

    Attributes:
        temperature: divides the scores; below 1 plainer, above 1 wilder.
        top_p: choose among the likeliest values that make up this share (Holtzman et al., 2020).
        min_p: leave out what is less likely than this share of the likeliest value (Nguyen et al.,
            2024); higher values keep a small model from straying, and soon let it loop.
        guidance: how strongly the styles are followed (`guidance.Guided`); 1 is plain and costs
            nothing.
    """

    temperature: float = 1.02
    top_p: float = 0.98
    min_p: float = 0.01
    guidance: float = 1.0

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            UserError: a value that makes no sense.
        """
        if not 0.05 <= self.temperature <= 5.0:
            raise UserError(f"--temperature {self.temperature:g} is not between 0.05 and 5")
        if not 0.0 < self.top_p <= 1.0:
            raise UserError(f"--top-p {self.top_p:g} is not more than 0 and at most 1")
        if not 0.0 <= self.min_p <= 1.0:
            raise UserError(f"min_p {self.min_p:g} is not between 0 and 1")
        if not 0.0 <= self.guidance <= 5.0:
            raise UserError(f"--guidance {self.guidance:g} is not between 0 and 5")


def sample(
    scores: NDArray[np.floating[Any]], allowed: NDArray[np.bool_], chance: NDArray[np.float64],
    how: Sampling, rare: int = -1,
) -> NDArray[np.int64]:  # fmt: skip
    """A value for each row, by inverting the cumulative distribution at `chance`.

    Args:
        scores: logits, shape (rows, values).
        allowed: which values may be chosen, shape (rows, values); all, where a row has none.
        chance: a number in [0, 1) for each row.
        how: temperature and cut-offs.
        rare: a value that the cut-offs leave alone, since it comes only once; -1 for none.

    Returns:
        Chosen values, shape (rows,).
    """
    masked = np.where(allowed, scores, -np.inf)
    top = np.maximum.reduce(masked, axis=1, keepdims=True)
    nothing = top == -np.inf
    if nothing.any():
        masked = np.where(allowed | nothing, scores, -np.inf)
        top = np.maximum.reduce(masked, axis=1, keepdims=True)
    weights = np.subtract(masked, top, dtype=np.float64)
    weights /= how.temperature
    np.exp(weights, out=weights)
    share = how.top_p * np.add.reduce(weights, axis=1, keepdims=True)
    kept = weights >= max(how.min_p, _LEAST)
    if rare >= 0:
        kept[:, rare] = weights[:, rare] > 0.0
    # what no row may keep is left out before sorting: nearly all values, nearly always
    places = np.flatnonzero(np.logical_or.reduce(kept, axis=0))
    if len(places) == 1:
        return np.repeat(places, len(weights))
    weights *= kept
    fall = -weights[:, places]
    order = fall.argsort(axis=1, kind="stable")
    rows = np.arange(len(fall))
    ranked = -fall[rows[:, None], order]
    before = ranked.cumsum(axis=1) - ranked
    within = before < share
    if rare >= 0:
        within |= places[order] == rare
    cumulative = (ranked * within).cumsum(axis=1)
    place = (cumulative > chance[:, None] * cumulative[:, -1:]).argmax(axis=1)
    chosen: NDArray[np.int64] = places[order[rows, place]]
    return chosen
