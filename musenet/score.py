"""Score: music in memory, and pure functions from score to score.

Times are ticks, `ticks_per_beat` of them to a quarter note. Tempo is in quarter
notes a minute. All functions return new scores and leave their input alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musenet.instruments import DRUMS, INSTRUMENTS

TICKS_PER_BEAT = 24
"""Ticks to a quarter note in quantised scores."""
DEFAULT_BPM = 120.0

NOTE = np.dtype(
    [("onset", "<i4"), ("duration", "<i4"), ("pitch", "u1"), ("velocity", "u1"),
     ("instrument", "u1")]
)  # fmt: skip
TEMPO = np.dtype([("tick", "<i4"), ("bpm", "<f8")])
METRE = np.dtype([("tick", "<i4"), ("numerator", "<i2"), ("denominator", "<i2")])

Array = NDArray[np.void]


def records(dtype: np.dtype[np.void], rows: Iterable[tuple[float, ...]] = ()) -> Array:
    """A structured array of `NOTE`, `TEMPO` or `METRE` from tuples."""
    return np.array(list(rows), dtype=dtype)


@dataclass(frozen=True, eq=False)
class Score:
    """A piece of music.

    Attributes:
        notes: array of `NOTE` in the order (onset, instrument, pitch); instrument is an index
            into `INSTRUMENTS`, velocity 1-127, pitch 0-127 (a drum key for drums).
        tempos: array of `TEMPO`, rising in tick.
        metres: array of `METRE`, rising in tick; a metre begins a bar.
        ticks_per_beat: ticks to a quarter note.
    """

    notes: Array = field(default_factory=lambda: records(NOTE))
    tempos: Array = field(default_factory=lambda: records(TEMPO))
    metres: Array = field(default_factory=lambda: records(METRE))
    ticks_per_beat: int = TICKS_PER_BEAT

    def __eq__(self, other: object) -> bool:
        """Equal when every note, tempo and metre is."""
        if not isinstance(other, Score):
            return NotImplemented
        return (
            self.ticks_per_beat == other.ticks_per_beat
            and np.array_equal(self.notes, other.notes)
            and np.array_equal(self.tempos, other.tempos)
            and np.array_equal(self.metres, other.metres)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def end(self) -> int:
        """Tick at which the last note ends; 0 without notes."""
        return int(note_ends(self).max(initial=0))

    @property
    def seconds(self) -> float:
        """Length in seconds, from tick 0 to `end`."""
        return float(seconds_at(self, [self.end])[0])

    @property
    def instruments(self) -> list[int]:
        """Ids of the instruments that play, rising."""
        return [int(i) for i in np.unique(self.notes["instrument"])]


def note_ends(score: Score) -> NDArray[np.int64]:
    """Tick at which each note ends, shape (notes,)."""
    ends: NDArray[np.int64] = score.notes["onset"].astype(np.int64) + score.notes["duration"]
    return ends


def sort_notes(notes: Array) -> Array:
    """Notes in canonical order: onset, instrument, pitch, then duration and velocity."""
    keys = ("velocity", "duration", "pitch", "instrument", "onset")
    return notes[np.lexsort([notes[key] for key in keys])]


def tempo_map(score: Score) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Ticks, seconds and seconds a tick at the start of each stretch of one tempo.

    The first stretch starts at tick 0, at `DEFAULT_BPM` where the score gives no tempo there.
    """
    ticks = score.tempos["tick"].astype(np.int64)
    bpm = score.tempos["bpm"].astype(np.float64)
    if not len(ticks) or ticks[0] > 0:
        ticks, bpm = np.r_[0, ticks], np.r_[DEFAULT_BPM, bpm]
    per_tick = 60.0 / (bpm * score.ticks_per_beat)
    seconds = np.r_[0.0, np.cumsum(np.diff(ticks) * per_tick[:-1])]
    return ticks, seconds, per_tick


def seconds_at(score: Score, ticks: ArrayLike) -> NDArray[np.float64]:
    """The time in seconds of each tick."""
    starts, seconds, per_tick = tempo_map(score)
    at = np.asarray(ticks, dtype=np.float64)
    stretch = np.maximum(np.searchsorted(starts, at, side="right") - 1, 0)
    result: NDArray[np.float64] = seconds[stretch] + (at - starts[stretch]) * per_tick[stretch]
    return result


