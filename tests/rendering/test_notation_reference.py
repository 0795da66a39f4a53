"""Our MusicXML as music21 reads it: the same parts, notes, metres, keys, tempos and full bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import assume, given, settings
from music21 import key, meter, stream, tempo
from notation_pieces import ON_THE_GRID, PIECES, TEN
from notation_reference import (
    Heard,
    is_plain,
    name_of,
    quarters,
    read,
    sounding,
    voices_of,
    written,
)
from strategies import scores

from musenet.instruments import INSTRUMENTS
from musenet.rendering.notation.engraving import engrave
from musenet.rendering.notation.musicxml import to_musicxml
from musenet.rendering.notation.notate import Notation, notate
from musenet.score import TICKS_PER_BEAT, Score, resample
from musenet.studio.openings import OPENINGS

pytestmark = pytest.mark.filterwarnings("ignore:.*does not map to a valid instrument")
# music21 has no instrument for some percussion keys of General MIDI

ALL = {**PIECES, **{name: opening.score() for name, opening in OPENINGS.items()}}
ORDERS = {
    "measure": "attributes direction sound note backup barline",
    "attributes": "divisions key time staves clef transpose",
    "direction": "direction-type offset staff sound",
    "score-part": "part-name part-abbreviation score-instrument midi-instrument",
    "midi-instrument": "midi-channel midi-program midi-unpitched",
    "note": "chord pitch unpitched rest duration tie instrument voice type dot accidental "
    "time-modification notehead staff beam notations",
    "pitch": "step alter octave",
    "clef": "sign line",
    "time-modification": "actual-notes normal-notes normal-type",
    "notations": "tied tuplet",
    "metronome": "beat-unit beat-unit-dot per-minute",
}
"""Children of elements in the order that the schema of MusicXML 4.0 asks for."""


def check(notation: Notation, document: bytes) -> stream.Score:
    """Hold the document against the notation in all that music21 knows of it."""
    score = read(document)
    names = [name_of(part) for part in notation.parts for _ in part.staves]
    assert sorted(part.partName for part in score.parts) == sorted(names)
    assert sounding(score) == written(notation)
    for part in score.parts:
        check_bars(notation, part)
    assert list(metres_in(score)) == list(metres_of(notation))
    drums = [part.partName == "Drums" for part in score.parts]
    found = [part.recurse().getElementsByClass(key.KeySignature).first() for part in score.parts]
    assert {k.sharps for k, drum in zip(found, drums, strict=True) if not drum} <= {notation.fifths}
    assert {round(quarters(at) * TICKS_PER_BEAT) for at, _ in tempos_in(score)} == {
        mark.tick for mark in notation.tempos if mark.tick < notation.bars[-1].stop
    }
    return score


def check_bars(notation: Notation, part: stream.Part) -> None:
    """Bars begin where they should; their voices fill them and nothing in one overlaps."""
    measures = part.getElementsByClass(stream.Measure)
    for measure, bar in zip(measures, notation.bars, strict=True):
        assert quarters(measure.offset) * TICKS_PER_BEAT == bar.start
        for voice in voices_of(measure):
            at = Fraction(0)
            for element in voice.notesAndRests:
                assert quarters(element.offset) == at
                at += quarters(element.quarterLength)
            assert at * TICKS_PER_BEAT == bar.length


def metres_in(score: stream.Score) -> Iterator[tuple[Fraction, int, int]]:
    for mark in score.parts[0].recurse().getElementsByClass(meter.TimeSignature):
        onset = quarters(mark.getOffsetInHierarchy(score.parts[0]))
        yield onset, mark.numerator, mark.denominator


def metres_of(notation: Notation) -> Iterator[tuple[Fraction, int, int]]:
    last = 0, 0
    for bar in notation.bars:
        if (bar.numerator, bar.denominator) != last:
            last = bar.numerator, bar.denominator
            yield Fraction(bar.start, TICKS_PER_BEAT), *last


def tempos_in(score: stream.Score) -> list[tuple[float, float]]:
    """Offsets and quarters a minute of the tempos of the first part, shown or for playback."""
    marks = score.parts[0].recurse().getElementsByClass(tempo.MetronomeMark)
    return [
        (mark.getOffsetInHierarchy(score.parts[0]), mark.getQuarterBPM() or mark.numberSounding)
        for mark in marks
    ]


@pytest.mark.parametrize("name", ALL)
def test_small_pieces_are_read_as_they_are_meant(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    notation = notate(ALL[name])
    document = to_musicxml(notation, name)
    check(notation, document)
    check_order(ElementTree.fromstring(document))
    assert engrave(document)
    assert capfd.readouterr() == ("", "")


@given(scores(max_beats=12))
@settings(max_examples=40)
def test_any_score_is_read_as_it_is_meant(score: Score) -> None:
    notation = notate(score)
    assume(is_plain(notation))
    document = to_musicxml(notation)
    check(notation, document)
    check_order(ElementTree.fromstring(document))


def heard_in(score: Score) -> Counter[Heard]:
    """The notes of a score itself."""
    return Counter(
        (
            INSTRUMENTS[note["instrument"]].name.capitalize(),
            Fraction(int(note["onset"]), TICKS_PER_BEAT),
            Fraction(int(note["duration"]), TICKS_PER_BEAT),
            int(note["pitch"]),
        )
        for note in resample(score, TICKS_PER_BEAT).notes
    )


@pytest.mark.parametrize("name", ON_THE_GRID)
def test_what_is_on_the_grid_sounds_the_same(name: str) -> None:
    score = ON_THE_GRID[name]
    assert sounding(read(to_musicxml(notate(score)))) == heard_in(score)


def test_tempos_are_heard_where_they_change() -> None:
    notation = notate(PIECES["tempos"])
    found = tempos_in(read(to_musicxml(notation)))
    assert len(found) == 4
    for (at, bpm), mark in zip(found, notation.tempos, strict=True):
        assert quarters(at) * TICKS_PER_BEAT == mark.tick
        assert abs(bpm - mark.bpm) <= 0.5


def test_parts_keep_the_order_of_a_score() -> None:
    score = read(to_musicxml(notate(PIECES["ten"])))
    order = list(dict.fromkeys(part.partName.lower() for part in score.parts))
    assert order == list(TEN)


def test_an_empty_upbeat_is_no_longer_than_it_is() -> None:
    score = PIECES["upbeat"]
    notes = score.notes[score.notes["onset"] >= TICKS_PER_BEAT]
    notation = notate(Score(notes, score.tempos, score.metres))
    measures = check(notation, to_musicxml(notation)).parts[0].getElementsByClass(stream.Measure)
    assert [measure.offset for measure in measures][:3] == [0, 1, 4]


def check_order(element: Element) -> None:
    """Children stand in the order of the schema; music in a measure may alternate."""
    if element.tag in ORDERS:
        order = ORDERS[element.tag].split()
        places = [order.index(child.tag) for child in element]
        assert element.tag == "measure" or places == sorted(places)
    for child in element:
        check_order(child)
