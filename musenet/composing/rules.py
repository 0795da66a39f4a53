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
    Table,
    to_ids,
)
from musenet.features import SECONDS_PER_TICK, Moments
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.quantise import DRUM_DURATION, DURATIONS, METRES, TEMPI, VELOCITIES
from musenet.score import TICKS_PER_BEAT

Mask = NDArray[np.bool_]

MAX_RESTS = 2
"""Rests (of four beats) that may follow one another."""
TEMPO_FREEDOM = 4
"""Steps by which the tempo may move away from the one asked for."""
EARLIEST_END, LATEST_END = 0.951, 1.049
"""Shares of the length asked for between which a piece must end: 5 % less a hair for rounding."""
EVENTS_PER_SECOND, SPARE_EVENTS, SPREAD = 80, 1_000, 6
"""Rows that a piece has room for; when they run out, waits are of at least `SPREAD` ticks."""
_DENSEST = TEMPI[-1] / 60.0 * TICKS_PER_BEAT / SPREAD
_EPSILON = 1e-6
_WAITS, _PITCH_IDS, _TEMPI = np.arange(SIZES[0]), np.arange(SIZES[2]), np.arange(len(TEMPI))


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
_LENGTHS = np.r_[DRUM_DURATION, DURATIONS, np.full(SIZES[3] - len(DURATIONS) - 1, 1 << 30)]
"""Ticks of each duration id, shape (duration vocabulary,); drums have id 0."""


@dataclass(frozen=True)
class Wishes:
    """What was asked for, as ids.

    Attributes:
        instruments: ids of those that may play.
        seconds: length.
        tempo: step of `TEMPI`, or None to leave it to the model.
        metre: place in `METRES`, or None to leave it to the model.
        voices: most notes that each instrument may sound at once, in the order of
            `instruments`; empty for no limit.
        own_time: whether the model sets tempo and metre; a given piece has its own.
    """

    instruments: tuple[int, ...]
    seconds: float
    tempo: int | None = None
    metre: int | None = None
    voices: tuple[int, ...] = ()
    own_time: bool = True


@dataclass
class Past:
    """What the rules remember of each candidate; arrays of shape (candidates,) but for two.

    Attributes:
        rows: rows so far, alike for all.
        earliest: tick before which nothing new may begin.
        instrument: of the last row.
        pitch: pitch id of the last row.
        rests: rests in a row at the end.
        sounding: tick at which the last sounding note ends.
        tempo: step in force, -1 before any.
        metre: metre in force, -1 before any.
        ends: tick from which each pitch is free again, shape (candidates, instruments, 128).
        heard: whether each instrument has played, shape (candidates, instruments).
    """

    rows: int
    earliest: int
    instrument: NDArray[np.int64]
    pitch: NDArray[np.int64]
    rests: NDArray[np.int64]
    sounding: NDArray[np.int64]
    tempo: NDArray[np.int64]
    metre: NDArray[np.int64]
    ends: NDArray[np.int64]
    heard: Mask

    @classmethod
    def of(cls, opening: Table, earliest: int, candidates: int) -> Past:
        """After an opening that all candidates share; it may be empty."""
        ids, ticks = to_ids(opening), np.cumsum(opening[:, 0], dtype=np.int64)
        kinds = ids[:, 1]
        note = kinds <= DRUMS
        ends = np.zeros((DRUMS + 1, 128), dtype=np.int64)
        lengths = _LENGTHS[ids[note, 3]]
        held = np.where(kinds[note] == DRUMS, 0, lengths)
        np.maximum.at(ends, (kinds[note], opening[note, 2]), ticks[note] + held)
        last = ids[-1] if len(ids) else (0, END, NO_PITCH)
        busy = np.flatnonzero(kinds != REST)

        def all_of(value: int) -> NDArray[np.int64]:
            return np.full(candidates, value, dtype=np.int64)

        return cls(
            len(ids), earliest, all_of(last[1]), all_of(last[2]),
            all_of(len(ids) - 1 - busy[-1] if len(busy) else 0),
            all_of((ticks[note] + lengths).max(initial=0)),
            all_of(_last(ids, TEMPO_EVENT, TEMPO_OFFSET)),
            all_of(_last(ids, METRE_EVENT, METRE_OFFSET)),
            np.tile(ends, (candidates, 1, 1)),
            np.tile(np.isin(np.arange(DRUMS + 1), kinds), (candidates, 1)),
        )  # fmt: skip

    def add(
        self, ids: NDArray[np.int64], tick: NDArray[np.int64], given: Mask | bool = False
    ) -> None:
        """Remember a row of each candidate, as ids, (candidates, 5), at its tick.

        Of given notes, at the tick at which they sound, nothing stays but when they end: what
        follows them is as free as behind a metre.
        """
        self.rows += 1
        kind = ids[:, 1]
        self.instrument, self.pitch = np.where(given, METRE_EVENT, kind), ids[:, 2]
        self.rests = np.where(kind == REST, self.rests + 1, 0)
        note, end = kind <= DRUMS, tick + _LENGTHS[ids[:, 3]]
        self.sounding = np.maximum(self.sounding, np.where(note, end, 0))
        rows = (note & ~np.asarray(given)).nonzero()[0]
        player = kind[rows]
        held = np.where(player == DRUMS, tick[rows], end[rows])
        self.ends[rows, player, ids[rows, 2] % 128] = held
        self.heard[rows, player] = True
        if not note.all():
            self.tempo = np.where(kind == TEMPO_EVENT, ids[:, 2] - TEMPO_OFFSET, self.tempo)
            self.metre = np.where(kind == METRE_EVENT, ids[:, 2] - METRE_OFFSET, self.metre)


