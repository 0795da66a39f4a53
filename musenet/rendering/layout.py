"""The page of a piano roll: where systems, bars, pitches and drum keys stand, in inches.

x goes from the left edge of the page, y from its top edge down. A system is a row of whole
bars; all systems of a page share one scale of time and one of pitch, so that the eye can
compare them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musenet.instruments import DRUMS
from musenet.score import Score, bar_starts, bar_ticks, tempo_map

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WIDTH, LEFT, RIGHT, BOTTOM = 16.0, 1.05, 0.35, 0.3
DRUM_ROW = 0.115
BAR_NUMBERS, TEMPO_STRIP, STRIP_GAP, SYSTEM_GAP = 0.2, 0.2, 0.06, 0.25

_BEATS_A_SYSTEM = 64
_MOST_SYSTEMS = 14
_ROLL_HEIGHT = 2.0
_SEMITONE_RANGE = (0.034, 0.06)
_LEAST_SEMITONES = 24
_TEMPO_CHANGE_SHOWN = 1.03


@dataclass(frozen=True)
class Frame:
    """What all systems of a page have in common; heights are below the top of a system.

    Attributes:
        scale: inches a tick.
        pitches: the pitches shown, empty for a piece of drums alone.
        drum_keys: the drum keys used, rising.
        tempos: slowest and fastest tempo, if they differ enough to be drawn.
    """

    scale: float
    pitches: range
    drum_keys: tuple[int, ...]
    tempos: tuple[float, float] | None

    @property
    def semitone(self) -> float:
        """Height of a pitch: less in a wide compass, but never so little that it blurs."""
        least, most = _SEMITONE_RANGE
        return min(most, max(least, _ROLL_HEIGHT / max(1, len(self.pitches))))

    @property
    def roll_top(self) -> float:
        """Top of the pitches, under the bar numbers and the tempo strip."""
        return BAR_NUMBERS + (TEMPO_STRIP + STRIP_GAP if self.tempos else 0.0)

    @property
    def roll_foot(self) -> float:
        """Bottom of the pitches."""
        return self.roll_top + len(self.pitches) * self.semitone

    @property
    def drums_top(self) -> float:
        """Top of the drum strip."""
        return self.roll_foot + (STRIP_GAP if self.pitches else 0.0)

    @property
    def foot(self) -> float:
        """Bottom of the system."""
        if not self.drum_keys:
            return self.roll_foot
        return self.drums_top + len(self.drum_keys) * DRUM_ROW


@dataclass(frozen=True)
class System:
    """A row of bars.

    Attributes:
        frame: what it shares with the other systems.
        top: its upper edge on the page.
        first_bar: number of its first bar, from 1.
        bars: ticks of its bar lines, the closing one included, shape (bars + 1,).
    """

    frame: Frame
    top: float
    first_bar: int
    bars: Ints

    @property
    def start(self) -> int:
        """Its first tick."""
        return int(self.bars[0])

    @property
    def stop(self) -> int:
        """The tick after its last."""
        return int(self.bars[-1])

    def x(self, ticks: ArrayLike) -> Floats:
        """Where ticks stand."""
        result: Floats = (
            LEFT + (np.asarray(ticks, dtype=np.float64) - self.start) * self.frame.scale
        )
        return result

    def pitch_top(self, pitches: ArrayLike) -> Floats:
        """Upper edge of pitches."""
        rows = self.frame.pitches.stop - 1 - np.asarray(pitches, dtype=np.float64)
        result: Floats = self.top + self.frame.roll_top + rows * self.frame.semitone
        return result

    def drum_top(self, keys: ArrayLike) -> Floats:
        """Upper edge of the rows of drum keys; the lowest key stands lowest."""
        used = self.frame.drum_keys
        rows = len(used) - 1 - np.searchsorted(used, keys).astype(np.float64)
        result: Floats = self.top + self.frame.drums_top + rows * DRUM_ROW
        return result


def lay_out(score: Score, top: float) -> list[System]:
    """The systems of a score, the first of them at `top`; one of empty bars without notes."""
    bars = bar_lines(score)
    rows = _rows(bars, score.ticks_per_beat)
    longest = max(int(bars[stop] - bars[start]) for start, stop in rows)
    frame = Frame(
        (WIDTH - LEFT - RIGHT) / longest, _pitches(score), _drum_keys(score), _tempos(score)
    )
    step = frame.foot + SYSTEM_GAP
    return [
        System(frame, top + row * step, start + 1, bars[start : stop + 1])
        for row, (start, stop) in enumerate(rows)
    ]


def bar_lines(score: Score) -> Ints:
    """Ticks at which bars begin and the tick at which the last one ends; at least one bar."""
    until = max(1, score.end)
    starts = bar_starts(score, until)
    before = score.metres[score.metres["tick"] < until]
    _, numerator, denominator = before[-1] if len(before) else (0, 4, 4)
    bar = bar_ticks(int(numerator), int(denominator), score.ticks_per_beat)
    return np.append(starts, starts[-1] + bar)


def _rows(bars: Ints, ticks_per_beat: int) -> list[tuple[int, int]]:
    """First bar of each system and the bar after its last."""
    count = len(bars) - 1
    bar = float(np.median(np.diff(bars))) / ticks_per_beat
    fewest = max(1, round(_BEATS_A_SYSTEM / bar))
    fewest = max(4, 4 * round(fewest / 4)) if fewest >= 4 else fewest
    while fewest * _MOST_SYSTEMS < count:
        fewest *= 2
    return list(pairwise([*range(0, count, fewest), count]))


def _pitches(score: Score) -> range:
    pitch = score.notes["pitch"][score.notes["instrument"] != DRUMS]
    if not len(pitch):
        return range(0) if len(score.notes) else range(48, 73)
    low, high = int(pitch.min()) - 2, int(pitch.max()) + 2
    missing = max(0, _LEAST_SEMITONES - (high - low + 1))
    return range(max(0, low - missing // 2), min(127, high + math.ceil(missing / 2)) + 1)


def _drum_keys(score: Score) -> tuple[int, ...]:
    drums = score.notes["instrument"] == DRUMS
    return tuple(int(key) for key in np.unique(score.notes["pitch"][drums]))


def _tempos(score: Score) -> tuple[float, float] | None:
    ticks, _, per_tick = tempo_map(score)
    bpm = 60.0 / (per_tick[ticks <= score.end] * score.ticks_per_beat)
    slowest, fastest = float(bpm.min()), float(bpm.max())
    return (slowest, fastest) if fastest > slowest * _TEMPO_CHANGE_SHOWN else None
