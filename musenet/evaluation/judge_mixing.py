"""Human music of two styles at once, for the style judge to learn from and to be measured by.

Two windows are spliced, one after the other, or layered, the tune of one over the rest of the
other. The second is moved to the key that fits the first best, so that two keys give nothing away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from musenet.instruments import DRUMS
from musenet.judge import COLUMNS, HALF_BEAT, WINDOW, Heard, described, outermost
from musenet.key import fitting_shift
from musenet.score import TICKS_PER_BEAT

_INSTRUMENT, _PITCH, _WAIT, _TICK, _BEAT, _BAR = (
    COLUMNS.index(name)
    for name in ("instrument", "pitch", "wait", "tick in beat", "beat in bar", "bar")
)
_NOTE = [COLUMNS.index(name) for name in ("instrument", "pitch", "duration")]
_LEAST_TUNE, _LEAST_REST = 1 / 8, 1 / 4
"""Shares of a window's notes below which it has no tune, or nothing beside its tune."""
_LEAST_SHARE, _LEAST_NOTES = 0.1, 48
"""Share that each of two layers needs, and the notes that both need together."""
_TONES, _PITCHES = 12, 128


def spliced(first: Heard, second: Heard, share: float = 0.5) -> Heard:
    """The beginning of a window, then that of another: at most `WINDOW` notes.

    Args:
        first: notes, shape (notes, 10).
        second: likewise.
        share: of the notes that is the first's, between 0 and 1; the shorter sets the length.
    """
    notes = min(WINDOW, len(first) / share, len(second) / (1.0 - share))
    before = round(share * notes)
    return np.concatenate([first[:before], in_key_of(first, second)[: round(notes) - before]])


def layered(upper: Heard, lower: Heard) -> Heard | None:
    """The tune of one window over all but the tune of another, in the latter's bars.

    The tune are the highest notes of all moments. A window that is nearly all tune, or that has
    none, sounds whole.

    Returns:
        At most `WINDOW` notes, as long as both sound; None where next to nothing of one is left.
    """
    lower = in_key_of(upper, lower)
    high, low = _tune(upper), ~_tune(lower)
    high |= high.mean() < _LEAST_TUNE
    low |= low.mean() < _LEAST_REST
    rows = np.concatenate([upper[high], lower[low]])
    ticks = np.concatenate([_ticks(upper)[high], _ticks(lower)[low]])
    above = np.arange(len(rows)) < high.sum()
    order = np.lexsort((rows[:, _PITCH], rows[:, _INSTRUMENT], ticks))
    last = min(ticks[above].max(), ticks[~above].max())
    order = order[ticks[order] <= last][:WINDOW]
    share = above[order].mean() if len(order) else 0.0
    if len(order) < _LEAST_NOTES or not _LEAST_SHARE <= share <= 1.0 - _LEAST_SHARE:
        return None
    bar = np.full(len(order), HALF_BEAT * max(1, int(lower[0, _BAR])))
    return described(rows[order][:, _NOTE], ticks[order], ticks[order] % bar, bar)


def in_key_of(first: Heard, second: Heard) -> Heard:
    """The second's notes, moved by at most six semitones to where their tones fit the first's."""
    pitched = second[:, _INSTRUMENT] != DRUMS
    pitch = second[pitched, _PITCH]
    if not len(pitch):
        return second
    steps = [
        step for step in range(-_TONES // 2, _TONES // 2)
        if pitch.min() + step >= 0 and pitch.max() + step < _PITCHES
    ]  # fmt: skip
    moved = second.copy()
    moved[pitched, _PITCH] += fitting_shift(_tones(first), _tones(second), steps)
    return moved


def _tones(notes: Heard) -> NDArray[np.int64]:
    """How many notes there are of each pitch class, shape (12,)."""
    pitched = notes[:, _INSTRUMENT] != DRUMS
    return np.bincount(notes[pitched, _PITCH] % _TONES, minlength=_TONES)


def _tune(notes: Heard) -> NDArray[np.bool_]:
    return outermost(notes[:, _PITCH], _ticks(notes), notes[:, _INSTRUMENT] != DRUMS)


def _ticks(notes: Heard) -> NDArray[np.int64]:
    """When notes begin, the first at its place in the bar, shape (notes,)."""
    ticks = np.cumsum(notes[:, _WAIT])
    begins: NDArray[np.int64] = (
        ticks - ticks[0] + notes[0, _TICK] + TICKS_PER_BEAT * notes[0, _BEAT]
    )
    return begins
