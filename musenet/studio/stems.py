"""Sound an instrument, in segments that each are made on their own and join without a seam.

A segment is rendered from some seconds before it begins, so that what sounds into it is there;
longer notes are begun anew within that lead, where nobody hears it.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from musenet.midi import to_bytes
from musenet.rendering.audio import encode, synthesize
from musenet.rendering.resampling import resample
from musenet.score import (
    TEMPO,
    Score,
    note_ends,
    records,
    seconds_at,
)

SEGMENT = 6.0
"""Seconds from one segment to the next."""
OVERLAP = 0.02
"""Seconds that a segment is longer, to be faded."""
RATE = 44100
GAIN = 0.7
"""What players multiply stems by."""
_LEAD = 2.0
"""Seconds rendered before a segment and thrown away."""
_TAIL = 3.0
"""Seconds behind the last note."""
_LEVEL = 0.5
"""Channel volume, so that full chords do not clip."""
_PER_SECOND = 1000
"""Ticks a second of what is rendered."""


def segments_of(score: Score) -> int:
    """How many segments a piece has."""
    return math.ceil((score.seconds + _TAIL) / SEGMENT)


def silent_segments(score: Score, instrument: int) -> list[int]:
    """Segments in which an instrument neither plays nor dies away."""
    begin, end = _times(score, instrument)
    return [
        n for n in range(segments_of(score))
        if not ((begin < n * SEGMENT + SEGMENT + OVERLAP) & (end + _TAIL > n * SEGMENT)).any()
    ]  # fmt: skip


def segment(score: Score, instrument: int, number: int, soundfont: Path | None = None) -> bytes:
    """A segment of an instrument as a WAV file of stereo, 16 bits at `RATE`.

    Raises:
        UserError: the SoundFont cannot be used.
    """
    start = number * SEGMENT
    first = max(0.0, start - _LEAD)
    length = round((SEGMENT + OVERLAP) * RATE)
    part = _part(score, instrument, first, start + SEGMENT + OVERLAP)
    sound = np.zeros((length, 2), np.float32)
    if len(part.notes):
        made, rate = synthesize(to_bytes(part), level=_LEVEL, soundfont=soundfont)
        skip = round((start - first) * RATE)
        made = resample(made, rate, RATE)[skip : skip + length]
        sound[: len(made)] = made
    return encode(sound, RATE, ".wav")


def _times(score: Score, instrument: int) -> tuple[np.ndarray, np.ndarray]:
    own = score.notes["instrument"] == instrument
    begin = seconds_at(score, score.notes["onset"][own])
    return begin, seconds_at(score, note_ends(score)[own])


def _part(score: Score, instrument: int, first: float, stop: float) -> Score:
    """What an instrument plays between two times, in milliseconds from the first on."""
    begin, end = _times(score, instrument)
    notes = score.notes[score.notes["instrument"] == instrument].copy()
    heard = (end > first) & (begin < stop)
    onset = np.rint((begin.clip(first) - first) * _PER_SECOND).astype(int)
    until = np.rint((end.clip(first, stop + 1.0) - first) * _PER_SECOND).astype(int)
    notes["onset"], notes["duration"] = onset, np.maximum(1, until - onset)
    tempos = records(TEMPO, [(0, 60.0 * _PER_SECOND / 500)])
    order = np.argsort(onset[heard], kind="stable")
    return Score(notes[heard][order], tempos, ticks_per_beat=500)
