"""Windows: the part of a piece that the network sees at once.

Cropping in training and sliding while composing are this one function, so that the network
meets nothing new when a piece outgrows its context.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.echoes import Echoes, echoes, no_echoes
from musenet.events import METRE_EVENT, TEMPO_EVENT, Table
from musenet.features import Moments, moments_of


@dataclass(frozen=True)
class Window:
    """Rows of a piece with their moments in the whole piece.

    Attributes:
        table: event rows; in a window that does not begin the piece the first `reminders`
            rows repeat the metre and tempo in force.
        moments: the state of time at each row.
        echoes: of each row, those of reminders being none.
        reminders: rows in front that are told and not predicted.
        begins: whether the window starts at the true beginning of the piece.
    """

    table: Table
    moments: Moments
    echoes: Echoes
    reminders: int
    begins: bool


def window(table: Table, start: int, stop: int, seen: NDArray[np.bool_] | None = None) -> Window:
    """Rows `start` to `stop` of a piece, with metre and tempo in force in front.

    The reminders stand at the moment of the row before the window, with a wait of 0; a
    metre or tempo that has never been set is not repeated.

    Args:
        table: the piece.
        start: first row.
        stop: row behind the last.
        seen: which rows of the piece are in the window at all, shape (rows,); by default all.
    """
    rows = np.arange(start, stop)
    if seen is not None:
        rows = rows[seen[start:stop]]
    first = int(rows[0]) if len(rows) else stop
    moments, heard = moments_of(table[:stop]), echoes(table, start, stop, seen)
    if first == 0:
        return Window(table[rows], moments.take(rows), heard, 0, begins=True)
    in_force = [_last(table[:first], kind) for kind in (METRE_EVENT, TEMPO_EVENT)]
    front = [row for row in in_force if row >= 0]
    reminders = table[front].copy()
    reminders[:, 0] = 0
    places = np.r_[np.full(len(front), first - 1), rows].astype(np.int64)
    table = np.concatenate([reminders, table[rows]])
    heard = np.concatenate([no_echoes(len(front)), heard])
    return Window(table, moments.take(places), heard, len(front), begins=False)


def _last(table: Table, kind: int) -> int:
    """The last row of a kind, or -1."""
    rows = np.flatnonzero(table[:, 1] == kind)
    return int(rows[-1]) if len(rows) else -1
