"""Windows: the part of a piece that the network sees at once.

Cropping in training and sliding while composing are this one function, so that the network
meets nothing new when a piece outgrows its context.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musenet.events import METRE_EVENT, TEMPO_EVENT, Table
from musenet.features import Moments, moments_of


@dataclass(frozen=True)
class Window:
    """Rows of a piece with their moments in the whole piece.

    Attributes:
        table: event rows; in a window that does not begin the piece the first `reminders`
            rows repeat the metre and tempo in force.
        moments: the state of time at each row.
        reminders: rows in front that are told and not predicted.
        begins: whether the window starts at the true beginning of the piece.
    """

    table: Table
    moments: Moments
    reminders: int
    begins: bool


def window(table: Table, start: int, stop: int) -> Window:
    """Rows `start` to `stop` of a piece, with metre and tempo in force in front.

    The reminders stand at the moment of the row before the window, with a wait of 0; a
    metre or tempo that has never been set is not repeated.
    """
    moments = moments_of(table[:stop])
    if start == 0:
        return Window(table[:stop], moments, 0, begins=True)
    in_force = [_last(table[:start], kind) for kind in (METRE_EVENT, TEMPO_EVENT)]
    front = [row for row in in_force if row >= 0]
    reminders = table[front].copy()
    reminders[:, 0] = 0
    places = np.r_[np.full(len(front), start - 1), np.arange(start, stop)].astype(np.int64)
    rows = np.concatenate([reminders, table[start:stop]])
    return Window(rows, moments.take(places), len(front), begins=False)


def _last(table: Table, kind: int) -> int:
    """The last row of a kind, or -1."""
    rows = np.flatnonzero(table[:, 1] == kind)
    return int(rows[-1]) if len(rows) else -1