def ticks_at(score: Score, seconds: ArrayLike) -> NDArray[np.float64]:
    """The (fractional) tick at each time in seconds."""
    starts, times, per_tick = tempo_map(score)
    at = np.asarray(seconds, dtype=np.float64)
    stretch = np.maximum(np.searchsorted(times, at, side="right") - 1, 0)
    result: NDArray[np.float64] = starts[stretch] + (at - times[stretch]) / per_tick[stretch]
    return result


def bar_ticks(numerator: int, denominator: int, ticks_per_beat: int) -> int:
    """Length of a bar in ticks, at least one."""
    return max(1, round(numerator * 4 * ticks_per_beat / denominator))


def bar_starts(score: Score, until: int | None = None) -> NDArray[np.int64]:
    """Ticks at which bars begin, from 0 up to but not including `until` (default: the end)."""
    end = score.end if until is None else until
    changes = [(int(m["tick"]), int(m["numerator"]), int(m["denominator"])) for m in score.metres]
    if not changes or changes[0][0] > 0:
        changes.insert(0, (0, 4, 4))
    stops = [change[0] for change in changes[1:]] + [end]
    bars = [
        np.arange(tick, min(stop, end), bar_ticks(numerator, denominator, score.ticks_per_beat))
        for (tick, numerator, denominator), stop in zip(changes, stops, strict=True)
    ]
    return np.concatenate(bars).astype(np.int64)


def transpose(score: Score, semitones: int) -> Score:
    """All pitches moved by semitones, drums left alone; notes that leave 0-127 are dropped."""
    notes = score.notes.copy()
    pitched = notes["instrument"] != DRUMS
    pitch = notes["pitch"].astype(np.int64) + semitones * pitched
    inside = (pitch >= 0) & (pitch <= 127)
    notes["pitch"] = pitch.clip(0, 127)
    return replace(score, notes=notes[inside])


def resample(score: Score, ticks_per_beat: int) -> Score:
    """The same music with another number of ticks to the beat; times are rounded.

    Of tempos or metres that come to share a tick, the last stays.
    """
    if ticks_per_beat == score.ticks_per_beat:
        return score
    ratio = ticks_per_beat / score.ticks_per_beat

    def scaled(ticks: ArrayLike) -> NDArray[np.int64]:
        return np.floor(np.asarray(ticks) * ratio + 0.5).astype(np.int64)

    notes, tempos, metres = score.notes.copy(), score.tempos.copy(), score.metres.copy()
    notes["onset"] = scaled(score.notes["onset"])
    notes["duration"] = np.maximum(1, scaled(note_ends(score)) - notes["onset"])
    tempos["tick"] = scaled(score.tempos["tick"])
    metres["tick"] = scaled(score.metres["tick"])
    return Score(sort_notes(notes), last_at_tick(tempos), last_at_tick(metres), ticks_per_beat)


def crop(score: Score, start: int, stop: int) -> Score:
    """The notes that begin in [start, stop), moved to tick 0, cut at `stop`.

    The tempo and metre in force at `start` stand at tick 0. A bar that `start` cuts begins anew.
    """
    onset = score.notes["onset"]
    notes = score.notes[(onset >= start) & (onset < stop)].copy()
    notes["duration"] = np.minimum(notes["duration"], stop - notes["onset"])
    notes["onset"] -= start

    def part(changes: Array) -> Array:
        kept = changes[changes["tick"] < stop].copy()
        kept["tick"] = np.maximum(0, kept["tick"] - start)
        return last_at_tick(kept)

    return Score(notes, part(score.tempos), part(score.metres), score.ticks_per_beat)


def last_at_tick(changes: Array) -> Array:
    """Tempos or metres with only the last of those that share a tick."""
    if not len(changes):
        return changes
    return changes[np.r_[changes["tick"][1:] != changes["tick"][:-1], True]]


def out_of_range(score: Score) -> NDArray[np.bool_]:
    """Which notes lie outside their instrument's playable range, shape (notes,)."""
    low = np.array([instrument.low for instrument in INSTRUMENTS])
    high = np.array([instrument.high for instrument in INSTRUMENTS])
    pitch, instrument = score.notes["pitch"], score.notes["instrument"]
    result: NDArray[np.bool_] = (pitch < low[instrument]) | (pitch > high[instrument])
    return result
