"""What may come next: the grammar of events, and what the user asked for.

Masks forbid what cannot be (an order within a tick that the encoding does not know, a pitch
outside an instrument's range) and what was not asked for (other instruments, another metre).
They never say what should come: that is the model's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.events import (
    DRUM_OFFSET,
    END,
    MAX_WAIT,
    METRE_EVENT,
    METRE_OFFSET,
    NO_PITCH,
    REST,
    SIZES,
    TEMPO_EVENT,
    TEMPO_OFFSET,
)
from musenet.features import Moments
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.quantise import DURATIONS, METRES, TEMPI, VELOCITIES
from musenet.score import TICKS_PER_BEAT

Mask = NDArray[np.bool_]

MAX_RESTS = 2
"""Rests (of four beats) that may follow one another."""
TEMPO_FREEDOM = 4
"""Steps by which the tempo may move away from the one asked for."""
EARLIEST_END, LATEST_END = 0.95, 1.05
"""Shares of the length asked for between which a piece must end."""


def _pitches() -> Mask:
    """Which pitch ids each instrument may take, shape (64, pitch vocabulary)."""
    allowed = np.zeros((SIZES[1], SIZES[2]), dtype=bool)
    for index, instrument in enumerate(INSTRUMENTS):
        first = DRUM_OFFSET if index == DRUMS else 0
        allowed[index, first + instrument.low : first + instrument.high + 1] = True
    allowed[TEMPO_EVENT, TEMPO_OFFSET : TEMPO_OFFSET + len(TEMPI)] = True
    allowed[METRE_EVENT, METRE_OFFSET : METRE_OFFSET + len(METRES)] = True
    allowed[[REST, END], NO_PITCH] = True
    return allowed


def _only_for(notes: range, size: int, values: int) -> Mask:
    """Values 1 to `values` for the instruments in `notes`, 0 for all others."""
    allowed = np.zeros((SIZES[1], size), dtype=bool)
    allowed[:, 0] = True
    allowed[notes, 0] = False
    allowed[notes, 1 : values + 1] = True
    return allowed


PITCHES = _pitches()
DURATION_IDS = _only_for(range(DRUMS), SIZES[3], len(DURATIONS))
VELOCITY_IDS = _only_for(range(DRUMS + 1), SIZES[4], len(VELOCITIES))
_LOWEST = np.where(PITCHES.any(axis=1), PITCHES.argmax(axis=1), 0)
_HIGHEST = SIZES[2] - 1 - PITCHES[:, ::-1].argmax(axis=1)
_RANK = np.arange(SIZES[1])
_RANK[[METRE_EVENT, TEMPO_EVENT]] = -2, -1


@dataclass(frozen=True)
class Wishes:
    """What was asked for, as ids.

    Attributes:
        instruments: ids of those that may play.
        seconds: length.
        tempo: step of `TEMPI`, or None to leave it to the model.
        metre: place in `METRES`, or None to leave it to the model.
    """

    instruments: tuple[int, ...]
    seconds: float
    tempo: int | None = None
    metre: int | None = None


@dataclass
class Past:
    """What the rules remember of each candidate; arrays of shape (candidates,).

    Attributes:
        rows: rows so far, alike for all.
        instrument: of the last row.
        pitch: pitch id of the last row.
        rests: rests in a row at the end.
        sounding: tick at which the last sounding note ends.
        tempo: step in force, -1 before any.
        metre: metre in force, -1 before any.
        earliest: tick before which nothing new may begin.
    """

    rows: int
    instrument: NDArray[np.int64]
    pitch: NDArray[np.int64]
    rests: NDArray[np.int64]
    sounding: NDArray[np.int64]
    tempo: NDArray[np.int64]
    metre: NDArray[np.int64]
    earliest: NDArray[np.int64]

    @classmethod
    def nothing(cls, candidates: int) -> Past:
        """Before the first row."""
        zeros, none = np.zeros(candidates, np.int64), np.full(candidates, -1, np.int64)
        return cls(
            0, zeros + END, zeros, zeros.copy(), zeros.copy(), none, none.copy(), zeros.copy()
        )

    def add(self, ids: NDArray[np.int64], tick: NDArray[np.int64]) -> None:
        """Remember a row of each candidate, given as ids, (candidates, 5), at its tick."""
        self.rows += 1
        self.instrument, self.pitch = ids[:, 1], ids[:, 2]
        self.rests = np.where(ids[:, 1] == REST, self.rests + 1, 0)
        pitched = ids[:, 1] < DRUMS
        length = np.where(pitched, DURATIONS[np.maximum(ids[:, 3] - 1, 0)], 1)
        ends = np.where(ids[:, 1] <= DRUMS, tick + length, 0)
        self.sounding = np.maximum(self.sounding, ends)
        self.tempo = np.where(ids[:, 1] == TEMPO_EVENT, ids[:, 2] - TEMPO_OFFSET, self.tempo)
        self.metre = np.where(ids[:, 1] == METRE_EVENT, ids[:, 2] - METRE_OFFSET, self.metre)


class Rules:
    """Masks for each field of the next row of every candidate."""

    def __init__(self, wishes: Wishes) -> None:
        """Prepare the masks that stay the same."""
        self.wishes = wishes
        self.players = np.zeros(SIZES[1], dtype=bool)
        self.players[list(wishes.instruments)] = True
        self.top = max(wishes.instruments)
        self.tempi = np.zeros(SIZES[2], dtype=bool)
        low, high = 0, len(TEMPI) - 1
        if wishes.tempo is not None:
            low, high = wishes.tempo - TEMPO_FREEDOM, wishes.tempo + TEMPO_FREEDOM
        low, high = max(0, low), min(len(TEMPI) - 1, high)
        self.tempi[TEMPO_OFFSET + low : TEMPO_OFFSET + high + 1] = True

    def ticks_left(self, moments: Moments) -> NDArray[np.int64]:
        """Ticks until the latest end, at the tempo in force, shape (candidates,)."""
        seconds = self.wishes.seconds * LATEST_END - moments.seconds
        return np.floor(np.maximum(0.0, seconds) / moments.seconds_per_tick).astype(np.int64)

    def waits(self, past: Past, moments: Moments) -> Mask:
        """Which waits may come, shape (candidates, wait vocabulary)."""
        waits = np.arange(SIZES[0])
        if past.rows < 2:
            return np.broadcast_to(waits == 0, (len(past.instrument), SIZES[0]))
        full = (past.instrument >= self.top) & (past.pitch >= _HIGHEST[past.instrument])
        full &= past.instrument <= DRUMS
        least = np.where((past.instrument == REST) | full, 1, 0)
        least = np.maximum(least, past.earliest - moments.tick).clip(0, MAX_WAIT)
        most = np.maximum(least, np.minimum(MAX_WAIT, self.ticks_left(moments)))
        result: Mask = (waits >= least[:, None]) & (waits <= most[:, None])
        return result

    def instruments(self, past: Past, moments: Moments, wait: NDArray[np.int64]) -> Mask:
        """Which instruments or other events may come at `moments`, reached after `wait`."""
        count = len(past.instrument)
        if past.rows < 2:
            only = METRE_EVENT if past.rows == 0 else TEMPO_EVENT
            return np.broadcast_to(np.arange(SIZES[1]) == only, (count, SIZES[1]))
        fresh = moments.place == 0
        after = _RANK[past.instrument]
        higher = past.pitch < _HIGHEST[past.instrument]
        least = np.where(fresh, -3, np.where(higher & (after >= 0), after, after + 1))
        allowed = self.players & (_RANK >= least[:, None])
        in_bar = (moments.tick - moments.bar_start) % moments.bar_ticks
        allowed[:, METRE_EVENT] = fresh & (in_bar == 0) & (self.wishes.metre is None)
        allowed[:, TEMPO_EVENT] = (moments.tick % TICKS_PER_BEAT == 0) & (least <= -1)
        allowed[:, REST] = (wait == MAX_WAIT) & (past.rests < MAX_RESTS)
        late = moments.seconds >= self.wishes.seconds * EARLIEST_END
        allowed[:, END] = late & (moments.tick >= past.sounding) & (past.sounding > 0)
        return allowed

    def pitches(
        self, past: Past, moments: Moments, instrument: NDArray[np.int64]
    ) -> Mask:
        """Which pitch ids may come for the instrument chosen."""
        allowed = PITCHES[instrument].copy()
        ids = np.arange(SIZES[2])
        again = (moments.place > 0) & (instrument == past.instrument)
        allowed &= ~again[:, None] | (ids > past.pitch[:, None])
        tempo, metre = instrument == TEMPO_EVENT, instrument == METRE_EVENT
        allowed &= ~tempo[:, None] | (self.tempi & (ids != TEMPO_OFFSET + past.tempo[:, None]))
        allowed &= ~metre[:, None] | (ids != METRE_OFFSET + past.metre[:, None])
        if past.rows == 0 and self.wishes.metre is not None:
            allowed &= ids == METRE_OFFSET + self.wishes.metre
        if past.rows == 1 and self.wishes.tempo is not None:
            allowed &= ids == TEMPO_OFFSET + self.wishes.tempo
        return allowed

    def durations(self, moments: Moments, instrument: NDArray[np.int64]) -> Mask:
        """Which note lengths may come: none that outlast the latest end."""
        allowed = DURATION_IDS[instrument].copy()
        longest = np.r_[0, DURATIONS, np.full(SIZES[3] - len(DURATIONS) - 1, 1 << 30)]
        fits = longest <= np.maximum(1, self.ticks_left(moments))[:, None]
        allowed &= fits
        return allowed

    def velocities(self, instrument: NDArray[np.int64]) -> Mask:
        """Which velocities may come."""
        return VELOCITY_IDS[instrument]
