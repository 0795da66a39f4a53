"""Echoes: what would come next if the music went on repeating an earlier passage.

This is the match model of compressors (PAQ; Mahoney, 2005) in musical time. A note that comes where
the passage so many bars earlier has it is a hit; for each row the lag with the most hits lately is
taken, and the note that follows in that passage is told, with how well the two have gone together.
Attention finds such a note as well, but not for how long all has been repeated, which tells whether
it will be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.events import FIELDS, MAX_WAIT, METRE_EVENT, NO_PITCH, REST, SIZES, Table, is_note
from musenet.events import to_ids as ids_of
from musenet.features import BAR_TICKS, COLUMNS, DEFAULT_BAR_TICKS, FEATURE_SIZES

Echoes = NDArray[np.int32]
"""Shape (rows, 18), columns as in `ECHOES`, then the fields of the notes `PHRASE_LAGS` ago."""
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
PHRASE_LAGS = (8, 4)
"""Bars after which passages come again more often than after others: what stood so long ago is told
whether there were hits or not, to be copied (`copying`)."""
_NO_NOTE = (MAX_WAIT, REST, NO_PITCH, 0, 0)
NO_ECHO = (0, 0, 0, *_NO_NOTE, *_NO_NOTE * len(PHRASE_LAGS))
"""Nothing is repeated."""
ROW_WIDTH = len(COLUMNS) + len(NO_ECHO)
"""Features of a moment and echo of a row side by side, as windows and batches have them."""
_COUNTS, _LONGEST = len(ECHOES) - len(FIELDS), int(RUNS[-1])
_LAGS: Ints = np.arange(1, LAGS + 1)
_PART, _TICK = 256, 64 * 256
"""Notes stand in order of tick, instrument and pitch: as one number, an instrument and a tick are
worth so much."""
_NOWHERE = -1
_APART, _LAST = 1 << 44, 1 << 43
"""Candidates stand so far from one another on one line of places, their notes within the second."""


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
    ids = piece.ids[piece.notes[follows.next]]
    told = _told(piece.places[follows.rows], follows.due, ids, follows.run, follows.recent)
    return told[follows.rows >= start]


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
        due: the place where it would come, shape (n, `LAGS`); `_NOWHERE` likewise.
        hits: whether they are the notes that were to follow, shape (n, `LAGS`).
        run: hits since the last note that is none, shape (n, `LAGS`).
        recent: hits among the last `RECENT` notes, shape (n, `LAGS`).
    """

    rows: Ints
    next: Ints
    due: Ints
    hits: Bools
    run: Ints
    recent: Ints


def _follow(piece: _Piece, start: int) -> _Follows:
    """Follow a piece from a row on, and as far before it as tells how well that goes."""
    before = int(np.searchsorted(piece.notes, start))
    earliest = piece.notes[max(0, before - _LONGEST - 1)] if before else 0
    rows = piece.kept[piece.kept >= min(earliest, start)]
    places, lags = piece.places[rows], piece.bars[rows, None] * _LAGS
    known = np.searchsorted(piece.notes, rows, side="right")
    if not len(piece.notes):
        nothing = np.zeros(lags.shape, dtype=np.int64)
        return _Follows(rows, nothing - 1, nothing - 1, nothing > 0, nothing, nothing)
    notes = piece.places[piece.notes]
    following = _following(notes, places[:, None], lags, known[:, None])
    due = _due(notes[following], following, lags)
    is_here = np.isin(rows, piece.notes, assume_unique=True)
    hits = np.zeros(following.shape, dtype=np.bool_)
    hits[1:] = (due[:-1] == places[1:, None]) & is_here[1:, None]
    own = hits[is_here]
    of_note = np.maximum(np.cumsum(is_here) - 1, 0)
    run, recent = (each[of_note] * (np.cumsum(is_here) > 0)[:, None] for each in _counted(own))
    return _Follows(rows, following, due, hits, run, recent)


def _counted(hits: Bools) -> tuple[Ints, Ints]:
    """Runs of hits up to each note, and hits among the last notes, shapes as theirs."""
    total = np.cumsum(hits, axis=0, dtype=np.int64)
    missed = np.maximum.accumulate(np.where(hits, 0, total), axis=0)
    recent = total.copy()
    recent[RECENT:] -= total[:-RECENT]
    return np.minimum(total - missed, _LONGEST), recent


