"""Bars, their beats, and the places in them where notes may begin."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musenet.score import TICKS_PER_BEAT, Score, bar_ticks

STEP = 3
"""Ticks of a 32nd, the finest binary value."""
TRIPLET_STEP = 4
"""Ticks of a 16th of a triplet."""
EIGHTH = 12

_GROUPS = {5: (3, 2), 7: (2, 2, 3), 8: (3, 3, 2), 10: (3, 3, 2, 2)}
_FINEST_TRIPLET = 8
_WIDE = {(2, 4): (0,), (3, 4): (0,), (4, 4): (0, 48)}


@dataclass(frozen=True)
class Bar:
    """A bar of a score of 24 ticks a beat.

    Attributes:
        start: tick at which it begins.
        length: ticks; fewer than the metre's where an upbeat or a new metre cuts it.
        numerator: of the metre.
        denominator: of the metre, at most 16.
    """

    start: int
    length: int
    numerator: int
    denominator: int

    @property
    def stop(self) -> int:
        """Tick at which it ends."""
        return self.start + self.length

    @property
    def is_whole(self) -> bool:
        """Whether it is as long as its metre says."""
        return self.length == bar_ticks(self.numerator, self.denominator, TICKS_PER_BEAT)

    @property
    def is_compound(self) -> bool:
        """Whether beats are dotted, as in 6/8."""
        return _is_compound(self.numerator, self.denominator)

    @property
    def beats(self) -> tuple[int, ...]:
        """Where beats begin in the bar, in ticks; the units that beams join."""
        return tuple(at for at in _beats(self.numerator, self.denominator) if at < self.length)

    @property
    def beam_starts(self) -> tuple[int, ...]:
        """Where beams of plain eighths begin: at beats, but in 2/4, 3/4 and 4/4 of two or three."""
        if (self.numerator, self.denominator) not in _WIDE or not self.is_whole:
            return self.beats
        return _WIDE[self.numerator, self.denominator]

    @property
    def triplet_unit(self) -> int:
        """Ticks that a triplet takes in this metre; 0 where triplets cannot stand."""
        if self.denominator > _FINEST_TRIPLET:
            return 0
        return TICKS_PER_BEAT if self.denominator < _FINEST_TRIPLET else EIGHTH

    def strength(self, at: int) -> int:
        """How weak a place in the bar is: 0 for bar lines, more for weaker places."""
        return _strength(self.numerator, self.denominator, at % self.length)

    def places(self) -> NDArray[np.int64]:
        """Ticks at which a note may begin, both bar lines included: 32nds and triplet 16ths."""
        places = np.arange(0, self.length, STEP)
        if self.triplet_unit:
            whole = self.length // self.triplet_unit * self.triplet_unit
            places = np.union1d(places, np.arange(0, whole, TRIPLET_STEP))
        result: NDArray[np.int64] = self.start + np.r_[places, self.length].astype(np.int64)
        return result


def bars_of(score: Score) -> list[Bar]:
    """The bars of a score of 24 ticks a beat, at least one, up to the end of its last note.

    Bar lines stand on 32nds. A change of metre less than an eighth from a bar line moves there.
    """
    changes = [(int(m["tick"]), int(m["numerator"]), int(m["denominator"])) for m in score.metres]
    if not changes or changes[0][0] > 0:
        changes.insert(0, (0, 4, 4))
    bars: list[Bar] = []
    start = 0
    ends = [tick for tick, *_ in changes[1:]]
    for index, (_, numerator, denominator) in enumerate(changes):
        full = bar_ticks(numerator, denominator, TICKS_PER_BEAT)
        if index < len(ends):
            stop = _bar_line(start, ends[index], full)
        else:
            stop = start - (start - max(score.end, 1)) // full * full
        for at in range(start, stop, full):
            bars.append(Bar(at, min(full, stop - at), numerator, denominator))
        start = max(start, stop)
    return _with_upbeat(bars)


class Ruler:
    """Finds bars and triplet units by tick."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        self.bars = bars
        self._starts = [bar.start for bar in bars]

    def index(self, tick: int) -> int:
        """The place in `bars` of the bar that holds a tick."""
        return bisect_right(self._starts, tick) - 1

    def unit(self, tick: int) -> int:
        """Tick at which the triplet unit around a tick begins; -1 where triplets cannot stand."""
        bar = self.bars[self.index(tick)]
        unit = bar.triplet_unit
        return bar.start + (tick - bar.start) // unit * unit if unit else -1

    def kind(self, tick: int) -> str:
        """The division that a tick asks of its unit: 'binary', 'triplet' or '' for either."""
        at = tick - self.bars[self.index(tick)].start
        if at % EIGHTH == 0:
            return ""
        return "triplet" if at % STEP else "binary"


def places_of(bars: Sequence[Bar]) -> NDArray[np.int64]:
    """Ticks of a whole piece at which a note may begin, rising."""
    return np.unique(np.concatenate([bar.places() for bar in bars]))


def nearest(places: NDArray[np.int64], ticks: ArrayLike) -> NDArray[np.int64]:
    """The nearest of the rising places to each tick, the earlier one of two as near."""
    at = np.asarray(ticks, dtype=np.int64)
    after = np.searchsorted(places, at).clip(1, max(1, len(places) - 1))
    low, high = places[after - 1], places[np.minimum(after, len(places) - 1)]
    result: NDArray[np.int64] = np.where(at - low <= high - at, low, high)
    return result


def _with_upbeat(bars: list[Bar]) -> list[Bar]:
    """The bars, a short first one of a metre of its own counted as an upbeat to the second."""
    if len(bars) < 2:
        return bars
    first, second = bars[:2]
    metre = second.numerator, second.denominator
    is_upbeat = (first.numerator, first.denominator) != metre and (
        first.length < bar_ticks(*metre, TICKS_PER_BEAT)
    )
    return [Bar(first.start, first.length, *metre), *bars[1:]] if is_upbeat else bars


def _bar_line(start: int, tick: int, full: int) -> int:
    """Where a metre that begins at a tick begins on paper."""
    line = start + round((tick - start) / full) * full
    return line if abs(tick - line) < EIGHTH // 2 else start + round((tick - start) / STEP) * STEP


def _is_compound(numerator: int, denominator: int) -> bool:
    return denominator >= _FINEST_TRIPLET and numerator % 3 == 0


@lru_cache(maxsize=256)
def _beats(numerator: int, denominator: int) -> tuple[int, ...]:
    unit = 4 * TICKS_PER_BEAT // denominator
    if _is_compound(numerator, denominator):
        return tuple(range(0, numerator * unit, 3 * unit))
    if denominator >= _FINEST_TRIPLET:
        groups = _GROUPS.get(numerator, (2,) * (numerator // 2) + (1,) * (numerator % 2))
        return tuple(unit * sum(groups[:count]) for count in range(len(groups)))
    return tuple(range(0, numerator * unit, max(unit, TICKS_PER_BEAT)))


@lru_cache(maxsize=65536)
def _strength(numerator: int, denominator: int, at: int) -> int:
    if at == 0:
        return 0
    beats = _beats(numerator, denominator)
    if at in beats:
        even = len(beats) % 2 == 0 and len(beats) > 2
        return 1 if even and beats.index(at) % (len(beats) // 2) == 0 else 2
    beat = max(start for start in beats if start < at)
    offset, level = at - beat, 3
    step = 4 * TICKS_PER_BEAT // denominator
    if not _is_compound(numerator, denominator) and denominator < _FINEST_TRIPLET:
        step = max(step, TICKS_PER_BEAT) // 2
    while step > STEP and offset % step:
        step, level = step // 2, level + 1
    return level
