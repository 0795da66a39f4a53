"""Sampling from the scores of one field, for all candidates at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musenet.errors import UserError


@dataclass(frozen=True)
class Sampling:
    """How daring the choice of each event is.

    Attributes:
        temperature: divides the scores; below 1 plainer, above 1 wilder.
        top_p: choose among the likeliest values that make up this share (Holtzman et al., 2020).
        min_p: leave out what is less likely than this share of the likeliest value (Nguyen et al.,
            2024); higher values keep a small model from straying, and soon let it loop.
    """

    temperature: float = 1.05
    top_p: float = 0.98
    min_p: float = 0.01

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
    some: NDArray[np.bool_] = np.logical_or.reduce(allowed, axis=1, keepdims=True)
    everything = allowed if some.all() else allowed | ~some
    masked = np.where(everything, scores.astype(np.float64) / how.temperature, -np.inf)
    weights = np.exp(masked - masked.max(axis=1, keepdims=True))
    share = how.top_p * weights.sum(axis=1, keepdims=True)
    # what no row may keep is left out before sorting: nearly all values, nearly always
    places = np.flatnonzero(((weights >= how.min_p) & (weights > 0.0)).any(axis=0))
    if rare >= 0 and weights[:, rare].any():
        places = np.union1d(places, rare)
    weights = weights[:, places]
    order = np.argsort(-weights, axis=1, kind="stable")
    rows = np.arange(len(weights))[:, None]
    ranked = weights[rows, order]
    before = np.cumsum(ranked, axis=1) - ranked
    kept = (before < share) & (ranked >= how.min_p)
    kept |= (places[order] == rare) & (ranked > 0.0)
    cumulative = np.cumsum(np.where(kept, ranked, 0.0), axis=1)
    place = (cumulative <= chance[:, None] * cumulative[:, -1:]).sum(axis=1)
    last = kept.shape[1] - 1 - kept[:, ::-1].argmax(axis=1)
    chosen: NDArray[np.int64] = places[order[rows[:, 0], np.minimum(place, last)]]
    return chosen
