"""Voices: the notes of a staff as lines of chords that do not overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from musenet.rendering.notation.bars import STEP, TRIPLET_STEP, Ruler

_LATER_VOICE, _GAP, _NEW, _LEAP = 1.0, 1.5, 3.0, 6.0
_CUT = 1000.0


@dataclass(frozen=True)
class Chord:
    """Notes that begin and end together; `pitches` rise."""

    start: int
    stop: int
    pitches: tuple[int, ...]


Voice = list[Chord]


def chords_of(notes: Iterable[tuple[int, int, int]]) -> list[Chord]:
    """Chords of notes (start, stop, pitch), in order of start, high ones first."""
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    for start, stop, pitch in notes:
        found[start, stop].add(pitch)
    chords = [Chord(*span, tuple(sorted(pitches))) for span, pitches in found.items()]
    return sorted(chords, key=lambda chord: (chord.start, -chord.pitches[-1], chord.stop))


def separate(chords: Sequence[Chord], ruler: Ruler, count: int) -> tuple[list[Voice], int]:
    """At most `count` (2 or more) voices, high ones first, and how many notes were cut for it.

    A chord goes to a voice that is free, near in pitch and not divided otherwise (no beat of a
    voice is both in triplets and in halves). Where none is free, the voice that loses least ends
    its chord, or takes the notes into one that begins with them.
    """
    voices: list[Voice] = [[] for _ in range(count)]
    divisions = _Divisions(chords, ruler, count)
    cut = 0
    for chord in chords:
        allowed = [v for v in range(count) if divisions.allows(v, chord)]
        chosen = min(allowed, key=lambda v: _cost(v, voices[v], chord))
        divisions.take(chosen, chord)
        cut += _add(voices[chosen], chord)
    ordered = _high_first(voices, ruler)
    return [_on_divisions(voice, ruler) for voice in ordered if voice], cut


class _Divisions:
    """Which voices may take a chord, by how it divides the beat that it begins in."""

    def __init__(self, chords: Sequence[Chord], ruler: Ruler, count: int) -> None:
        self._ruler, self._last = ruler, count - 1
        self._taken: dict[tuple[int, int], str] = {}
        kinds: dict[int, set[str]] = defaultdict(set)
        for chord in chords:
            kinds[ruler.unit(chord.start)].add(self._kind(chord))
        self._mixed = {unit for unit, found in kinds.items() if {"binary", "triplet"} <= found}

    def allows(self, voice: int, chord: Chord) -> bool:
        """Whether the voice is free to; in mixed beats the first and last are kept for one kind."""
        kind, unit = self._kind(chord), self._ruler.unit(chord.start)
        if not kind or unit < 0:
            return True
        if unit in self._mixed and voice in (0, self._last):
            return kind == ("triplet" if voice else "binary")
        return self._taken.get((voice, unit), kind) == kind

    def take(self, voice: int, chord: Chord) -> None:
        """Note that a voice has the chord."""
        if kind := self._kind(chord):
            self._taken[voice, self._ruler.unit(chord.start)] = kind

    def _kind(self, chord: Chord) -> str:
        """The division that the onset asks, or else an end in the same beat."""
        ruler = self._ruler
        if kind := ruler.kind(chord.start):
            return kind
        inside = ruler.unit(chord.stop) == ruler.unit(chord.start)
        return ruler.kind(chord.stop) if inside else ""


def _cost(index: int, voice: Voice, chord: Chord) -> float:
    if not voice:
        return _LATER_VOICE * index + _NEW
    last = voice[-1]
    if last.start == chord.start:
        return _CUT + abs(last.stop - chord.stop) * min(len(last.pitches), len(chord.pitches))
    if last.stop > chord.start:
        return _CUT + (last.stop - chord.start) * len(last.pitches)
    leap = abs(fmean(last.pitches) - fmean(chord.pitches)) / _LEAP
    return _LATER_VOICE * index + _GAP * (last.stop < chord.start) + min(2.0, leap)


def _add(voice: Voice, chord: Chord) -> int:
    """Put a chord at the end of a voice; how many notes that makes shorter."""
    if not voice or voice[-1].stop <= chord.start:
        voice.append(chord)
        return 0
    last = voice[-1]
    if last.start < chord.start:
        voice[-1] = replace(last, stop=chord.start)
        voice.append(chord)
        return len(last.pitches)
    stop = min(last.stop, chord.stop)
    voice[-1] = Chord(last.start, stop, tuple(sorted({*last.pitches, *chord.pitches})))
    return len(chord.pitches) * (chord.stop > stop) + len(last.pitches) * (last.stop > stop)


def _high_first(voices: Sequence[Voice], ruler: Ruler) -> list[Voice]:
    """The voices in order of pitch in each stretch of bars that no note ties to the next."""
    tied = {
        index
        for voice in voices
        for chord in voice
        for index in range(ruler.index(chord.start) + 1, ruler.index(chord.stop - 1) + 1)
    }
    cuts = [bar.start for index, bar in enumerate(ruler.bars) if index not in tied]
    stretches: dict[int, list[Voice]] = defaultdict(lambda: [[] for _ in voices])
    for index, voice in enumerate(voices):
        for chord in voice:
            stretches[bisect_right(cuts, chord.start)][index].append(chord)
    ordered: list[Voice] = [[] for _ in voices]
    for _, stretch in sorted(stretches.items()):
        for place, voice in enumerate(sorted(stretch, key=_height, reverse=True)):
            ordered[place] += voice
    return ordered


def _height(voice: Voice) -> float:
    return fmean(fmean(chord.pitches) for chord in voice) if voice else -1.0


def _on_divisions(voice: Voice, ruler: Ruler) -> Voice:
    """Chords that end where the division of the beat lets them."""
    kinds = {ruler.unit(c.start): kind for c in voice if (kind := ruler.kind(c.start))}
    result: Voice = []
    for index, chord in enumerate(voice):
        stop, kind = chord.stop, ruler.kind(chord.stop)
        if kind and kinds.setdefault(ruler.unit(stop), kind) != kind:
            later = voice[index + 1].start if index + 1 < len(voice) else ruler.bars[-1].stop
            step = STEP if kind == "triplet" else TRIPLET_STEP
            stop = _nearest(stop, step, ruler.bars[ruler.index(stop)].start, chord.start, later)
        result.append(replace(chord, stop=stop))
    return result


def _nearest(tick: int, step: int, origin: int, after: int, until: int) -> int:
    """The nearest multiple of `step` from the origin that is past `after`, not past `until`."""
    down = origin + (tick - origin) // step * step
    best = down if tick - down <= down + step - tick and down > after else down + step
    return min(best, until)
