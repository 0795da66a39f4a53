"""Times that can be written: onsets on 32nds and triplet 16ths, ends that leave no slivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.rendering.notation.bars import Ruler, nearest
from musenet.score import Array, Score

_LOOSE, _NEAR, _TIGHT = 5, 6, 8
_OVERLAP = 3
_STEPS, _THIRD = (24, 12, 6), 8
_PERFORMED = 0.3
_LEAST_NOTES = 16
_PLACES_IN_EIGHTH = np.array([0, 3, 4, 6, 8, 9, 12]) / 24


@dataclass(frozen=True)
class Placed:
    """Notes of a part on the grid.

    Attributes:
        notes: array of `NOTE`, in the order (onset, pitch).
        moved: how many onsets were rounded.
        merged: notes that fell on another of the same pitch and became one with it.
    """

    notes: Array
    moved: int
    merged: int


def sounds_performed(score: Score) -> bool:
    """Whether onsets keep no beat: they lie about as near to the grid as any moments would.

    Args:
        score: in the ticks of its source, not quantised.
    """
    beats = np.unique(score.notes["onset"]) / score.ticks_per_beat
    into = beats % 0.5
    error = np.abs(into[:, None] - _PLACES_IN_EIGHTH).min(axis=1) * 24
    return len(beats) >= _LEAST_NOTES and float(error.mean()) > _PERFORMED


def place(notes: Array, places: NDArray[np.int64]) -> Placed:
    """A part's notes with onsets on the nearest places.

    Args:
        notes: array of `NOTE` of one instrument.
        places: ticks at which notes may begin, and at last the end of the piece, rising.
    """
    placed = notes.copy()
    placed["onset"] = nearest(places[:-1], notes["onset"])
    placed["duration"] = np.maximum(
        1, notes["onset"].astype(np.int64) + notes["duration"] - placed["onset"]
    )
    placed = placed[np.lexsort([-placed["duration"], placed["pitch"], placed["onset"]])]
    same = (np.diff(placed["onset"]) == 0) & (np.diff(placed["pitch"].astype(np.int64)) == 0)
    moved = int(np.count_nonzero(nearest(places[:-1], notes["onset"]) != notes["onset"]))
    return Placed(placed[np.r_[True, ~same]] if len(placed) else placed, moved, int(same.sum()))


def ends_of(notes: Array, ruler: Ruler, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where notes of one staff end on paper, shape (notes,).

    A note that stops a little short of the next onset, or a little after it, ends there, since
    players shorten and slur what is written full; other ends go to the nearest beat, eighth or
    16th where one is near, else to the nearest place, but to no triplet where no note begins in
    one. Ends are after onsets.
    """
    starts = notes["onset"].astype(np.int64)
    ends = starts + notes["duration"]
    onsets = np.unique(starts)
    triplets = {ruler.unit(tick) for tick in onsets.tolist() if ruler.kind(tick) == "triplet"}
    spans = zip(starts.tolist(), ends.tolist(), strict=True)
    found = [_end(start, end, onsets, triplets, ruler, places) for start, end in spans]
    return np.array(found, dtype=np.int64)


def drum_ends(notes: Array, ruler: Ruler) -> NDArray[np.int64]:
    """Where drum hits end on paper: at the next one or with the beat, shape (notes,)."""
    starts = notes["onset"].astype(np.int64)
    onsets = np.r_[np.unique(starts), ruler.bars[-1].stop]
    following: NDArray[np.int64] = onsets[np.searchsorted(onsets, starts, side="right")]
    beats = np.array([bar.start + at for bar in ruler.bars for at in (*bar.beats, bar.length)])
    beat_ends: NDArray[np.int64] = beats[np.searchsorted(beats, starts, side="right")]
    ends: NDArray[np.int64] = np.minimum(following, beat_ends)
    return ends


def _end(
    start: int,
    end: int,
    onsets: NDArray[np.int64],
    triplets: set[int],
    ruler: Ruler,
    places: NDArray[np.int64],
) -> int:
    last = int(places[-1])
    bar = ruler.bars[ruler.index(min(end, last - 1))]
    at, duration = end - bar.start, end - start
    is_simple = at % _STEPS[-1] == 0 or (at % _THIRD == 0 and ruler.unit(end) in triplets)
    after = int(np.searchsorted(onsets, end))
    before = int(onsets[after - 1])
    if after < len(onsets):
        following = int(onsets[after])
        if following - end <= duration / (_TIGHT if is_simple else _LOOSE):
            return following
    if before > start and end - before < min(_OVERLAP, duration / _LOOSE):
        return before
    steps = [bar.start + round(at / step) * step for step in _STEPS]
    if not is_simple:
        end = next((near for near in steps if abs(near - end) <= duration / _NEAR), end)
    end = int(nearest(places, end))
    if ruler.kind(end) == "triplet" and ruler.unit(end) not in triplets:
        end = int(nearest(places, steps[-1]))
    return max(int(places[np.searchsorted(places, start, side="right")]), end)
