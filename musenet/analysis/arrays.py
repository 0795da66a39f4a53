"""Small sums over arrays that the measures share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musenet.instruments import DRUMS
from musenet.score import Array, Score, bar_starts, bar_ticks, note_ends


def mean(values: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The (weighted) mean; NaN of nothing and of weights that are all 0."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        return math.nan
    if weights is None:
        return float(array.mean())
    weight = np.asarray(weights, dtype=np.float64)
    return float(array @ weight / weight.sum()) if weight.sum() > 0 else math.nan


def spread(values: ArrayLike, weights: ArrayLike | None = None) -> float:
    """The (weighted) standard deviation; NaN of nothing."""
    array = np.asarray(values, dtype=np.float64)
    return math.sqrt(mean((array - mean(array, weights)) ** 2, weights)) if array.size else math.nan


def pitched(score: Score) -> Score:
    """The score without drums."""
    notes = score.notes[score.notes["instrument"] != DRUMS]
    return Score(notes, score.tempos, score.metres, score.ticks_per_beat)


def sounding(score: Score, edges: ArrayLike) -> NDArray[np.float64]:
    """Ticks that notes sound between successive edges, summed over notes, shape (edges - 1,)."""
    at = np.asarray(edges, dtype=np.float64)
    until = _passed(score.notes["onset"], at) - _passed(note_ends(score), at)
    return np.diff(until)


def _passed(ticks: NDArray[np.int64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over ticks of the time that has passed since each, at each of some moments."""
    before = np.sort(ticks)
    count = np.searchsorted(before, at)
    result: NDArray[np.float64] = count * at - np.r_[0, np.cumsum(before, dtype=np.int64)][count]
    return result


def stretches(score: Score) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ticks from 0 to the end at which pitches change, and how many distinct ones sound.

    Returns:
        Edges, shape (stretches + 1,), and the count between them, shape (stretches,).
    """
    start, stop = _merged(score.notes, score.end + 1)
    edges, place = np.unique(np.r_[0, start, stop], return_inverse=True)
    steps = np.bincount(place[1 : len(start) + 1], minlength=len(edges)) - np.bincount(
        place[len(start) + 1 :], minlength=len(edges)
    )
    return edges.astype(np.int64), np.cumsum(steps)[:-1]


def _merged(notes: Array, beyond: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Start and end of each stretch in which a pitch sounds, whichever instruments play it."""
    shift = notes["pitch"].astype(np.int64) * beyond
    start = notes["onset"] + shift
    order = np.argsort(start, kind="stable")
    start, shift = start[order], shift[order]
    stop = np.maximum.accumulate(start + notes["duration"][order])
    first = np.r_[True, start[1:] > stop[:-1]][: len(start)]
    last = np.r_[first[1:], True][: len(start)]
    return start[first] - shift[first], stop[last] - shift[last]


@dataclass(frozen=True)
class Bars:
    """The bars of a score.

    Attributes:
        starts: tick at which each begins, shape (bars,).
        lengths: ticks to the next, or as its metre has it for the last, shape (bars,).
        of: the bar in which each note begins, shape (notes,).
        place: ticks from the beginning of its bar to each note, shape (notes,).
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    of: NDArray[np.int64]
    place: NDArray[np.int64]

    def __len__(self) -> int:
        """Number of bars."""
        return len(self.starts)


def bars_of(score: Score) -> Bars:
    """The bars of a score up to its end."""
    starts = bar_starts(score)
    last = bar_ticks(*metre_at(score, int(starts[-1])), score.ticks_per_beat) if len(starts) else 0
    onset = score.notes["onset"].astype(np.int64)
    of = np.searchsorted(starts, onset, side="right") - 1
    return Bars(starts, np.diff(starts, append=starts[-1:] + last), of, onset - starts[of])


def metre_at(score: Score, tick: int) -> tuple[int, int]:
    """Numerator and denominator of the metre in force, 4/4 before the first."""
    earlier = score.metres[score.metres["tick"] <= tick]
    return (
        (int(earlier["numerator"][-1]), int(earlier["denominator"][-1])) if len(earlier) else (4, 4)
    )


@dataclass(frozen=True)
class BarSets:
    """A set of numbers for each bar, such as the places at which notes begin.

    Attributes:
        keys: bar · `size` + member, rising and distinct.
        size: members are below it.
        counts: members of each bar, shape (bars,).
    """

    keys: NDArray[np.int64]
    size: int
    counts: NDArray[np.int64]

    def shared(self, lag: int) -> NDArray[np.int64]:
        """How many members bars `i` and `i + lag` have in common, shape (bars - lag,)."""
        moved = self.keys + lag * self.size
        found = np.searchsorted(self.keys, moved)
        same = moved == np.append(self.keys, -1)[found]
        bars = len(self.counts)
        return np.bincount(self.keys[same] // self.size, minlength=bars)[: max(0, bars - lag)]


def bar_sets(bars: NDArray[np.int64], members: NDArray[np.int64], count: int) -> BarSets:
    """The sets of `count` bars, from the bar and the member (at least 0) of each note."""
    size = int(members.max(initial=0)) + 1
    keys = np.unique(bars * size + members)
    return BarSets(keys, size, np.bincount(keys // size, minlength=count))