def _last(ids: NDArray[np.int64], kind: int, offset: int) -> int:
    values = ids[ids[:, 1] == kind, 2]
    return int(values[-1]) - offset if len(values) else -1


class Rules:
    """Masks for each field of the next row of every candidate.

    They keep the table canonical (encoding the score that it says gives it again): order
    within a tick, a pitch that sounds not struck again, rests only where a wait is too short,
    the end where the last note ends. And they leave room for what must still come: every
    instrument not yet heard has a tick before the latest end, and some note ends late enough.
    """

    def __init__(self, wishes: Wishes, capacity: int) -> None:
        """Prepare what stays the same; `capacity` is how many rows there is room for."""
        self.wishes, self.capacity = wishes, capacity
        order = np.argsort(wishes.instruments)
        self.players = np.array(wishes.instruments)[order]
        self.voices = np.array(wishes.voices or [128] * len(order))[order]
        self.limited = bool((self.voices < 128).any())
        # every key of every player, 128 · instrument + pitch: the order within a tick
        self.keys = np.concatenate(
            [np.flatnonzero(PITCHES[player]) % 128 + 128 * player for player in self.players]
        )
        self.firsts = np.searchsorted(self.keys, 128 * self.players)
        self.shortest = DRUM_DURATION if DRUMS in self.players else 1
        self.tempi = np.ones(len(TEMPI), dtype=bool)
        if wishes.tempo is not None:
            self.tempi = np.abs(_TEMPI - wishes.tempo) <= TEMPO_FREEDOM
        self._left: tuple[Moments | None, NDArray[np.int64]] = None, np.zeros(0, np.int64)

    def ticks_left(self, moments: Moments) -> NDArray[np.int64]:
        """Ticks until the latest end, at the tempo in force, shape (candidates,)."""
        if self._left[0] is not moments:  # several rules ask of the same moments
            left = self._seconds_left(moments) / moments.seconds_per_tick
            self._left = moments, (np.maximum(0.0, left) + _EPSILON).astype(np.int64)
        return self._left[1]

    def onsets_left(self, moments: Moments) -> NDArray[np.int64]:
        """Ticks at which a note may begin, this one included, shape (candidates,)."""
        return self.ticks_left(moments) + 1 - self.shortest

    def unheard(self, past: Past) -> NDArray[np.int64]:
        """How many instruments have not played yet, shape (candidates,)."""
        heard: NDArray[np.int64] = np.add.reduce(past.heard[:, self.players], axis=1, dtype=int)
        return len(self.players) - heard

    def is_last_call(self, past: Past, moments: Moments) -> Mask:
        """Whether there are just as many ticks left as instruments unheard."""
        return self.onsets_left(moments) <= self.unheard(past)

    def is_over(self, past: Past, moments: Moments) -> Mask:
        """Whether the limit stops a candidate: no tick or no row is left for another note."""
        left = self.onsets_left(moments)
        over: Mask = (left < 1) | ((left == 1) & (past.instrument <= DRUMS))
        return over | (past.rows >= self.capacity)

    def waits(self, past: Past, moments: Moments) -> Mask:
        """Which waits may come, shape (candidates, wait vocabulary)."""
        if past.rows < 2 and self.wishes.own_time:
            return np.broadcast_to(_WAITS == 0, (len(past.instrument), SIZES[0]))
        here = self._playable(past, moments.tick, self._last_key(past))
        again = np.logical_or.reduce(here, axis=1) & (past.instrument != REST)
        most = self.onsets_left(moments) - np.maximum(1, self.unheard(past))
        least = np.zeros_like(most)
        stuck = (~again).nonzero()[0]
        if len(stuck):
            least[stuck] = np.maximum(1, self._free_from(past, stuck) - moments.tick[stuck])
        crowded = self._crowded(past, moments)
        if crowded.any():
            least = np.maximum(least, np.where(crowded & (most >= SPREAD), SPREAD, 0))
        least = np.minimum(np.maximum(least, past.earliest - moments.tick), MAX_WAIT)
        allowed: Mask = least[:, None] <= _WAITS
        allowed &= np.minimum(most, MAX_WAIT)[:, None] >= _WAITS
        ringing = past.sounding - moments.tick
        if self._is_late(moments, MAX_WAIT).any():
            ends = (ringing > 0) & (ringing <= MAX_WAIT) & self._may_end(past, moments, ringing)
            allowed |= ends[:, None] & (ringing[:, None] == _WAITS)
        none = ~np.logical_or.reduce(allowed, axis=1)  # an opening may leave less room than that
        if none.any():
            allowed |= none[:, None] & (least[:, None] == _WAITS)
        return allowed

    def instruments(self, past: Past, moments: Moments, wait: NDArray[np.int64]) -> Mask:
        """Which instruments or other events may come at `moments`, reached after `wait`."""
        if past.rows < 2 and self.wishes.own_time:
            only = METRE_EVENT if past.rows == 0 else TEMPO_EVENT
            return np.tile(np.arange(SIZES[1]) == only, (len(wait), 1))
        fresh, left = moments.place == 0, self.onsets_left(moments)
        after = np.where(fresh, -1, self._last_key(past))
        plays = self._playable(past, moments.tick, after) & (left >= 1)[:, None]
        room = left > np.maximum(1, self.unheard(past))
        beat = moments.tick % TICKS_PER_BEAT == 0
        allowed = np.zeros((len(wait), SIZES[1]), dtype=bool)
        allowed[:, self.players] = plays
        if self.wishes.own_time and self.wishes.metre is None:
            bar_begins = (moments.tick - moments.bar_start) % moments.bar_ticks == 0
            allowed[:, METRE_EVENT] = fresh & bar_begins & room
        tempo = beat & (fresh | (past.instrument == METRE_EVENT))
        if self.wishes.own_time and tempo.any():
            allowed[:, TEMPO_EVENT] = tempo & self._tempi(past, moments).any(axis=1)
        rest = wait == MAX_WAIT
        if rest.any():
            stuck = (left >= 1) & ~np.logical_or.reduce(plays, axis=1)
            allowed[:, REST] = rest & ((past.rests < MAX_RESTS) & room | stuck)
        if self._is_late(moments).any():
            ends = fresh & self._may_end(past, moments, 0)
            allowed[:, END] = ends & (moments.tick == past.sounding)
        return allowed

    def pitches(self, past: Past, moments: Moments, instrument: NDArray[np.int64]) -> Mask:
        """Which pitch ids may come for the instrument chosen."""
        allowed = PITCHES[instrument]
        again = (moments.place > 0) & (instrument == past.instrument)
        if again.any():
            allowed &= np.where(again, past.pitch, -1)[:, None] < _PITCH_IDS
        ends = past.ends[np.arange(len(instrument)), np.minimum(instrument, DRUMS)]
        allowed[:, :DRUM_OFFSET] &= ends <= moments.tick[:, None]
        if (instrument == TEMPO_EVENT).any():
            allowed[:, TEMPO_OFFSET : TEMPO_OFFSET + len(TEMPI)] &= self._tempi(past, moments)
        if (instrument == METRE_EVENT).any():
            allowed &= METRE_OFFSET + past.metre[:, None] != _PITCH_IDS
        if past.rows == 0 and self.wishes.metre is not None:
            allowed &= METRE_OFFSET + self.wishes.metre == _PITCH_IDS
        if past.rows == 1 and self.wishes.tempo is not None:
            allowed &= TEMPO_OFFSET + self.wishes.tempo == _PITCH_IDS
        return allowed

    def durations(self, moments: Moments, instrument: NDArray[np.int64]) -> Mask:
        """Which note lengths may come: none that outlast the latest end."""
        fits = np.maximum(1, self.ticks_left(moments))[:, None] >= _LENGTHS
        fits[:, 0] = True
        result: Mask = DURATION_IDS[instrument] & fits
        return result

    def velocities(self, instrument: NDArray[np.int64]) -> Mask:
        """Which velocities may come."""
        return VELOCITY_IDS[instrument]

    def _seconds_left(self, moments: Moments) -> NDArray[np.float64]:
        result: NDArray[np.float64] = self.wishes.seconds * LATEST_END - moments.seconds
        return result

    def _last_key(self, past: Past) -> NDArray[np.int64]:
        """The last row as a place in the order within a tick, -1 for what is no note."""
        return np.where(past.instrument <= DRUMS, 128 * past.instrument + past.pitch % 128, -1)

    def _playable(self, past: Past, tick: NDArray[np.int64], after: NDArray[np.int64]) -> Mask:
        """Which players may strike a key behind `after`, shape (candidates, players)."""
        ends = past.ends.reshape(len(tick), -1)[:, self.keys]
        free = (ends <= tick[:, None]) & (self.keys > after[:, None])
        playable: Mask = np.logical_or.reduceat(free, self.firsts, axis=1)
        if self.limited:
            sounds = past.ends[:, self.players] > tick[:, None, None]
            playable &= np.add.reduce(sounds, axis=2, dtype=np.uint8) < self.voices
        return playable

    def _free_from(self, past: Past, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """First tick from which some player of candidates may sound another note, (rows,)."""
        ends = past.ends.reshape(len(past.ends), -1)[rows[:, None], self.keys]
        key = np.minimum.reduceat(ends, self.firsts, axis=1)
        falling = -np.sort(-past.ends[rows[:, None], self.players], axis=2)
        voice = falling[:, np.arange(len(self.players)), self.voices - 1]
        free: NDArray[np.int64] = np.maximum(key, voice).min(axis=1)
        return free

    def _crowded(self, past: Past, moments: Moments) -> Mask:
        """Whether the rows left only suffice for the densest music that `SPREAD` lets pass."""
        needed = _DENSEST * self._seconds_left(moments) + 2 * len(self.players)
        result: Mask = self.capacity - past.rows <= needed
        return result

    def _is_late(self, moments: Moments, wait: NDArray[np.int64] | int = 0) -> Mask:
        """Whether the piece is long enough to end after `wait` ticks."""
        seconds = moments.seconds + wait * moments.seconds_per_tick
        late: Mask = seconds >= self.wishes.seconds * EARLIEST_END - _EPSILON
        return late

    def _may_end(self, past: Past, moments: Moments, wait: NDArray[np.int64] | int) -> Mask:
        """Whether the piece may end after `wait` ticks: long enough, all instruments heard."""
        late = self._is_late(moments, wait)
        result: Mask = late & (self.unheard(past) == 0) & (past.sounding > 0)
        return result

    def _tempi(self, past: Past, moments: Moments) -> Mask:
        """Which steps of tempo may come: none in which what sounds outlasts the latest end."""
        needed = np.maximum(past.sounding - moments.tick, self.unheard(past) + 1 + self.shortest)
        lasting = needed[:, None] * SECONDS_PER_TICK
        fits = lasting <= self._seconds_left(moments)[:, None] + _EPSILON * SECONDS_PER_TICK
        result: Mask = fits & self.tempi & (past.tempo[:, None] != _TEMPI)
        return result
