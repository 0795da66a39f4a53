"""Sets of pieces compared: means with confidence, quartiles, and how far two sets overlap."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 1000
"""Bootstrap resamples behind a confidence interval."""
CONFIDENCE = 0.95
_BLOCK = 1 << 20
_GRID = 500
_REACH = 4.0
_NARROWEST = 0.01


@dataclass(frozen=True)
class Summary:
    """A measure over a set of pieces, NaN where no piece has it.

    Attributes:
        pieces: pieces that have the measure.
        mean: their mean.
        low: lower end of its 95 % confidence interval.
        high: upper end.
        quartiles: 25 %, 50 % and 75 % of the pieces lie below.
    """

    pieces: int
    mean: float
    low: float
    high: float
    quartiles: tuple[float, float, float]


def known(values: ArrayLike) -> NDArray[np.float64]:
    """The values that are not NaN."""
    array = np.asarray(values, dtype=np.float64)
    return array[~np.isnan(array)]


def summary(values: ArrayLike, seed: int = 0) -> Summary:
    """Mean, its confidence interval and quartiles of the values that are not NaN.

    The interval is the percentile bootstrap's (Efron and Tibshirani, 1993) with `RESAMPLES`
    resamples, the same for the same seed.
    """
    array = known(values)
    if not len(array):
        return Summary(0, math.nan, math.nan, math.nan, (math.nan,) * 3)
    low, high = np.quantile(
        _resampled_means(array, np.random.default_rng(seed)),
        [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2],
    )
    first, median, third = np.quantile(array, [0.25, 0.5, 0.75])
    quartiles = float(first), float(median), float(third)
    return Summary(len(array), float(array.mean()), float(low), float(high), quartiles)


def _resampled_means(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Means of resamples with replacement, shape (`RESAMPLES`,), in blocks to bound memory."""
    block = max(1, _BLOCK // len(values))
    means = [
        values[rng.integers(len(values), size=(min(block, RESAMPLES - done), len(values)))].mean(1)
        for done in range(0, RESAMPLES, block)
    ]
    return np.concatenate(means)


def inside(values: ArrayLike, reference: Summary) -> NDArray[np.float64]:
    """1 where a value lies within the reference's first and third quartile, else 0; NaN stays.

    NaN throughout where the reference has none. Bounds count, within rounding.
    """
    array = np.asarray(values, dtype=np.float64)
    low, _, high = reference.quartiles
    slack = 1e-9 * max(1.0, abs(low), abs(high))
    within = (array >= low - slack) & (array <= high + slack)
    return np.where(np.isnan(array) | np.isnan(low), math.nan, within.astype(np.float64))


def overlapped_area(values: ArrayLike, reference: ArrayLike) -> float:
    """Area under both of two densities, 0 to 1 (Yang and Lerch, 2020).

    Densities are Gaussian kernel estimates with Scott's bandwidth, at least 1 % of the range of
    all values; NaN for fewer than two values on either side.
    """
    first, second = known(values), known(reference)
    if min(len(first), len(second)) < 2:
        return math.nan
    low, high = np.concatenate([first, second]).min(), np.concatenate([first, second]).max()
    if high - low <= 1e-12 * max(abs(low), abs(high), 1.0):
        return 1.0
    narrowest = _NARROWEST * (high - low)
    widths = [max(narrowest, side.std(ddof=1) * len(side) ** -0.2) for side in (first, second)]
    grid = np.linspace(low - _REACH * max(widths), high + _REACH * max(widths), _GRID)
    one, other = (_density(s, w, grid) for s, w in zip((first, second), widths, strict=True))
    return float(np.minimum(one, other).sum() * (grid[1] - grid[0]))


def _density(
    values: NDArray[np.float64], width: float, grid: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Gaussian kernel density at each place of the grid."""
    distance = (grid[:, None] - values[None, :]) / width
    kernel = np.exp(-0.5 * distance**2) / (width * math.sqrt(2 * math.pi))
    result: NDArray[np.float64] = kernel.mean(axis=1)
    return result
