"""What of a file is music worth learning from: rejects, repairs, cuts into movements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from musenet.key import key_of
from musenet.score import (
    DEFAULT_BPM,
    Array,
    Score,
    bar_starts,
    crop,
    last_at_tick,
    note_ends,
    seconds_at,
)

MIN_NOTES = 16
"""Fewer notes are a fragment."""
MIN_SECONDS = 5.0
"""What is shorter is a fragment."""
MIN_PITCHES = 3
"""Fewer distinct notes (instrument and pitch) are a signal and no music."""
MAX_NOTES = 200_000
"""More notes are a picture in notes or a broken file."""
MAX_NOTES_A_SECOND = 200.0
"""Denser is the same."""
MIN_BPM, MAX_BPM = 10.0, 400.0
"""Tempi outside are nonsense and are left out."""
MAX_SILENCE = 30.0
"""Seconds of silence at which a file is cut in two."""

MIN_SUITE_SECONDS = 300.0
"""Shorter files are one movement."""
MIN_MOVEMENT_SECONDS = 90.0
"""No movement is cut shorter."""
TEMPO_CHANGE = 1.1
"""Ratio from which on a new tempo speaks for a new movement."""
BOUNDARY_POINTS = 3
"""Points that make the beginning of a movement, see `_boundaries`."""


class RejectedError(Exception):
    """A file or movement that is left out; its text is the reason."""


def clean(score: Score) -> list[Score]:
    """The movements of a file, each beginning with the bar of its first note.

    Raises:
        RejectedError: nothing of the file is kept.
    """
    _require(len(score.notes) > 0, "no notes")
    _require(len(score.notes) <= MAX_NOTES, f"over {MAX_NOTES} notes")
    sane = sane_tempos(score)
    movements = [trim(crop(sane, start, stop)) for start, stop in _spans(sane)]
    kept = [movement for movement in movements if fault(movement) is None]
    if not kept:
        raise RejectedError(fault(movements[0] if len(movements) == 1 else sane) or "fragments")
    return kept


def _require(condition: bool, reason: str) -> None:
    if not condition:
        raise RejectedError(reason)


def fault(score: Score) -> str | None:
    """Why a score is not worth keeping, None where it is."""
    if len(score.notes) < MIN_NOTES:
        return f"under {MIN_NOTES} notes"
    if len(np.unique(score.notes[["instrument", "pitch"]])) < MIN_PITCHES:
        return f"under {MIN_PITCHES} distinct notes"
    if score.seconds < MIN_SECONDS:
        return f"under {MIN_SECONDS:.0f} seconds"
    if len(score.notes) > MAX_NOTES_A_SECOND * score.seconds:
        return f"over {MAX_NOTES_A_SECOND:.0f} notes a second"
    return None


def sane_tempos(score: Score) -> Score:
    """The score without tempi that no music has.

    Raises:
        RejectedError: none of several tempi is sane.
    """
    bpm = score.tempos["bpm"]
    sane = np.isfinite(bpm) & (bpm >= MIN_BPM) & (bpm <= MAX_BPM)
    _require(len(bpm) < 2 or bool(sane.any()), "nonsense tempo map")
    return replace(score, tempos=last_at_tick(score.tempos[sane]))


def trim(score: Score) -> Score:
    """The score from the bar of its first note on."""
    if not len(score.notes):
        return score
    first = int(score.notes["onset"][0])
    bars = bar_starts(score, first + 1)
    start = int(bars[-1]) if len(bars) else 0
    return crop(score, start, score.end) if start > 0 else score


def _spans(score: Score) -> Iterator[tuple[int, int]]:
    """First and last tick of each stretch that stands as a piece of its own."""
    cuts = [0, *sorted(_silences(score) | set(_boundaries(score))), score.end]
    for start, stop in pairwise(cuts):
        if stop > start:
            yield start, stop


def _gaps(score: Score) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Onsets before which nothing sounds any more, and the tick at which it fell silent."""
    onset = score.notes["onset"].astype(np.int64)
    silent = np.maximum.accumulate(note_ends(score))
    free = np.flatnonzero((onset[1:] >= silent[:-1]) & (onset[1:] > onset[:-1]))
    return onset[free + 1], silent[free]


def _silences(score: Score) -> set[int]:
    onsets, silent = _gaps(score)
    long = seconds_at(score, onsets) - seconds_at(score, silent) > MAX_SILENCE
    return {int(tick) for tick in onsets[long]}


def _boundaries(score: Score) -> list[int]:
    """Ticks at which movements begin, the surest first kept where they are too close.

    A change of metre or tempo at which nothing sounds on, with points for a metre that changes
    (2), a tempo that does (1), a rest of a beat (1) or three (2) before, a key that differs (1).
    """
    total = score.seconds
    if total < MIN_SUITE_SECONDS:
        return []
    candidates = _candidates(score)
    kept = [0.0, total]
    chosen = []
    for _, tick in sorted(candidates, key=lambda c: (-c[0], c[1])):
        second = float(seconds_at(score, [tick])[0])
        if min(abs(second - other) for other in kept) >= MIN_MOVEMENT_SECONDS:
            kept.append(second)
            chosen.append(tick)
    return chosen


def _candidates(score: Score) -> list[tuple[int, int]]:
    """Points and tick of each likely beginning of a movement."""
    onsets, silent = _gaps(score)
    metres, tempos = _changes(score.metres), _changes(score.tempos)
    found = []
    for tick in sorted({*metres, *tempos}):
        place = int(np.searchsorted(onsets, tick))
        if place == len(onsets) or silent[place] > tick:
            continue
        rest = (onsets[place] - silent[place]) / score.ticks_per_beat
        points = 2 * (tick in metres) + (tempos.get(tick, 1.0) >= TEMPO_CHANGE)
        points += int(rest >= 1) + int(rest >= 3)
        if points >= BOUNDARY_POINTS - 1 and points + _key_changes(score, tick) >= BOUNDARY_POINTS:
            found.append((points, tick))
    return found


def _changes(changes: Array) -> dict[int, float]:
    """Ticks after the first at which a metre or tempo differs from the one before, with by how
    much (a ratio of at least 1; 2 for metres)."""
    if "bpm" not in (changes.dtype.names or ()):
        rows = changes[["numerator", "denominator"]]
        ticks = changes["tick"][1:][rows[1:] != rows[:-1]]
        return {int(tick): 2.0 for tick in ticks}
    ratio = np.abs(np.log(changes["bpm"][1:] / changes["bpm"][:-1]))
    pairs = zip(changes["tick"][1:], np.exp(ratio), strict=True)
    return {int(tick): float(by) for tick, by in pairs if by > 1.0}


def _key_changes(score: Score, tick: int) -> bool:
    """Whether 32 beats before and after are in different keys."""
    span = 32 * score.ticks_per_beat
    before, after = crop(score, max(0, tick - span), tick), crop(score, tick, tick + span)
    return key_of(before)[0] != key_of(after)[0]


def default_tempo(score: Score) -> bool:
    """Whether the score has no tempo but the default of MIDI."""
    return bool(np.all(np.abs(score.tempos["bpm"] - DEFAULT_BPM) < 0.01))
