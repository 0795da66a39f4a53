"""Melody fingerprints: what two editions, keys or arrangements of a tune have in common.

The top line of each instrument is read as a chain of intervals without repeated notes, and
hashed in overlapping runs (shingles, Broder 1997). Transposition, tempo, rhythm and the number
of syllables on a note do not change it.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from musenet.events import Table
from musenet.instruments import DRUMS

INTERVALS = 12
"""Intervals in a shingle."""
MIN_DISTINCT = 7
"""Shingles with fewer different pairs of intervals are left out: scales, trills, broken chords."""
CHORD_TICKS = 2
"""Onsets at most this far apart belong to one chord."""

Shingles = NDArray[np.uint32]
"""Rising, without repetition."""

_PRIME = np.uint64(0x9E3779B97F4A7C15)


def fingerprint(table: Table) -> Shingles:
    """The shingles of a piece.

    Args:
        table: event table, shape (events, 5).
    """
    ticks = np.cumsum(table[:, 0].astype(np.int64))
    found = [np.zeros(0, dtype=np.uint32)]
    for instrument in np.unique(table[:, 1]):
        if instrument < DRUMS:
            part = table[:, 1] == instrument
            found.append(_shingles(_top_line(ticks[part], table[part, 2].astype(np.int64))))
    return np.unique(np.concatenate(found))


def _top_line(ticks: NDArray[np.int64], pitches: NDArray[np.int64]) -> NDArray[np.int64]:
    """The highest pitch of each chord, repeated pitches once."""
    starts = np.flatnonzero(np.diff(ticks, prepend=ticks[0] - CHORD_TICKS - 1) > CHORD_TICKS)
    line = np.maximum.reduceat(pitches, starts)
    return line[np.r_[True, np.diff(line) != 0]]


def _shingles(line: NDArray[np.int64]) -> NDArray[np.uint32]:
    if len(line) <= INTERVALS:
        return np.zeros(0, dtype=np.uint32)
    intervals = np.diff(line)
    pairs = intervals[1:] * 256 + intervals[:-1]
    ordered = np.sort(np.lib.stride_tricks.sliding_window_view(pairs, INTERVALS - 1), axis=1)
    distinct = 1 + (np.diff(ordered, axis=1) != 0).sum(axis=1)
    hashed = np.zeros(len(ordered), dtype=np.uint64)
    for step in range(INTERVALS):
        hashed = hashed * _PRIME + intervals[step : step + len(ordered)].astype(np.uint64)
    hashed = (hashed ^ (hashed >> np.uint64(29))) * _PRIME
    result: Shingles = (hashed >> np.uint64(32)).astype(np.uint32)[distinct >= MIN_DISTINCT]
    return result


def digests(table: Table) -> tuple[int, int]:
    """Digests of 64 bits of the table, and of its notes without velocity and transposition."""
    bare = table[table[:, 1] <= DRUMS].copy()
    pitched = bare[:, 1] < DRUMS
    lowest = bare[pitched, 2].min(initial=127)
    bare[pitched, 2] -= lowest
    bare[:, 4] = 0
    ticks = np.cumsum(table[:, 0].astype(np.int64))[table[:, 1] <= DRUMS]
    bare[:, 0] = 0
    onsets = np.ascontiguousarray(ticks - ticks[:1]).astype("<i8")
    return _digest(table.tobytes()), _digest(onsets.tobytes() + bare.tobytes())


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
