"""Durations as written: note values with dots, triplets and ties.

A span is one symbol where that shows the beat: it begins or ends at a place as strong as any that
it crosses, or is a plain syncopation; else it is cut at the strongest place within and tied, as
engravers do (Gould, Behind Bars, 2011, chapter 6).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from musenet.rendering.notation.bars import STEP, Bar

_NAMES = ("32nd", "16th", "eighth", "quarter", "half", "whole", "breve", "long")
_VALUES = {STEP * 2**power: name for power, name in enumerate(_NAMES)}
_DOTTED = {ticks * 3 // 2: name for ticks, name in _VALUES.items() if ticks > STEP}


@dataclass(frozen=True)
class Value:
    """A note value in a bar.

    Attributes:
        start: tick in the bar.
        ticks: how long it lasts.
        name: as in MusicXML, such as "quarter".
        dots: 0 or 1.
        triplet: ticks of the triplet that it is in, 0 for none.
    """

    start: int
    ticks: int
    name: str
    dots: int = 0
    triplet: int = 0

    @property
    def stop(self) -> int:
        """Tick in the bar at which it ends."""
        return self.start + self.ticks

    @property
    def flags(self) -> int:
        """How many flags or beams it has."""
        return max(0, _NAMES.index("quarter") - _NAMES.index(self.name))


def values_of(start: int, stop: int, bar: Bar, triplets: set[int], *, rest: bool) -> list[Value]:
    """The tied values of a span of a bar.

    Args:
        start: tick in the bar.
        stop: tick in the bar.
        bar: the bar.
        triplets: starts of the triplet units in the bar; spans begin and end on triplet 16ths in
            them and on 32nds elsewhere.
        rest: whether it is silence, which is never syncopated.
    """
    unit = bar.triplet_unit
    result: list[Value] = []
    at = start
    while at < stop:
        inside = at // unit * unit if unit else -1
        if inside in triplets:
            end = min(stop, inside + unit)
            result += _in_triplet(at, end, inside, unit)
        else:
            end = min([stop, *(place for place in triplets if place > at)])
            result += _split(at, end, bar, rest)
        at = end
    return result


def _in_triplet(start: int, stop: int, first: int, unit: int) -> Iterator[Value]:
    """Values within one triplet of three thirds: long ones begin on a third."""
    third = unit // 3
    while start < stop:
        into = (start - first) % third
        written = (stop - start) * 3 // 2
        if into and written not in _VALUES:
            written = (third - into) * 3 // 2
        name, dots = _VALUES.get(written), 0
        if name is None and written in _DOTTED:
            name, dots = _DOTTED[written], 1
        if name is None:
            written = max(value for value in _VALUES if value < written)
            name = _VALUES[written]
        ticks = written * 2 // 3
        yield Value(start, ticks, name, dots, unit)
        start += ticks


def _split(start: int, stop: int, bar: Bar, rest: bool) -> Iterator[Value]:
    ticks = stop - start
    if ticks in _VALUES and _stands(start, stop, bar, rest, dotted=False):
        yield Value(start, ticks, _VALUES[ticks])
    elif ticks in _DOTTED and _stands(start, stop, bar, rest, dotted=True):
        yield Value(start, ticks, _DOTTED[ticks], 1)
    else:
        cut = _cut(start, stop, bar)
        yield from _split(start, cut, bar, rest)
        yield from _split(cut, stop, bar, rest)


def _inner(start: int, stop: int, bar: Bar) -> list[tuple[int, int]]:
    """Places within a span with their strengths."""
    return [(bar.strength(at), at) for at in range(start + STEP, stop, STEP)]


def _stands(start: int, stop: int, bar: Bar, rest: bool, *, dotted: bool) -> bool:
    """Whether one symbol from start to stop leaves the beat clear."""
    if stop - start == STEP:
        return True
    inner, crossed = min(_inner(start, stop, bar))
    begins, ends = bar.strength(start), bar.strength(stop)
    on_beats = begins <= 2 and ends <= 2
    if bar.is_compound and inner <= 2:
        return on_beats and begins <= inner
    if rest:
        return begins <= inner and (not dotted or (bar.is_compound and on_beats))
    if begins <= inner or ends <= inner:
        return True
    half = (stop - start) // 2
    outer = start - half, stop + half
    centred = not dotted and crossed - start == half and outer[0] >= 0 and outer[1] <= bar.length
    return centred and begins - inner == 1 and max(map(bar.strength, outer)) <= inner


def _cut(start: int, stop: int, bar: Bar) -> int:
    """The strongest place within: the last one where the span begins as strong, else the first."""
    inner = _inner(start, stop, bar)
    strongest = min(inner)[0]
    places = [at for strength, at in inner if strength == strongest]
    return places[-1] if bar.strength(start) <= strongest else places[0]
