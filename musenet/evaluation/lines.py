"""Melodic lines: what of a piece stays the same in another key, tempo or orchestration.

The top note of each chord of each instrument makes a line; drums have none. A step of a line is
an interval in semitones and the ratio of two neighbouring inter-onset times in half octaves, so
that slightly uneven performances keep their ratios (Doraisamy and Rüger 2003 on n-grams of
intervals and ratios; Uitdenbogerd and Zobel 1999 on the top line).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.corpus.fingerprint import CHORD_TICKS
from musenet.events import REST, Table, decode, is_note
from musenet.instruments import DRUMS
from musenet.score import bar_starts, seconds_at

NONE = 255
"""The pitch that stands between two lines, and before the first and after the last."""
MAX_RATIO = 6
"""Ratios beyond eight times are as one."""
QUARTERS = 4
"""Parts of a second in which moments are told."""

NOTE = np.dtype(
    [("pitch", "u1"), ("ratio", "i1"), ("bar", "<u2"), ("moment", "<u2"), ("tick", "<i4"),
     ("instrument", "u1")]
)  # fmt: skip
"""A note of a line: MIDI pitch; the inter-onset time after it by that before it in half octaves,
0 for the first and the last of a line; its bar, from 1; its time in quarters of a second; its
tick, 24 a beat; its instrument."""

_BETWEEN = np.array([(NONE, 0, 0, 0, 0, 0)], dtype=NOTE)
_MOST = 65535


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines one after another.

    Attributes:
        notes: array of `NOTE` with one of pitch `NONE` between lines and at both ends.
        starts: place at which each piece begins, rising, shape (pieces,).
    """

    notes: NDArray[np.void]
    starts: NDArray[np.int64]


def read_lines(tables: Iterable[Table]) -> Lines:
    """The lines of pieces, a piece after the other and in it by instrument.

    Args:
        tables: event tables, shape (events, 5); read once.
    """
    pieces = [_BETWEEN, *map(_piece, tables)]
    starts = np.cumsum([len(piece) for piece in pieces[:-1]], dtype=np.int64)
    return Lines(np.concatenate(pieces), starts)


def _piece(table: Table) -> NDArray[np.void]:
    """The lines of a piece, `_BETWEEN` after each."""
    table = np.asarray(table)
    rows = np.flatnonzero(table[:, 1] < DRUMS)
    rows = rows[np.argsort(table[rows, 1], kind="stable")]
    part, tick = table[rows, 1], np.cumsum(table[:, 0], dtype=np.int64)[rows]
    new = (np.diff(part, prepend=DRUMS) != 0) | (np.diff(tick, prepend=0) > CHORD_TICKS)
    first = np.flatnonzero(new)
    notes = np.zeros(len(first), dtype=NOTE)
    if not len(first):
        return notes
    notes["pitch"] = np.maximum.reduceat(table[rows, 2], first)
    notes["tick"], notes["instrument"] = tick[first], part[first]
    last = np.append(np.diff(notes["instrument"]) != 0, True)
    notes["ratio"] = _ratios(tick[first], last)
    notes["bar"], notes["moment"] = _clock(table, tick[first])
    return np.insert(notes, np.flatnonzero(last) + 1, _BETWEEN)


def _ratios(tick: NDArray[np.int64], last: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Ratios of inter-onset times in half octaves, 0 at both ends of a line."""
    after = 2 * np.log2(np.maximum(1, np.diff(tick, append=tick[-1])))
    ratio = np.rint(np.diff(after, prepend=after[0]))
    ratio[last] = 0
    ratio[1:][last[:-1]] = 0
    return ratio.clip(-MAX_RATIO, MAX_RATIO).astype(np.int64)


def _clock(table: Table, tick: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The bar, from 1, and the time in quarters of a second of each tick."""
    silent = table.copy()
    silent[is_note(table), 1] = REST
    clock = decode(silent)
    bars = bar_starts(clock, int(tick.max()) + 1)
    bar = np.searchsorted(bars, tick, side="right")
    return bar.clip(0, _MOST), (seconds_at(clock, tick) * QUARTERS).clip(0, _MOST)
