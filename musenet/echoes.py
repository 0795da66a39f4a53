"""Echoes: what would come next if the music went on repeating an earlier passage.

This is the match model of compressors (PAQ; Mahoney, 2005) in musical time. A note that comes where
the passage so many bars earlier has it is a hit; for each row the lag with the most hits lately is
taken, and the note that follows in that passage is told, with how well the two have gone together.
Attention finds such a note as well, but not for how long all has been repeated, which tells whether
it will be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.events import FIELDS, MAX_WAIT, METRE_EVENT, NO_PITCH, REST, SIZES, Table, is_note
from musenet.events import to_ids as ids_of
from musenet.features import BAR_TICKS, COLUMNS, DEFAULT_BAR_TICKS, FEATURE_SIZES

Echoes = NDArray[np.int32]
"""Shape (rows, `WIDTH`), columns as in `ECHOES`, then the fields of the notes `PHRASES` ago."""
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ECHOES = ("echo lag", "echo run", "echo hits", *(f"echo {field}" for field in FIELDS))
LAGS = 32
"""Bars of the longest lag."""
RECENT = 16
"""Notes of which hits are counted."""
RUNS: Ints = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64])
"""Lengths of runs of hits that are told apart."""
ECHO_SIZES = (LAGS + 1, len(RUNS) + 1, RECENT + 1, *SIZES)
"""Ids of each column."""
ROW_COLUMNS, ROW_SIZES = COLUMNS + ECHOES, FEATURE_SIZES + ECHO_SIZES
"""What the trunk is told of a row: the features of its moment, then its echo."""
PHRASES = (8, 4)
"""Bars after which passages come again more often than after others: what stood so long ago is told
whether there were hits or not, to be copied (`copying`)."""
_NO_NOTE = (MAX_WAIT, REST, NO_PITCH, 0, 0)
NO_ECHO = (0, 0, 0, *_NO_NOTE, *_NO_NOTE * len(PHRASES))
"""Nothing is repeated."""
WIDTH = len(NO_ECHO)
_COUNTS, _LONGEST = len(ECHOES) - len(FIELDS), int(RUNS[-1])
_LAGS: Ints = np.arange(1, LAGS + 1)
_PART, _TICK = 256, 64 * 256
"""Notes stand in order of tick, instrument and pitch: as one number, an instrument and a tick are
worth so much."""
_NOWHERE = -1


def echoes(
    table: Table, start: int = 0, stop: int | None = None, seen: Bools | None = None
) -> Echoes:
    """The echoes of some rows of a piece, each from the rows up to it.

    Args:
        table: the piece, shape (rows, 5).
        start: first row.
        stop: row behind the last; by default all.
        seen: which rows there are at all, shape (rows,); by default all.

    Returns:
        Those of the rows that are seen.
    """
    table = table[:stop]
    kept = np.ones(len(table), dtype=np.bool_)
    if seen is not None:
        kept[: len(seen)] = seen[: len(table)]
    piece = _Piece.of(table, kept)
    follows = _follow(piece, start)
    if not len(piece.notes):
        return no_echoes(len(follows.rows))[follows.rows >= start]
    notes = piece.notes[follows.next]
    due = piece.places[notes] // _TICK + piece.bars[follows.rows, None] * _LAGS
    ticks = (piece.places[follows.rows] + 1) // _TICK
    return _told(follows, piece.ids[notes], ticks, due)[follows.rows >= start]


def no_echoes(rows: int) -> Echoes:
    """Nothing is repeated in so many rows."""
    return np.tile(np.array(NO_ECHO, dtype=np.int32), (rows, 1))


@dataclass(frozen=True)
class _Piece:
    """A piece as numbers.

    Attributes:
        ids: of all rows, shape (rows, 5).
        places: where they stand: the number of a note, or of just before the notes of a tick.
        bars: ticks of the bar in force after each row, shape (rows,).
        kept: rows that are seen, ascending.
        notes: those among them that are notes.
    """

    ids: Ints
    places: Ints
    bars: Ints
    kept: Ints
    notes: Ints

    @classmethod
    def of(cls, table: Table, kept: Bools) -> _Piece:
        notes = is_note(table)
        ticks = np.cumsum(table[:, 0], dtype=np.int64)
        metres = np.flatnonzero(table[:, 1] == METRE_EVENT)
        lengths = np.r_[DEFAULT_BAR_TICKS, BAR_TICKS[table[metres, 2]]]
        bars = lengths[np.searchsorted(metres, np.arange(len(table)), side="right")]
        return cls(
            ids_of(table), _places(table, ticks), bars, np.flatnonzero(kept),
            np.flatnonzero(notes & kept),
        )  # fmt: skip


@dataclass(frozen=True)
class _Follows:
    """How rows go together with what stood each lag before them, n rows.

    Attributes:
        rows: which they are, shape (n,).
        next: the note that follows each lag before them, among the notes, shape (n, `LAGS`);
            `_NOWHERE` if there is none.
        hits: whether they are the notes that were to follow, shape (n, `LAGS`).
        run: hits since the last note that is none, shape (n, `LAGS`).
        recent: hits among the last `RECENT` notes, shape (n, `LAGS`).
    """

    rows: Ints
    next: Ints
    hits: Bools
    run: Ints
    recent: Ints

    def score(self) -> Ints:
        """How well they go together, 0 where nothing follows, shape (n, `LAGS`)."""
        return np.where(self.next == _NOWHERE, 0, self.run + self.recent)


def _follow(piece: _Piece, start: int) -> _Follows:
    """Follow a piece from a row on, and as far before it as tells how well that goes."""
    before = int(np.searchsorted(piece.notes, start))
    earliest = piece.notes[max(0, before - _LONGEST - 1)] if before else 0
    rows = piece.kept[piece.kept >= min(earliest, start)]
    places, lags = piece.places[rows], piece.bars[rows, None] * _LAGS
    known = np.searchsorted(piece.notes, rows, side="right")
    if not len(piece.notes):
        nothing = np.zeros(lags.shape, dtype=np.int64)
        return _Follows(rows, nothing - 1, nothing > 0, nothing, nothing)
    following = _following(piece.places[piece.notes], places[:, None], lags, known[:, None])
    due = piece.places[piece.notes[following]] + lags * _TICK
    is_here = np.isin(rows, piece.notes, assume_unique=True)
    hits = np.zeros(following.shape, dtype=np.bool_)
    hits[1:] = (following[:-1] != _NOWHERE) & (due[:-1] == places[1:, None]) & is_here[1:, None]
    own = hits[is_here]
    of_note = np.maximum(np.cumsum(is_here) - 1, 0)
    run, recent = (each[of_note] * (np.cumsum(is_here) > 0)[:, None] for each in _counted(own))
    return _Follows(rows, following, hits, run, recent)


def _counted(hits: Bools) -> tuple[Ints, Ints]:
    """Runs of hits up to each note, and hits among the last notes, shapes as theirs."""
    total = np.cumsum(hits, axis=0, dtype=np.int64)
    missed = np.maximum.accumulate(np.where(hits, 0, total), axis=0)
    recent = total.copy()
    recent[RECENT:] -= total[:-RECENT]
    return np.minimum(total - missed, _LONGEST), recent


def _following(notes: Ints, places: Ints, lags: Ints, known: Ints) -> Ints:
    """Which note follows what stands a lag before a place, `_NOWHERE` if there is none yet.

    In the bar before a whole lag has gone by it is the first note of all. At its own tick an
    instrument has no more notes to follow than it had there: one that plays another note in place
    of the only one goes on behind it.

    Args:
        notes: places of the notes of a piece, ascending.
        places: from where.
        lags: ticks of one bar and more, shape (…, `LAGS`).
        known: how many notes there are by then.
    """
    earlier = places - lags * _TICK
    if not len(notes):
        return np.full(earlier.shape, _NOWHERE)
    following = np.searchsorted(notes, earlier, side="right")
    there = (earlier >= -lags[..., :1] * _TICK) & (following < known)
    part = earlier // _PART
    same = there & (notes[np.minimum(following, len(notes) - 1)] // _PART == part)
    played = known - np.searchsorted(notes, places // _PART * _PART)
    first, end = (np.searchsorted(notes, (part[same] + more) * _PART) for more in (0, 1))
    over = np.broadcast_to(played, same.shape)[same] >= end - first
    following[same] = np.where(over, end, following[same])
    return np.where(there & (following < known), following, _NOWHERE)


def _places(rows: Table, ticks: Ints) -> Ints:
    """Where rows stand at some ticks, as one number each."""
    within = rows[..., 1].astype(np.int64) * _PART + rows[..., 2]
    places: Ints = ticks * _TICK + np.where(is_note(rows), within, -1)
    return places


def _told(follows: _Follows, ids: Ints, ticks: Ints, due: Ints) -> Echoes:
    """Echoes of rows, shape (n, `WIDTH`).

    Args:
        follows: how they go together with what stood before them.
        ids: of the notes that are to follow at each lag, shape (n, `LAGS`, 5).
        ticks: when the rows are, shape (n,).
        due: when those notes would come, shape (n, `LAGS`).
    """
    each, score = np.arange(len(ticks)), follows.score()
    best = score.argmax(axis=1)
    run, recent = follows.run[each, best], follows.recent[each, best]
    runs = np.searchsorted(RUNS, run, side="right")
    counted = np.where(
        (score[each, best] > 0)[:, None], np.stack([_LAGS[best], runs, recent], axis=1), 0
    )
    told = np.tile(np.array(NO_ECHO, dtype=np.int32), (len(ticks), 1))
    told[:, :_COUNTS] = counted
    places = [best, *(np.full(len(ticks), lag - 1) for lag in PHRASES)]
    for pointer, lag in enumerate(places):
        wait = due[each, lag] - ticks
        there = (follows.next[each, lag] != _NOWHERE) & (wait <= MAX_WAIT)  # else a rest is first
        if pointer == 0:
            there &= counted[:, 0] > 0
        note = np.concatenate([wait[:, None], ids[each, lag, 1:]], axis=1)
        begin = _COUNTS + len(FIELDS) * pointer
        told[there, begin : begin + len(FIELDS)] = note[there]
    return told


class Listener:
    """The echoes of candidates that grow in step, row by row: those of `echoes`, for less."""

    def __init__(self, tables: Sequence[Table], seen: Bools | None = None) -> None:
        """Hear what candidates begin with, all equally long, shape (rows, 5) each.

        Args:
            tables: of the candidates.
            seen: which of the rows there are at all, shape (rows,); by default all.
        """
        kept = np.ones(len(tables[0]), dtype=np.bool_)
        if seen is not None:
            kept[: len(seen)] = seen
        count, length = len(tables), len(tables[0])
        self._notes: Ints = np.zeros((count, 2 * length + 1024), dtype=np.int64)
        self._ids: Ints = np.zeros((*self._notes.shape, 5), dtype=np.int64)
        self._known: Ints = np.zeros(count, dtype=np.int64)
        self._tick = np.array([table[:, 0].sum(dtype=np.int64) for table in tables])
        self._bar: Ints = np.full(count, DEFAULT_BAR_TICKS)
        shape = count, LAGS
        self._due: Ints = np.full(shape, _NOWHERE, dtype=np.int64)
        self._run, self._recent = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        self._hits: Bools = np.zeros((count, RECENT, LAGS), dtype=np.bool_)
        for place, table in enumerate(tables):
            self._hear(place, _Piece.of(table, kept))

    def _hear(self, place: int, piece: _Piece) -> None:
        """What one candidate begins with."""
        self._known[place] = known = len(piece.notes)
        self._notes[place, :known] = piece.places[piece.notes]
        self._ids[place, :known] = piece.ids[piece.notes]
        if not len(piece.kept):
            return
        self._bar[place] = piece.bars[-1]
        follows = _follow(piece, int(piece.kept[-1]))
        last = follows.next[-1]
        due = self._notes[place, last] + self._bar[place] * _LAGS * _TICK
        self._due[place] = np.where(last == _NOWHERE, _NOWHERE, due)
        self._run[place], self._recent[place] = follows.run[-1], follows.recent[-1]
        heard = follows.hits[np.isin(follows.rows, piece.notes)][-RECENT:]
        self._hits[place, (np.arange(known - len(heard), known)) % RECENT] = heard

    def append(self, rows: Table) -> Echoes:
        """The echoes of the next row of each candidate, (candidates, 5)."""
        each = np.arange(len(rows))
        self._tick += rows[:, 0]
        metres = rows[:, 1] == METRE_EVENT
        if metres.any():
            self._bar[metres] = BAR_TICKS[rows[metres, 2]]
        places, notes = _places(rows, self._tick), is_note(rows)
        self._count(places, notes)
        self._take_down(rows, places, notes)
        lags = self._bar[:, None] * _LAGS
        following = np.stack([
            _following(self._notes[i, : self._known[i]], places[i], lags[i], self._known[i])
            for i in each
        ])  # fmt: skip
        due = self._notes[each[:, None], following] + lags * _TICK
        self._due = np.where(following == _NOWHERE, _NOWHERE, due)
        follows = _Follows(each, following, self._hits[:, 0], self._run, self._recent)
        ids = self._ids[each[:, None], following]
        return _told(follows, ids, self._tick, due // _TICK)

    def _count(self, places: Ints, notes: Bools) -> None:
        """Which lags foretold the notes that came."""
        hits = self._due == places[:, None]
        slot = self._known % RECENT
        each = np.arange(len(places))
        gone = self._hits[each, slot]
        here = notes[:, None]
        self._recent += np.where(here, hits.astype(np.int64) - gone, 0)
        self._hits[each, slot] = np.where(here, hits, gone)
        run = np.where(hits, np.minimum(self._run + 1, _LONGEST), 0)
        self._run = np.where(here, run, self._run)

    def _take_down(self, rows: Table, places: Ints, notes: Bools) -> None:
        """Write down the notes that came."""
        if self._known.max() + 1 >= self._notes.shape[1]:
            room = self._notes.shape[1]
            self._notes = np.pad(self._notes, ((0, 0), (0, room)))
            self._ids = np.pad(self._ids, ((0, 0), (0, room), (0, 0)))
        who = np.flatnonzero(notes)
        self._notes[who, self._known[who]] = places[who]
        self._ids[who, self._known[who]] = ids_of(rows[who])
        self._known[who] += 1
