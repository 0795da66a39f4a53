"""Given notes, placed ahead of time, for accompaniment and for filling in.

The notes of given parts stand in the sequence earlier than they sound, among the events that
they are to be heard with later, so that what is composed can prepare for them (Anticipatory
Music Transformer, Thickstun et al., 2023). Their features are those of the moment at which
they sound, with a mark; only that no other event came before them counts in the loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.events import REST, Table, is_note, spaced
from musenet.instruments import DRUMS
from musenet.score import TICKS_PER_BEAT

AHEAD = 8 * TICKS_PER_BEAT
"""Ticks by which given notes stand ahead of their sound: eight beats, about five seconds."""


@dataclass(frozen=True)
class Anticipated:
    """A table whose given notes stand ahead of time.

    Attributes:
        table: rows in the order in which they are read.
        given: which of them are given, shape (rows,).
        lead: ticks from where a given note stands to where it sounds, 0 for others.
    """

    table: Table
    given: NDArray[np.bool_]
    lead: NDArray[np.int64]

    def take(self, start: int, stop: int) -> Anticipated:
        """Rows `start` to `stop`."""
        rows = slice(start, stop)
        return Anticipated(self.table[rows], self.given[rows], self.lead[rows])


def anticipated(table: Table, given: NDArray[np.bool_]) -> Anticipated:
    """A piece with the notes chosen by `given`, shape (rows,), moved ahead of time.

    At one tick given notes stand before all other events. Rests are made anew.
    """
    kept = table[:, 1] != REST
    ticks, given = np.cumsum(table[:, 0], dtype=np.int64)[kept], (given & is_note(table))[kept]
    at = np.where(given, np.maximum(0, ticks - AHEAD), ticks)
    order = np.lexsort((~given, at))
    rows = spaced(table[kept][order].astype(np.int64), at[order])
    marks = np.zeros(len(rows), dtype=bool)
    lead = np.zeros(len(rows), dtype=np.int64)
    places = np.flatnonzero(rows[:, 1] != REST)
    marks[places], lead[places] = given[order], (ticks - at)[order]
    return Anticipated(rows, marks, lead)


def chosen_parts(table: Table, rng: np.random.Generator) -> NDArray[np.bool_]:
    """All notes of some of the instruments, or none if there is but one, shape (rows,)."""
    players = np.unique(table[is_note(table), 1])
    if len(players) < 2:
        return np.zeros(len(table), dtype=bool)
    some = rng.choice(players, size=int(rng.integers(1, len(players))), replace=False)
    result: NDArray[np.bool_] = np.isin(table[:, 1], some) & is_note(table)
    return result


def melody(table: Table) -> NDArray[np.bool_]:
    """The highest pitched note that begins at each tick, shape (rows,)."""
    ticks = np.cumsum(table[:, 0], dtype=np.int64)
    pitched = np.flatnonzero(table[:, 1] < DRUMS)
    order = pitched[np.lexsort((table[pitched, 2], ticks[pitched]))]
    highest = np.r_[ticks[order][1:] != ticks[order][:-1], np.ones(min(1, len(order)), dtype=bool)]
    result = np.zeros(len(table), dtype=bool)
    result[order[highest]] = True
    return result


def passages(
    table: Table, rng: np.random.Generator, beats: tuple[int, int] = (4, 48)
) -> NDArray[np.bool_]:
    """Every note of every second passage of random length, shape (rows,).

    Args:
        table: the piece.
        rng: source of the lengths.
        beats: shortest and longest passage.
    """
    ticks = np.cumsum(table[:, 0], dtype=np.int64)
    shortest, longest = TICKS_PER_BEAT * beats[0], TICKS_PER_BEAT * beats[1]
    most = int(ticks[-1]) // shortest + 2
    edges = np.cumsum(rng.integers(shortest, longest + 1, size=most))
    result: NDArray[np.bool_] = np.searchsorted(edges, ticks, side="right") % 2 == 1
    return result & is_note(table)


def drawn(table: Table, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Given notes as users have them: parts, a melody or the passages around gaps, (rows,).

    Where that would be all of the notes, none is given.
    """
    note = is_note(table)
    several = len(np.unique(table[note, 1])) > 1
    where = rng.random()
    if several and where < 0.5:
        return chosen_parts(table, rng)
    chosen = melody(table) if where < 0.7 else passages(table, rng)
    return chosen & ((note & ~chosen).any())
