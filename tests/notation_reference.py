"""Notation as music21 reads it: a second opinion of the MusicXML that musenet writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from music21 import converter, stream
from music21.chord import ChordBase
from music21.note import NotRest, Unpitched
from music21.pitch import Pitch

from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.rendering.notation.notate import Notation, Part, Staff
from musenet.rendering.notation.percussion import drum_head
from musenet.score import TICKS_PER_BEAT

Heard = tuple[str, Fraction, Fraction, int]
"""Part, onset and length in quarters, MIDI pitch (of drums: of their place on the staff)."""


def read(document: bytes) -> stream.Score:
    """The document as music21 understands it."""
    score = converter.parseData(document.decode(), format="musicxml")
    assert isinstance(score, stream.Score)
    return score


def quarters(value: Any) -> Fraction:
    """An offset or a length of music21, exactly: it keeps dyadic floats and fractions."""
    return Fraction(value)


def sounding(score: stream.Score) -> Counter[Heard]:
    """The notes of a score, tied ones joined, at the pitch that sounds."""
    return Counter(
        (part.partName, onset, length, pitch)
        for part in score.toSoundingPitch().parts
        for onset, length, pitch in notes_of(part)
    )


def notes_of(part: stream.Part) -> Iterator[tuple[Fraction, Fraction, int]]:
    """Onset, length and pitch of the notes of a part, tied ones joined.

    The library's own joining (`stripTies`) mixes up the voices of a measure.
    """
    begun: dict[int, tuple[Fraction, Fraction]] = {}
    elements = [(quarters(e.getOffsetInHierarchy(part)), e) for e in part.recurse().notes]
    for at, element in sorted(elements, key=lambda pair: pair[0]):
        stop = at + quarters(element.quarterLength)
        for note in element.notes if isinstance(element, ChordBase) else [element]:
            pitch = pitch_of(note)
            ties = "" if note.tie is None else note.tie.type
            onset, end = begun.pop(pitch) if ties in ("continue", "stop") else (at, at)
            assert end == at
            if ties in ("start", "continue"):
                assert pitch not in begun
                begun[pitch] = onset, stop
            else:
                yield onset, stop - onset, pitch
    assert not begun


def pitch_of(note: NotRest) -> int:
    """The MIDI pitch of a note; of drums, of the place where it stands on the staff.

    The library keeps no instrument for a single note of a chord of drums.
    """
    return int(note.displayPitch().midi if isinstance(note, Unpitched) else note.pitch.midi)


def voices_of(measure: stream.Measure) -> list[stream.Stream]:
    """The voices of a measure; the measure itself where it has but one."""
    return list(measure.voices) or [measure]


def name_of(part: Part) -> str:
    """The name under which a part is written."""
    return INSTRUMENTS[part.layout.instrument].name.capitalize()


def written(notation: Notation) -> Counter[Heard]:
    """The notes that the notation means, tied symbols joined."""
    return Counter(
        (name_of(part), onset, length, _head(part, pitch))
        for part in notation.parts
        for staff in part.staves
        for onset, length, pitch in _joined(notation, staff)
    )


def _head(part: Part, pitch: int) -> int:
    if part.layout.instrument != DRUMS:
        return pitch
    place = drum_head(pitch).place
    return int(Pitch(f"{place.step}{place.octave}").midi)


def _joined(notation: Notation, staff: Staff) -> Iterator[tuple[Fraction, Fraction, int]]:
    for voice in staff.voices:
        begun: dict[int, int] = {}
        for bar, symbols in zip(notation.bars, voice, strict=True):
            for symbol in symbols:
                start, stop = bar.start + symbol.value.start, bar.start + symbol.value.stop
                for tone in symbol.tones:
                    onset = begun.pop(tone.pitch) if symbol.tied_from else start
                    if symbol.tied_to:
                        begun[tone.pitch] = onset
                    else:
                        length = Fraction(stop - onset, TICKS_PER_BEAT)
                        yield Fraction(onset, TICKS_PER_BEAT), length, tone.pitch
        assert not begun


def is_plain(notation: Notation) -> bool:
    """Whether the library can tell a whole rest from a rest of a bar.

    In bars that are to be longer than a whole note it takes the one for the other, where another
    staff rests for a bar or the bar is short.
    """
    single = all(len(part.staves) == 1 for part in notation.parts)
    return all(
        bar.numerator <= bar.denominator or (single and bar.is_whole) for bar in notation.bars
    )
