"""Names of pitches: which of C sharp and D flat stands on the page.

Pitches are places on the line of fifths (… F, C, G, D …; C is 0), of which a key uses twelve next
to each other (Temperley, The Cognition of Basic Musical Structures, 2001, chapter 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.instruments import DRUMS
from musenet.key import NO_KEY, keys_of
from musenet.rendering.notation.bars import Bar
from musenet.score import Score

_LETTERS = "FCGDAEB"
_LOWEST_IN_MAJOR, _LOWEST_IN_MINOR = -3, -2
_SEVENTH, _LEADING_NOTE = 5, 8
_MOST_FIFTHS = 7
_AROUND = 2


@dataclass(frozen=True)
class Pitch:
    """A written pitch: letter, semitones that accidentals raise it by, octave (4 from middle C)."""

    step: str
    alter: int
    octave: int


def spell(pitch: int, lowest: int) -> Pitch:
    """The name of a MIDI pitch, from twelve places of the line of fifths from `lowest` up."""
    place = lowest + (7 * pitch - lowest) % 12
    letter, alter = (place + 1) % 7, (place + 1) // 7
    return Pitch(_LETTERS[letter], alter, (pitch - alter) // 12 - 1)


def key_fifths(key: int) -> int:
    """Sharps (or, negative, flats) of a key id's signature, -6 to 6; 0 for none."""
    if key == NO_KEY:
        return 0
    tonic = key % 12 + (3 if key >= 12 else 0)
    fifths = (7 * tonic + 5) % 12 - 5
    return -6 if key >= 12 and fifths == 6 else fifths


def lowest_of_bars(score: Score, bars: Sequence[Bar], key: int) -> list[int]:
    """The lowest place on the line of fifths in use in each bar.

    It follows the key of the bars around, written as near as may be to the key of the piece.
    """
    weights = _weights(score, bars)
    sums = np.cumsum(np.vstack([np.zeros((1, 12)), weights]), axis=0)
    index = np.arange(len(bars))
    low, high = np.maximum(0, index - _AROUND), np.minimum(len(bars), index + _AROUND + 1)
    local, _ = keys_of(sums[high] - sums[low])
    return [_lowest(int(found), key) for found in local]


def _lowest(local: int, key: int) -> int:
    """The places of the key of the piece, moved just so far that the scale in use is there."""
    home = key_fifths(key)
    start = home + (_LOWEST_IN_MINOR if _is_minor(key) else _LOWEST_IN_MAJOR)
    if local == NO_KEY:
        return start
    fifths = key_fifths(local)
    fifths += 12 * round((home - fifths) / 12)
    if abs(fifths) > _MOST_FIFTHS:
        fifths -= 12 if fifths > 0 else -12
    top = fifths + (_LEADING_NOTE if _is_minor(local) else _SEVENTH)
    return min(max(start, top - 11), fifths - 1)


def _is_minor(key: int) -> bool:
    return NO_KEY > key >= 12


def _weights(score: Score, bars: Sequence[Bar]) -> NDArray[np.float64]:
    """How long each pitch class sounds of the notes that begin in each bar, shape (bars, 12)."""
    notes = score.notes[score.notes["instrument"] != DRUMS]
    starts = np.array([bar.start for bar in bars])
    bar = np.searchsorted(starts, notes["onset"], side="right") - 1
    weights = np.zeros((len(bars), 12))
    np.add.at(weights, (bar, notes["pitch"] % 12), notes["duration"])
    return weights
