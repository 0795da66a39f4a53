"""Structural features: where in the piece, the bar and the chord a moment lies.

MuseNet's structural embeddings (time, place in the chord, part, countdown), the place in the bar
and the bar among sixteen. They follow from the rows before a moment, the wait that leads to it and
the length of the piece alone, so that training and composing compute the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from musenet.condition import STYLE_SLOTS
from musenet.events import METRE_EVENT, TEMPO_EVENT, Table
from musenet.quantise import METRES, TEMPI
from musenet.score import DEFAULT_BPM, TICKS_PER_BEAT, bar_ticks

Number = TypeVar("Number", np.int64, np.float64)
Features = NDArray[np.int32]
"""Shape (moments, 13), columns as in `COLUMNS`."""

COLUMNS = (
    "tick", "chord place", "part", "countdown", "tick in beat", "beat in bar",
    "chord", "density", "dynamics", "given", "key", "style", "bar in phrase",
)  # fmt: skip
"""Structure, then the mark of given notes among the controls that change in time (`controls`), then
the place in the hypermetre."""
TICK, GIVEN, KEY, STYLE, IN_PHRASE = (
    COLUMNS.index(name) for name in ("tick", "given", "key", "style", "bar in phrase")
)
CONTROLLED = [COLUMNS.index(name) for name in ("chord", "density", "dynamics", "key", "style")]
CHORD_PLACES, PARTS, COUNTDOWNS, BEAT_TICKS, BAR_BEATS = 32, 128, 128, TICKS_PER_BEAT, 24
CHORDS, DENSITIES, DYNAMICS, KEYS = 121, 12, 8, 24
PHRASE_BARS = 16
NO_PART, NO_COUNTDOWN, NO_TICK, NO_BEAT = PARTS, COUNTDOWNS, BEAT_TICKS, BAR_BEATS
NO_PHRASE = PHRASE_BARS
NOT_TOLD = (CHORDS, DENSITIES, DYNAMICS, KEYS, STYLE_SLOTS)
"""Ids for features that are not told."""
FEATURE_SIZES = (
    0, CHORD_PLACES, PARTS + 1, COUNTDOWNS + 1, BEAT_TICKS + 1, BAR_BEATS + 1, 128, 16, 12, 2, 32,
    STYLE_SLOTS + 1, PHRASE_BARS + 1,
)  # fmt: skip
"""Ids of each column, spare ids included; ticks have none."""

SECONDS_PER_TICK: NDArray[np.float64] = 60.0 / (TEMPI * TICKS_PER_BEAT)
BAR_TICKS: NDArray[np.int64] = np.array([bar_ticks(*metre, TICKS_PER_BEAT) for metre in METRES])
_DEFAULT_SECONDS_PER_TICK = 60.0 / (DEFAULT_BPM * TICKS_PER_BEAT)
DEFAULT_BAR_TICKS = 4 * TICKS_PER_BEAT


@dataclass(frozen=True)
class Moments:
    """The state of time at moments, each array of shape (moments,).

    Attributes:
        tick: ticks since the beginning.
        seconds: seconds since the beginning.
        place: rows before this one at the same tick.
        seconds_per_tick: the tempo that led here.
        bar_start: tick at which the metre in force began.
        bar_ticks: length of the bar in force.
    """

    tick: NDArray[np.int64]
    seconds: NDArray[np.float64]
    place: NDArray[np.int64]
    seconds_per_tick: NDArray[np.float64]
    bar_start: NDArray[np.int64]
    bar_ticks: NDArray[np.int64]

    @classmethod
    def beginning(cls, count: int) -> Moments:
        """The state before the first row of `count` pieces."""
        zeros = np.zeros(count, dtype=np.int64)
        return cls(
            zeros,
            np.zeros(count),
            zeros - 1,
            np.full(count, _DEFAULT_SECONDS_PER_TICK),
            zeros,
            np.full(count, DEFAULT_BAR_TICKS),
        )

    def take(self, index: NDArray[np.int64] | slice) -> Moments:
        """The moments at the places given."""
        return Moments(
            self.tick[index],
            self.seconds[index],
            self.place[index],
            self.seconds_per_tick[index],
            self.bar_start[index],
            self.bar_ticks[index],
        )

    def ahead(self, ticks: NDArray[np.int64]) -> Moments:
        """The moments so many ticks later, if tempo and metre stay."""
        seconds = self.seconds + ticks * self.seconds_per_tick
        return replace(self, tick=self.tick + ticks, seconds=seconds)

    def after_wait(self, wait: NDArray[np.int64]) -> Moments:
        """The state at the next row of each piece, once its wait is known."""
        return Moments(
            self.tick + wait,
            self.seconds + wait * self.seconds_per_tick,
            np.where(wait > 0, 0, self.place + 1),
            self.seconds_per_tick,
            self.bar_start,
            self.bar_ticks,
        )

    def after_row(self, instrument: NDArray[np.int64], value: NDArray[np.int64]) -> Moments:
        """The state once the row at this moment is known: tempo and metre take effect."""
        tempo, metre = instrument == TEMPO_EVENT, instrument == METRE_EVENT
        if not (tempo | metre).any():
            return self
        return Moments(
            self.tick,
            self.seconds,
            self.place,
            np.where(tempo, SECONDS_PER_TICK[np.where(tempo, value, 0)], self.seconds_per_tick),
            np.where(metre, self.tick, self.bar_start),
            np.where(metre, BAR_TICKS[np.where(metre, value, 0)], self.bar_ticks),
        )


def moments_of(table: Table) -> Moments:
    """The state at every row of a whole piece, before that row takes effect."""
    wait, instrument, value = (table[:, i].astype(np.int64) for i in range(3))
    tick, rows = np.cumsum(wait), np.arange(len(table))
    tempo, metre = instrument == TEMPO_EVENT, instrument == METRE_EVENT
    per_tick = _in_force(tempo, SECONDS_PER_TICK[value[tempo]], _DEFAULT_SECONDS_PER_TICK)
    return Moments(
        tick,
        np.cumsum(wait * per_tick),
        rows - np.maximum.accumulate(np.where(wait > 0, rows, 0)),
        per_tick,
        _in_force(metre, tick[metre], 0),
        _in_force(metre, BAR_TICKS[value[metre]], DEFAULT_BAR_TICKS),
    )


def _in_force(
    changes: NDArray[np.bool_], values: NDArray[Number], default: float
) -> NDArray[Number]:
    """What the last change before each row set it to, `default` before any.

    Args:
        changes: which rows change it, shape (rows,).
        values: what each of them sets it to, shape (changes,).
        default: what holds before the first.
    """
    begins = np.r_[0, np.flatnonzero(changes) + 1, len(changes)]
    held = np.concatenate([np.array([default], dtype=values.dtype), values])
    return np.repeat(held, np.diff(begins))


def features(
    moments: Moments,
    total_seconds: NDArray[np.float64] | float,
    *,
    beat_known: bool = True,
    controls: NDArray[np.int32] | tuple[int, ...] = NOT_TOLD,
    given: NDArray[np.bool_] | bool = False,
) -> Features:
    """The features that the model sees.

    Args:
        moments: states of time.
        total_seconds: length of the piece, or not finite where it is not told.
        beat_known: whether ticks lie on a beat (some performances have none).
        controls: chord, density, dynamics, key and style at each moment, shape (moments, 5).
        given: whether the event of each moment is a note given ahead of time.
    """
    total = np.asarray(total_seconds, dtype=np.float64)
    told = np.isfinite(total)
    known_total = np.where(told, np.maximum(total, 1e-3), 1.0)
    left = np.maximum(0.0, known_total - moments.seconds)
    beats_left = left / (moments.seconds_per_tick * TICKS_PER_BEAT)
    part = np.minimum(PARTS - 1, np.floor(PARTS * moments.seconds / known_total))
    bar, in_bar = np.divmod(moments.tick - moments.bar_start, moments.bar_ticks)
    columns = np.empty((len(moments.tick), len(COLUMNS)), dtype=np.int32)
    columns[:, 0] = moments.tick
    columns[:, 1] = np.maximum(0, np.minimum(moments.place, CHORD_PLACES - 1))
    columns[:, 2] = np.where(told, part, NO_PART)
    columns[:, 3] = np.where(told, np.minimum(COUNTDOWNS - 1, np.ceil(beats_left)), NO_COUNTDOWN)
    columns[:, 4] = in_bar % TICKS_PER_BEAT if beat_known else NO_TICK
    columns[:, 5] = np.minimum(BAR_BEATS - 1, in_bar // TICKS_PER_BEAT) if beat_known else NO_BEAT
    columns[:, CONTROLLED] = controls
    columns[:, GIVEN] = given
    columns[:, IN_PHRASE] = bar % PHRASE_BARS if beat_known else NO_PHRASE
    return columns
