"""Repetition: bars that resemble earlier ones, loops, and instruments that are stuck."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from musenet.analysis.arrays import Bars, BarSets, bar_sets, mean
from musenet.instruments import DRUMS, instrument_id
from musenet.score import Array, Score, seconds_at

LAGS = (1, 2, 4, 8)
"""Bars between those that are compared."""
DRUM_LAGS = (1, 2)
"""The same for patterns of drums, most of which are one or two bars long."""
GRID = 4
"""Parts of a beat to which onsets are rounded before bars are compared for similarity."""
STUCK_NOTES = 8
"""So many successive notes of an instrument with at most two distinct pitches are stuck."""
STUCK_GAP = 4
"""More beats than this from note to note are a rest that ends being stuck."""
PERCUSSION = tuple(map(instrument_id, ("timpani", "percussion", "sound effects", "drums")))
"""Instruments for which few pitches are no fault."""


def repetition(score: Score, bars: Bars) -> dict[str, float]:
    """Groove consistency, self-similarity by bar, loops, and notes that are stuck.

    Args:
        score: any score.
        bars: its bars.
    """
    similar, beaten = similarity_sets(score, bars), drum_sets(score, bars)
    return {
        "groove_consistency": groove_consistency(bars),
        **{f"similarity_{lag}": similarity(similar, lag) for lag in LAGS},
        **{f"drum_similarity_{lag}": similarity(beaten, lag) for lag in DRUM_LAGS},
        "longest_loop": longest_loop(score, bars),
        **stuck(score),
    }


def groove_consistency(bars: Bars) -> float:
    """1 - mean Hamming distance of the onsets of successive bars of one length.

    As Wu and Yang (2020): a bar is a binary vector with an entry a tick, 1 where any note begins.
    NaN without two such bars.
    """
    onsets = bar_sets(bars.of, bars.place, len(bars))
    differing = onsets.counts[:-1] + onsets.counts[1:] - 2 * onsets.shared(1)
    alike = bars.lengths[:-1] == bars.lengths[1:]
    return 1 - mean(differing[alike] / bars.lengths[:-1][alike])


def similarity_sets(score: Score, bars: Bars) -> BarSets:
    """The (sixteenth in bar, pitch class) pairs of each bar; drums are left out."""
    kept = score.notes["instrument"] != DRUMS
    place = _sixteenths(score, bars)[kept]
    return bar_sets(bars.of[kept], 12 * place + score.notes["pitch"][kept] % 12, len(bars))


def drum_sets(score: Score, bars: Bars) -> BarSets:
    """The (sixteenth in bar, drum) pairs of each bar."""
    kept = score.notes["instrument"] == DRUMS
    place = _sixteenths(score, bars)[kept]
    return bar_sets(bars.of[kept], 128 * place + score.notes["pitch"][kept], len(bars))


def _sixteenths(score: Score, bars: Bars) -> NDArray[np.int64]:
    return np.floor(bars.place * GRID / score.ticks_per_beat + 0.5).astype(np.int64)


def similarity(sets: BarSets, lag: int) -> float:
    """Mean Jaccard index of the sets of bars that lie `lag` bars apart; two empty ones left out.

    After the similarity of bars of Yu et al. (Museformer, 2022).
    """
    shared = sets.shared(lag)
    union = sets.counts[: len(shared)] + sets.counts[lag:][: len(shared)] - shared
    return mean(shared[union > 0] / union[union > 0])


def longest_loop(score: Score, bars: Bars) -> float:
    """Most successive bars that repeat exactly those 1, 2, 4 or 8 bars before.

    Exactly: same instruments, pitches and onsets. Empty bars break a loop, and so many bars as
    lie between must repeat. 0 where nothing does.
    """
    if not len(bars):
        return math.nan
    what = bar_digests(score, bars)
    runs = [(lag, _longest_run((what[lag:] == what[:-lag]) & (what[lag:] != 0))) for lag in LAGS]
    return float(max((run for lag, run in runs if run >= lag), default=0))


def bar_digests(score: Score, bars: Bars) -> NDArray[np.uint64]:
    """A number for what begins in each bar (instruments, pitches, onsets), 0 for an empty one."""
    notes = score.notes
    member = (bars.place << 16) | notes["instrument"].astype(np.int64) << 8 | notes["pitch"]
    digests = np.zeros(len(bars), dtype=np.uint64)
    np.add.at(digests, bars.of, _mixed(member.astype(np.uint64)))
    return digests


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers made random-like, equal ones alike (SplitMix64 of Steele et al., 2014)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: NDArray[np.uint64] = mixed ^ (mixed >> np.uint64(31))
    return result


def _longest_run(true: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.r_[False, true, False]))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def stuck(score: Score) -> dict[str, float]:
    """Share of notes that are stuck, and the longest time that an instrument is.

    A note is stuck that belongs to eight successive notes of its instrument with at most two
    distinct pitches; drums, timpani and other percussion are left out. The time, in seconds, is
    that of successive notes of an instrument that are all stuck, each at most four beats after
    the one before, from the onset of the first to the end of the last; 0 for none.
    """
    notes = score.notes[~np.isin(score.notes["instrument"], PERCUSSION)]
    notes = notes[np.argsort(notes["instrument"], kind="stable")]
    if not len(notes):
        return {"stuck": math.nan, "longest_stuck": math.nan}
    marked = stuck_notes(notes)
    onset = notes["onset"].astype(np.int64)
    parted = np.diff(onset) > STUCK_GAP * score.ticks_per_beat
    parted |= notes["instrument"][1:] != notes["instrument"][:-1]
    first = marked & np.r_[True, parted | ~marked[:-1]]
    last = marked & np.r_[parted | ~marked[1:], True]
    lasts = seconds_at(score, (onset + notes["duration"])[last]) - seconds_at(score, onset[first])
    return {"stuck": mean(marked), "longest_stuck": float(lasts.max(initial=0.0))}


def stuck_notes(notes: Array) -> NDArray[np.bool_]:
    """Which notes are stuck, given those of each instrument together and in order of onset."""
    marked = np.zeros(len(notes) + 1, dtype=np.int64)
    if len(notes) >= STUCK_NOTES:
        pitch = sliding_window_view(notes["pitch"], STUCK_NOTES)
        low, high = pitch.min(axis=1, keepdims=True), pitch.max(axis=1, keepdims=True)
        one = notes["instrument"][: len(pitch)] == notes["instrument"][STUCK_NOTES - 1 :]
        runs = ((pitch == low) | (pitch == high)).all(axis=1) & one
        marked[: len(pitch)] += runs
        marked[STUCK_NOTES:][: len(pitch)] -= runs
    result: NDArray[np.bool_] = np.cumsum(marked)[:-1] > 0
    return result