def _following(notes: Ints, places: Ints, lags: Ints, known: Ints, zero: Ints | int = 0) -> Ints:
    """Which note follows what stands a lag before a place, `_NOWHERE` if there is none yet.

    In the bar before a whole lag has gone by it is the first note of all. At its own tick an
    instrument has no more notes to follow than it had there: one that plays another note in place
    of the only one goes on behind it.

    Args:
        notes: places of the notes of pieces, ascending.
        places: from where.
        lags: ticks of one bar and more, shape (…, `LAGS`).
        known: where the notes end that there are by then.
        zero: where the piece begins that a place is in.
    """
    earlier = places - lags * _TICK
    following = np.searchsorted(notes, earlier, side="right")
    there = (earlier >= zero - lags[..., :1] * _TICK) & (following < known)
    part = earlier // _PART
    same = there & (notes[np.minimum(following, len(notes) - 1)] // _PART == part)
    played = known - np.searchsorted(notes, places // _PART * _PART)
    first, end = (np.searchsorted(notes, (part[same] + more) * _PART) for more in (0, 1))
    over = np.broadcast_to(played, same.shape)[same] >= end - first
    following[same] = np.where(over, end, following[same])
    return np.where(there & (following < known), following, _NOWHERE)


def _due(notes: Ints, following: Ints, lags: Ints) -> Ints:
    """Where notes would come again after lags, `_NOWHERE` where none follows."""
    return np.where(following == _NOWHERE, _NOWHERE, notes + lags * _TICK)


def _places(rows: Table, ticks: Ints) -> Ints:
    """Where rows stand at some ticks, as one number each."""
    within = rows[..., 1].astype(np.int64) * _PART + rows[..., 2]
    places: Ints = ticks * _TICK + np.where(is_note(rows), within, -1)
    return places


def _told(places: Ints, due: Ints, ids: Ints, run: Ints, recent: Ints) -> Echoes:
    """Echoes of rows.

    Args:
        places: of the rows, shape (n,).
        due: where notes would come at each lag, shape (n, `LAGS`); `_NOWHERE` if there is none.
        ids: of these notes, shape (n, `LAGS`, 5).
        run: hits in a row at each lag, shape (n, `LAGS`).
        recent: hits among the last notes at each lag, shape (n, `LAGS`).
    """
    each = np.arange(len(places))
    score = np.where(due == _NOWHERE, 0, run + recent)
    best = score.argmax(axis=1)
    heard = score[each, best] > 0
    told = no_echoes(len(places))
    runs = np.searchsorted(RUNS, run[each, best], side="right")
    counted = np.stack([_LAGS[best], runs, recent[each, best]], axis=1)
    told[heard, :_COUNTS] = counted[heard]
    pointers = [(best, heard), *((lag - 1, due[:, lag - 1] != _NOWHERE) for lag in PHRASE_LAGS)]
    for pointer, (lag, there) in enumerate(pointers):
        wait = due[each, lag] // _TICK - (places + 1) // _TICK
        there = there & (wait <= MAX_WAIT)  # else a rest comes first
        begin = _COUNTS + len(FIELDS) * pointer
        told[there, begin] = wait[there]
        told[there, begin + 1 : begin + len(FIELDS)] = ids[each, lag, 1:][there]
    return told


class Listener:
    """The echoes of candidates that grow in step, row by row: those of `echoes`, for less.

    Attributes:
        echoes: of the last row of each candidate.
    """

    def __init__(self, opening: Table, candidates: int, seen: Bools | None = None) -> None:
        """Hear what all candidates begin with.

        Args:
            opening: rows, shape (n, 5).
            candidates: how many.
            seen: which of the rows there are at all, shape (n,); by default all.
        """
        kept = np.ones(len(opening), dtype=np.bool_) if seen is None else seen
        piece = _Piece.of(opening, kept)
        known, room = len(piece.notes), 2 * len(piece.notes) + 1024
        self._known: Ints = np.full(candidates, known)
        self._zero = _APART * np.arange(candidates)
        self._notes = np.repeat(self._zero[:, None] + _LAST, room, axis=1)
        self._ids: Ints = np.zeros((*self._notes.shape, len(FIELDS)), dtype=np.int64)
        self._notes[:, :known] = self._zero[:, None] + piece.places[piece.notes]
        self._ids[:, :known] = piece.ids[piece.notes]
        self._tick = np.full(candidates, opening[:, 0].sum(dtype=np.int64))
        self._bar = np.full(candidates, piece.bars[-1] if len(opening) else DEFAULT_BAR_TICKS)
        shape = candidates, LAGS
        self._due: Ints = np.full(shape, _NOWHERE)
        self._run, self._recent = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        self._hits: Bools = np.zeros((candidates, RECENT, LAGS), dtype=np.bool_)
        self.echoes = no_echoes(candidates)
        if len(piece.kept):
            last = int(piece.kept[-1])
            follows = _follow(piece, last)
            due = follows.due[-1]
            self._due[:] = np.where(due == _NOWHERE, due, self._zero[:, None] + due)
            self._run[:], self._recent[:] = follows.run[-1], follows.recent[-1]
            hits = follows.hits[np.isin(follows.rows, piece.notes)][-RECENT:]
            self._hits[:, np.arange(known - len(hits), known) % RECENT] = hits
            self.echoes[:] = echoes(opening, last, seen=seen)

    def append(self, rows: Table) -> None:
        """Hear the next row of each candidate, shape (candidates, 5)."""
        self._tick += rows[:, 0]
        metres = rows[:, 1] == METRE_EVENT
        if metres.any():
            self._bar[metres] = BAR_TICKS[rows[metres, 2]]
        places, notes = self._zero + _places(rows, self._tick), is_note(rows)
        self._count(places, notes)
        self._take_down(rows, places, notes)
        lags, room = self._bar[:, None] * _LAGS, self._notes.shape[1]
        known = room * np.arange(len(rows)) + self._known
        following = _following(
            self._notes.reshape(-1), places[:, None], lags, known[:, None], self._zero[:, None]
        )
        self._due = _due(self._notes.reshape(-1)[following], following, lags)
        ids = self._ids.reshape(-1, len(FIELDS))[following]
        self.echoes = _told(places, self._due, ids, self._run, self._recent)

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
        if self._known.max() + 1 >= (room := self._notes.shape[1]):
            more = np.repeat(self._zero[:, None] + _LAST, room, axis=1)
            self._notes = np.concatenate([self._notes, more], axis=1)
            self._ids = np.pad(self._ids, ((0, 0), (0, room), (0, 0)))
        who = np.flatnonzero(notes)
        self._notes[who, self._known[who]] = places[who]
        self._ids[who, self._known[who]] = ids_of(rows[who])
        self._known[who] += 1
