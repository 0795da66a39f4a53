"""Score -> notation: parts of staves of voices, each bar of them filled with symbols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from musenet.instruments import DRUMS
from musenet.key import NO_KEY, key_of
from musenet.quantise import quantise
from musenet.rendering.notation.accidentals import Voices, with_accidentals
from musenet.rendering.notation.bars import Bar, Ruler, bars_of, places_of
from musenet.rendering.notation.grid import drum_ends, ends_of, place, sounds_performed
from musenet.rendering.notation.marks import Dynamic, Tempo, dynamics_of, tempos_of
from musenet.rendering.notation.spelling import key_fifths, lowest_of_bars, spell
from musenet.rendering.notation.staves import Clef, Layout, layout_of, score_order, upper_staff
from musenet.rendering.notation.symbols import Tone, symbols_of
from musenet.rendering.notation.voices import Chord, chords_of, separate
from musenet.score import Array, Score

_VOICES = 4
"""Voices of an instrument on one staff, and of one on two staves together."""
_PIANO = 0


@dataclass(frozen=True)
class Staff:
    """A staff: its clef, and symbols by voice and bar (a later voice may have empty bars)."""

    clef: Clef
    voices: Voices


@dataclass(frozen=True)
class Part:
    """An instrument as written.

    Attributes:
        layout: instrument, clefs and octave.
        staves: from above.
        dynamics: marks, rising in tick.
        moved: onsets rounded to a 32nd or a 16th of a triplet.
        merged: notes that met another of their pitch when rounded, and became one with it.
        cut: notes shortened because no voice was free.
    """

    layout: Layout
    staves: tuple[Staff, ...]
    dynamics: tuple[Dynamic, ...]
    moved: int
    merged: int
    cut: int


@dataclass(frozen=True)
class Notation:
    """A piece as written music.

    Attributes:
        bars: bars of all parts.
        fifths: sharps, or negative flats, of the key signature.
        is_minor: whether the key is a minor one.
        tempos: all of them, rising in tick.
        parts: in score order, at least one.
        notes: notes of the quantised score.
        is_performed: whether the source keeps no beat, so that the rhythm is a guess.
    """

    bars: tuple[Bar, ...]
    fifths: int
    is_minor: bool
    tempos: tuple[Tempo, ...]
    parts: tuple[Part, ...]
    notes: int
    is_performed: bool

    @property
    def moved(self) -> int:
        """Onsets rounded, of all parts."""
        return sum(part.moved for part in self.parts)

    @property
    def merged(self) -> int:
        """Notes that became one with another, of all parts."""
        return sum(part.merged for part in self.parts)

    @property
    def cut(self) -> int:
        """Notes shortened for want of a voice, of all parts."""
        return sum(part.cut for part in self.parts)


@dataclass(frozen=True, eq=False)
class _Frame:
    """What all parts share."""

    ruler: Ruler
    places: NDArray[np.int64]
    lowest: Sequence[int]
    fifths: int


def notate(score: Score) -> Notation:
    """The written form of a score.

    Every note of the quantised score is one symbol or a tied chain, with its onset on the nearest
    32nd or 16th of a triplet; every voice fills its bars. The key is found by `key_of`.

    Args:
        score: best not quantised yet, so that a performance without beats is noticed.
    """
    quantised = quantise(score)
    bars = bars_of(quantised)
    key, _ = key_of(quantised)
    fifths = key_fifths(key)
    lowest = lowest_of_bars(quantised, bars, key)
    frame = _Frame(Ruler(bars), places_of(bars), lowest, fifths)
    instruments = score_order(quantised.instruments) or [_PIANO]
    return Notation(
        bars=tuple(bars),
        fifths=fifths,
        is_minor=NO_KEY > key >= 12,
        tempos=tuple(tempos_of(quantised)),
        parts=tuple(_part(quantised, instrument, frame) for instrument in instruments),
        notes=len(quantised.notes),
        is_performed=sounds_performed(score),
    )


def _part(score: Score, instrument: int, frame: _Frame) -> Part:
    notes = score.notes[score.notes["instrument"] == instrument]
    placed = place(notes, frame.places)
    layout = layout_of(instrument, notes["pitch"])
    hands = _hands(placed.notes) if len(layout.clefs) == 2 else [placed.notes]
    pairs = [
        _staff(hand, clef, layout, frame) for hand, clef in zip(hands, layout.clefs, strict=True)
    ]
    return Part(
        layout=layout,
        staves=tuple(staff for staff, _ in pairs),
        dynamics=tuple(dynamics_of(notes, frame.ruler.bars)),
        moved=placed.moved,
        merged=placed.merged,
        cut=sum(cut for _, cut in pairs),
    )


def _hands(notes: Array) -> list[Array]:
    upper = upper_staff(notes["onset"].astype(np.int64), notes["pitch"].astype(np.int64))
    return [notes[upper], notes[~upper]]


def _staff(notes: Array, clef: Clef, layout: Layout, frame: _Frame) -> tuple[Staff, int]:
    """A staff, and how many of its notes were cut."""
    is_drums = layout.instrument == DRUMS
    ends = drum_ends(notes, frame.ruler) if is_drums else ends_of(notes, frame.ruler, frame.places)
    rows = zip(notes["onset"].tolist(), ends.tolist(), notes["pitch"].tolist(), strict=True)
    voices, cut = separate(chords_of(rows), frame.ruler, _VOICES // len(layout.clefs))
    tones = partial(_tones, octaves=layout.octaves, frame=frame)
    symbols = tuple(
        symbols_of(voice, frame.ruler, tones, always=index == 0)
        for index, voice in enumerate(voices or [[]])
    )
    return Staff(clef, symbols if is_drums else with_accidentals(symbols, frame.fifths)), cut


def _tones(chord: Chord, octaves: int, frame: _Frame) -> tuple[Tone, ...]:
    lowest = frame.lowest[frame.ruler.index(chord.start)]
    return tuple(Tone(spell(pitch + 12 * octaves, lowest), pitch) for pitch in chord.pitches)
