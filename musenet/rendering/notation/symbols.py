"""Symbols: a voice's bars as rests and chords with values, ties, beams and triplets."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from musenet.rendering.notation.bars import EIGHTH, STEP, Bar, Ruler
from musenet.rendering.notation.rhythm import Value, values_of
from musenet.rendering.notation.spelling import Pitch
from musenet.rendering.notation.voices import Chord


@dataclass(frozen=True)
class Tone:
    """A note head: its written pitch, what sounds (MIDI pitch or drum key), its accidental."""

    written: Pitch
    pitch: int
    accidental: str = ""


@dataclass(frozen=True)
class Symbol:
    """A rest or a chord with one value.

    Attributes:
        value: how long, and where in the bar.
        tones: from below; none for a rest.
        tied_from: whether it goes on from the symbol before.
        tied_to: whether it goes on in the next symbol.
        fills_bar: whether it is a rest of a whole bar.
        beams: 'begin', 'continue', 'end', 'forward hook' or 'backward hook', eighths first.
        tuplet: 'start' or 'stop' of a triplet, or nothing.
    """

    value: Value
    tones: tuple[Tone, ...] = ()
    tied_from: bool = False
    tied_to: bool = False
    fills_bar: bool = False
    beams: tuple[str, ...] = ()
    tuplet: str = ""


BarOfVoice = tuple[Symbol, ...]
_Span = tuple[int, int, Chord | None]


def symbols_of(
    voice: Sequence[Chord],
    ruler: Ruler,
    tones: Callable[[Chord], tuple[Tone, ...]],
    *,
    always: bool,
) -> tuple[BarOfVoice, ...]:
    """The symbols of a voice, one tuple a bar, each of which adds up to its bar or is empty.

    Args:
        voice: chords on places that `values_of` can write, without overlaps.
        ruler: the bars.
        tones: the note heads of a chord.
        always: whether a bar without notes gets a rest; else it is empty.
    """
    spans: dict[int, list[_Span]] = defaultdict(list)
    for chord in voice:
        for index in range(ruler.index(chord.start), ruler.index(chord.stop - 1) + 1):
            bar = ruler.bars[index]
            start, stop = max(chord.start, bar.start), min(chord.stop, bar.stop)
            spans[index].append((start - bar.start, stop - bar.start, chord))
    return tuple(
        _bar(bar, spans[index], tones) if index in spans else (_rest(bar) if always else ())
        for index, bar in enumerate(ruler.bars)
    )


def _rest(bar: Bar) -> BarOfVoice:
    """A bar without notes; a short one in values, as readers fill the metre with a bar's rest."""
    if bar.is_whole:
        return (Symbol(Value(0, bar.length, "whole"), fills_bar=True),)
    return tuple(Symbol(value) for value in values_of(0, bar.length, bar, set(), rest=True))


def _bar(
    bar: Bar, spans: Sequence[_Span], tones: Callable[[Chord], tuple[Tone, ...]]
) -> BarOfVoice:
    filled = _with_rests(spans, bar.length)
    unit = bar.triplet_unit
    triplets = {at // unit * unit for at, *_ in filled if unit and at % STEP}
    symbols: list[Symbol] = []
    for start, stop, chord in filled:
        values = values_of(start, stop, bar, triplets, rest=chord is None)
        for value in values:
            if chord is None:
                symbols.append(Symbol(value))
            else:
                before = bar.start + value.start > chord.start
                after = bar.start + value.stop < chord.stop
                symbols.append(Symbol(value, tones(chord), before, after))
    return tuple(_beamed(_in_tuplets(symbols), bar))


def _with_rests(spans: Sequence[_Span], length: int) -> list[_Span]:
    result: list[_Span] = []
    at = 0
    for span in (*spans, (length, length, None)):
        if span[0] > at:
            result.append((at, span[0], None))
        if span[1] > span[0]:
            result.append(span)
        at = span[1]
    return result


def _in_tuplets(symbols: Sequence[Symbol]) -> list[Symbol]:
    result: list[Symbol] = []
    for unit, group in groupby(symbols, key=_triplet):
        members = list(group)
        if unit >= 0:
            members[0] = replace(members[0], tuplet="start")
            members[-1] = replace(members[-1], tuplet="stop")
        result += members
    return result


def _triplet(symbol: Symbol) -> int:
    """Where the symbol's triplet begins in the bar, or -1."""
    value = symbol.value
    return value.start // value.triplet * value.triplet if value.triplet else -1


def _beamed(symbols: Sequence[Symbol], bar: Bar) -> list[Symbol]:
    result: list[Symbol] = []
    for members in _joined(symbols, bar):
        if len(members) > 1 and _has_flags(members[0]):
            flags = [member.value.flags for member in members]
            members = [
                replace(member, beams=_beams(flags, index)) for index, member in enumerate(members)
            ]
        result += members
    return result


def _joined(symbols: Sequence[Symbol], bar: Bar) -> list[list[Symbol]]:
    """Symbols in groups that a beam may join: of a beat, or of plain eighths beyond it.

    Eighths alone are joined by half bars in four and by bars in two and three (Gould, chapter 6).
    """

    def beat(symbol: Symbol) -> int:
        return bisect_right(bar.beats, symbol.value.start) if _has_flags(symbol) else -1

    def are_plain(group: Sequence[Symbol]) -> bool:
        return len(group) > 1 and all(s.value.ticks == EIGHTH and s.tones for s in group)

    groups: list[list[Symbol]] = []
    for _, members in groupby(symbols, key=beat):
        group = list(members)
        joins = groups and group[0].value.start not in bar.beam_starts
        if joins and are_plain(groups[-1]) and are_plain(group):
            groups[-1] += group
        else:
            groups.append(group)
    return groups


def _has_flags(symbol: Symbol) -> bool:
    return bool(symbol.tones and symbol.value.flags)


def _beams(flags: Sequence[int], index: int) -> tuple[str, ...]:
    """The beams of one of the notes joined, of as many levels as it has flags."""
    result = []
    for level in range(1, flags[index] + 1):
        before = index > 0 and flags[index - 1] >= level
        after = index + 1 < len(flags) and flags[index + 1] >= level
        lonely = "backward hook" if index else "forward hook"
        names = {(True, True): "continue", (False, True): "begin", (True, False): "end"}
        result.append(names.get((before, after), lonely))
    return tuple(result)
