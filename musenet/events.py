"""Score <-> event table, and the vocabulary: the one bridge between music and numbers.

A row is one event of five bytes, `wait, instrument, value, duration, velocity`:

- `wait`: ticks since the previous row, 0-96;
- `instrument`: an id of `INSTRUMENTS`, or `REST`, `TEMPO`, `METRE`, `END`;
- `value`: pitch, drum key, step of `TEMPI` or place in `METRES`; 0 for rests and the end;
- `duration`: 1 + place in `DURATIONS`; 0 for drums and what is no note;
- `velocity`: 1 + level of velocity; 0 for what is no note.

Within a tick stand metre, tempo, then notes by (instrument, pitch). A `REST` is exactly
96 ticks. The last row is `END`, at the tick where the last note ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from musenet.instruments import DRUMS
from musenet.quantise import DURATIONS, METRES, TEMPI, VELOCITIES, quantise, settle, tempo_step
from musenet.score import METRE, NOTE, TEMPO, Array, Score, last_at_tick, sort_notes

Table = NDArray[np.uint8]
"""Event table, shape (events, 5)."""

FIELDS = ("wait", "instrument", "pitch", "duration", "velocity")
SIZES = (100, 64, 368, 128, 36)
"""Vocabulary of each field, spare ids included."""
MAX_WAIT = 96
REST, TEMPO_EVENT, METRE_EVENT, END = 60, 61, 62, 63
DRUM_OFFSET, TEMPO_OFFSET, METRE_OFFSET, NO_PITCH = 128, 256, 320, 360


def _offsets() -> NDArray[np.int64]:
    offsets = np.zeros(64, dtype=np.int64)
    offsets[[DRUMS, TEMPO_EVENT, METRE_EVENT, REST, END]] = (
        DRUM_OFFSET,
        TEMPO_OFFSET,
        METRE_OFFSET,
        NO_PITCH,
        NO_PITCH,
    )
    return offsets


PITCH_OFFSET: NDArray[np.int64] = _offsets()
"""What is added to `value` to get the id in the pitch vocabulary, by instrument, shape (64,)."""


def to_ids(table: Table) -> NDArray[np.int64]:
    """The ids that the model reads, shape (events, 5): values moved into disjoint ranges."""
    ids = table.astype(np.int64)
    ids[..., 2] += PITCH_OFFSET[ids[..., 1]]
    return ids


def is_note(table: Table) -> NDArray[np.bool_]:
    """Which rows are notes, shape (events,)."""
    result: NDArray[np.bool_] = table[..., 1] <= DRUMS
    return result


def encode(score: Score) -> Table:
    """The event table of a score, which is quantised first.

    `decode(encode(score)) == quantise(score)` for every score.
    """
    score = quantise(score)
    rows = np.concatenate(
        [_metre_rows(score.metres), _tempo_rows(score.tempos), _note_rows(score.notes)]
    )
    ticks = np.concatenate([score.metres["tick"], score.tempos["tick"], score.notes["onset"]])
    order = np.argsort(ticks, kind="stable")
    rows = np.concatenate([rows[order], [[0, END, 0, 0, 0]]])
    return spaced(rows, np.r_[ticks[order], score.end])


def _metre_rows(metres: Array) -> NDArray[np.int64]:
    rows = np.zeros((len(metres), 5), dtype=np.int64)
    rows[:, 1] = METRE_EVENT
    rows[:, 2] = [METRES.index((int(m["numerator"]), int(m["denominator"]))) for m in metres]
    return rows


def _tempo_rows(tempos: Array) -> NDArray[np.int64]:
    rows = np.zeros((len(tempos), 5), dtype=np.int64)
    rows[:, 1] = TEMPO_EVENT
    rows[:, 2] = tempo_step(tempos["bpm"])
    return rows


def _note_rows(notes: Array) -> NDArray[np.int64]:
    rows = np.zeros((len(notes), 5), dtype=np.int64)
    rows[:, 1] = notes["instrument"]
    rows[:, 2] = notes["pitch"]
    pitched = notes["instrument"] != DRUMS
    rows[:, 3] = (np.searchsorted(DURATIONS, notes["duration"]) + 1) * pitched
    rows[:, 4] = notes["velocity"] // 4 + 1
    return rows


def spaced(rows: NDArray[np.int64], ticks: NDArray[np.int64]) -> Table:
    """Rows with their waits filled in, and rests where a gap is longer than one wait.

    Args:
        rows: events in order, shape (n, 5); the waits are written into it.
        ticks: when each comes, never falling, shape (n,).
    """
    gaps = np.diff(ticks, prepend=0)
    rests = np.maximum(0, (gaps - 1) // MAX_WAIT)
    place = np.cumsum(rests + 1) - 1
    table = np.zeros((len(rows) + int(rests.sum()), 5), dtype=np.uint8)
    table[:, 0], table[:, 1] = MAX_WAIT, REST
    rows[:, 0] = gaps - MAX_WAIT * rests
    table[place] = rows
    return table


def decode(table: Table) -> Score:
    """The score that a table says; rows after the first `END` do not count.

    Every table that `is_valid` gives a score without overlaps, on the grid.
    """
    ends = np.flatnonzero(table[:, 1] == END)
    table = table[: ends[0]] if len(ends) else table
    ticks = np.cumsum(table[:, 0].astype(np.int64))
    note, tempo = is_note(table), table[:, 1] == TEMPO_EVENT
    metre = table[:, 1] == METRE_EVENT
    return Score(
        _notes(table[note], ticks[note]),
        _tempos(table[tempo, 2], ticks[tempo]),
        _metres(table[metre, 2], ticks[metre]),
    )


def _tempos(values: NDArray[np.uint8], ticks: NDArray[np.int64]) -> Array:
    tempos = np.zeros(len(values), dtype=TEMPO)
    tempos["tick"], tempos["bpm"] = ticks, TEMPI[values]
    return last_at_tick(tempos)


def _metres(values: NDArray[np.uint8], ticks: NDArray[np.int64]) -> Array:
    metres = np.zeros(len(values), dtype=METRE)
    known = np.array(METRES)[values]
    metres["tick"], metres["numerator"], metres["denominator"] = ticks, known[:, 0], known[:, 1]
    return last_at_tick(metres)


def _notes(rows: Table, ticks: NDArray[np.int64]) -> Array:
    notes = np.zeros(len(rows), dtype=NOTE)
    notes["onset"] = ticks
    notes["instrument"], notes["pitch"] = rows[:, 1], rows[:, 2]
    notes["duration"] = np.where(rows[:, 3] > 0, DURATIONS[rows[:, 3].astype(int) - 1], 1)
    notes["velocity"] = VELOCITIES[rows[:, 4].astype(int) - 1]
    return settle(sort_notes(notes))


def is_valid(table: Table) -> bool:
    """Whether every field of every row holds a value that its instrument allows."""
    wait, instrument, value, duration, velocity = (table[:, i].astype(int) for i in range(5))
    limits = np.zeros(64, dtype=int)
    limits[: DRUMS + 1] = 128
    limits[[REST, END, TEMPO_EVENT, METRE_EVENT]] = 1, 1, len(TEMPI), len(METRES)
    known = (instrument < 64) & (wait <= MAX_WAIT)
    in_limits = known & (value < limits[np.minimum(instrument, 63)])
    note, pitched = instrument <= DRUMS, instrument < DRUMS
    lengths = np.where(pitched, (duration > 0) & (duration <= len(DURATIONS)), duration == 0)
    loudness = np.where(note, (velocity > 0) & (velocity <= len(VELOCITIES)), velocity == 0)
    rests = (instrument != REST) | (wait == MAX_WAIT)
    return bool(np.all(in_limits & lengths & loudness & rests))
