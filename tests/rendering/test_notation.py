"""MusicXML is read back by a small reader of its own and compared with the quantised score."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from music import BEAT, melody, then, together
from strategies import scores

from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.quantise import quantise
from musenet.rendering.notation.bars import bars_of, nearest, places_of
from musenet.rendering.notation.musicxml import compressed, to_musicxml
from musenet.rendering.notation.notate import Notation, notate
from musenet.score import METRE, NOTE, TEMPO, Score, records, sort_notes

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
TYPES = {
    name: Fraction(4, 2**power)
    for power, name in enumerate(("whole", "half", "quarter", "eighth", "16th", "32nd"))
} | {"breve": Fraction(8), "long": Fraction(16)}


@dataclass(frozen=True)
class Heard:
    """A note as a reader of the file understands it, in quarter notes."""

    part: str
    onset: Fraction
    length: Fraction
    pitch: int


def text(element: Element, path: str, default: str = "") -> str:
    return element.findtext(path, default)


def read(document: bytes) -> list[Heard]:
    """The notes of a file, tied ones joined; checks that voices add up and values are true."""
    root = ElementTree.fromstring(document)
    names = {part.get("id", ""): text(part, "part-name") for part in root.iter("score-part")}
    keys = {
        midi.get("id", ""): int(text(midi, "midi-unpitched")) - 1
        for midi in root.iter("midi-instrument")
        if midi.find("midi-unpitched") is not None
    }
    return [
        heard
        for part in root.iter("part")
        for heard in read_part(part, names[part.get("id", "")], keys)
    ]


def read_part(part: Element, name: str, keys: dict[str, int]) -> list[Heard]:
    found: list[Heard] = []
    open_ties: dict[tuple[str, int], int] = {}
    start, octave, bar = Fraction(0), 0, Fraction(4)
    for measure in part:
        at = furthest = start
        onset = at
        lengths: Counter[str] = Counter()
        for element in measure:
            if element.tag == "attributes":
                octave += int(text(element, ".//octave-change", "0"))
                if element.find("time") is not None:
                    beats, kind = text(element, "time/beats"), text(element, "time/beat-type")
                    bar = Fraction(4 * int(beats), int(kind))
            elif element.tag == "backup":
                at -= Fraction(int(text(element, "duration")), 24)
            elif element.tag == "note":
                length = Fraction(int(text(element, "duration")), 24)
                assert length > 0
                if element.find("rest[@measure]") is None:
                    assert length == written_length(element)
                if element.find("chord") is None:
                    onset, at = at, at + length
                    lengths[text(element, "voice")] += length
                furthest = max(furthest, at)
                if element.find("rest") is None:
                    join(found, open_ties, name, element, onset, length, octave, keys)
        assert len(set(lengths.values())) == 1
        assert furthest - start == bar or measure.get("implicit") == "yes"
        assert furthest - start <= bar
        start = furthest
    assert not open_ties
    return found


def written_length(note: Element) -> Fraction:
    length = TYPES[text(note, "type")]
    if note.find("dot") is not None:
        length *= Fraction(3, 2)
    if note.find("time-modification") is not None:
        length *= Fraction(2, 3)
    return length


def join(
    found: list[Heard], open_ties: dict[tuple[str, int], int], part: str, note: Element,
    onset: Fraction, length: Fraction, octave: int, keys: dict[str, int],
) -> None:  # fmt: skip
    if note.find("pitch") is None:
        pitch = keys[note.find("instrument").get("id", "")]  # type: ignore[union-attr]
    else:
        steps = LETTERS[text(note, "pitch/step")] + int(text(note, "pitch/alter", "0"))
        pitch = steps + 12 * (int(text(note, "pitch/octave")) + 1 + octave)
    ties = {tie.get("type") for tie in note.iter("tie")}
    key = text(note, "voice"), pitch
    if "stop" in ties:
        index = open_ties.pop(key)
        first = found[index]
        assert first.onset + first.length == onset
        found[index] = Heard(part, first.onset, first.length + length, pitch)
    else:
        index = len(found)
        found.append(Heard(part, onset, length, pitch))
    if "start" in ties:
        open_ties[key] = index


def expected(score: Score) -> set[tuple[str, Fraction, int]]:
    """Part, onset on the grid and pitch of every note of the quantised score."""
    quantised = quantise(score)
    places = places_of(bars_of(quantised))
    onsets = nearest(places[:-1], quantised.notes["onset"])
    return {
        (INSTRUMENTS[note["instrument"]].name.capitalize(), Fraction(int(onset), 24), note["pitch"])
        for note, onset in zip(quantised.notes, onsets, strict=True)
    }


def written(score: Score) -> tuple[Notation, bytes, list[Heard]]:
    notation = notate(score)
    document = to_musicxml(notation, "A <title> & more")
    return notation, document, read(document)


def piece(
    rows: Sequence[tuple[int, ...]], metre: tuple[int, int] = (4, 4), instrument: str = "violin"
) -> Score:
    """Notes of (onset, duration, pitch) in ticks of 24 a beat."""
    notes = [(*row, 80, instrument_id(instrument)) for row in rows]
    return Score(sort_notes(records(NOTE, notes)), metres=records(METRE, [(0, *metre)]))


def values(score: Score) -> list[str]:
    """The first voice as words: value, dots, '3' in triplets, '~' where tied on, 'r' for rests."""
    notation = notate(score)
    return [
        ("" if symbol.tones else "r") + symbol.value.name + "." * symbol.value.dots
        + ("3" if symbol.value.triplet else "") + ("~" if symbol.tied_to else "")
        for bar in notation.parts[0].staves[0].voices[0]
        for symbol in bar
    ]  # fmt: skip


@given(scores(max_beats=12))
@settings(max_examples=100)
def test_every_note_is_written_once_with_its_onset_and_pitch(score: Score) -> None:
    notation, _, heard = written(score)
    found = Counter((note.part, note.onset, note.pitch) for note in heard)
    assert set(found) == expected(score)
    assert max(found.values(), default=1) == 1
    assert notation.notes == len(quantise(score).notes) == len(heard) + notation.merged


@given(
    scores(ticks_per_beat=[4, 6], max_beats=8, instruments=[15, 17, 34]),
)
def test_what_is_on_the_grid_is_not_moved(score: Score) -> None:
    plain = Score(score.notes, score.tempos, ticks_per_beat=score.ticks_per_beat)
    assert notate(plain).moved == notate(plain).merged == 0


@given(
    st.lists(
        st.tuples(st.sampled_from([3, 6, 9, 12, 18, 24, 36, 48, 72, 96]), st.integers(55, 90)),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from([(4, 4), (3, 4), (2, 2), (6, 8), (9, 8), (5, 4), (7, 8), (12, 16), (3, 2)]),
)
@settings(max_examples=60)
def test_a_melody_keeps_its_lengths(line: list[tuple[int, int]], metre: tuple[int, int]) -> None:
    starts = np.cumsum([0, *(length for length, _ in line)]).tolist()
    rows = [(start, *note) for start, note in zip(starts, line, strict=False)]
    notation, _, heard = written(piece(rows, metre))
    found = [(int(note.onset * 24), int(note.length * 24), note.pitch) for note in heard]
    assert found[:-1] == rows[:-1]
    assert abs(found[-1][1] - rows[-1][1]) <= rows[-1][1] / 6
    assert notation.moved == notation.merged == notation.cut == 0
    assert len(notation.parts[0].staves[0].voices) == 1


@pytest.mark.parametrize(
    "metre, rows, expected_values",
    [
        ((4, 4), [(0, 36, 60), (36, 60, 62)], "quarter. eighth~ half"),
        ((4, 4), [(0, 12, 60), (12, 24, 62), (36, 60, 64)], "eighth quarter eighth~ half"),
        ((4, 4), [(0, 24, 60), (24, 48, 60), (72, 24, 60)], "quarter half quarter"),
        ((3, 4), [(0, 72, 60), (72, 36, 62), (108, 36, 60)], "half. quarter. quarter."),
        ((6, 8), [(0, 48, 60), (48, 24, 62)], "quarter.~ eighth quarter"),
        ((6, 8), [(0, 72, 60)], "half."),
        ((2, 4), [(0, 8, 60), (8, 8, 62), (16, 8, 64), (24, 24, 60)],
         "eighth3 eighth3 eighth3 quarter"),
        ((2, 4), [(0, 16, 60), (16, 8, 62), (24, 24, 60)], "quarter3 eighth3 quarter"),
        ((2, 4), [(0, 32, 60), (32, 16, 64)], "quarter~ eighth3 quarter3"),
        ((4, 4), [(24, 24, 60)], "rquarter quarter rhalf"),
        ((4, 4), [(12, 12, 60)], "reighth eighth rquarter rhalf"),
        ((4, 4), [(0, 22, 60), (24, 21, 62), (48, 43, 64)], "quarter quarter half"),
        ((4, 4), [(0, 192, 60)], "whole~ whole"),
    ],
)  # fmt: skip
def test_values_show_the_beat(
    metre: tuple[int, int], rows: list[tuple[int, ...]], expected_values: str
) -> None:
    assert " ".join(values(piece(rows, metre))) == expected_values


def test_beams_join_the_notes_of_a_beat() -> None:
    rows = [(0, 12, 60), (12, 6, 62), (18, 6, 64), (24, 18, 60), (42, 6, 62), (48, 48, 60)]
    bar = notate(piece(rows)).parts[0].staves[0].voices[0][0]
    assert [symbol.beams for symbol in bar] == [
        ("begin",), ("continue", "begin"), ("end", "end"), ("begin",), ("end", "backward hook"), (),
    ]  # fmt: skip


@pytest.mark.parametrize("metre, expected_beams", [((4, 4), "bccebcce"), ((3, 4), "bcccce")])
def test_plain_eighths_are_joined_beyond_the_beat(
    metre: tuple[int, int], expected_beams: str
) -> None:
    rows = [(12 * i, 12, 60 + i) for i in range(len(expected_beams))]
    bar = notate(piece(rows, metre)).parts[0].staves[0].voices[0][0]
    assert "".join(symbol.beams[0][0] for symbol in bar) == expected_beams


def test_two_lines_are_two_voices_and_chords_are_one() -> None:
    lines = [(0, 96, 60), *((24 * beat, 24, 72 + beat) for beat in range(4))]
    staff = notate(piece(lines)).parts[0].staves[0]
    assert [len(voice[0]) for voice in staff.voices] == [4, 1]
    chords = [(24 * beat, 24, pitch) for beat in range(4) for pitch in (60, 64, 67)]
    staff = notate(piece(chords)).parts[0].staves[0]
    assert [len(symbol.tones) for symbol in staff.voices[0][0]] == [3, 3, 3, 3]


def test_two_against_three_on_one_staff() -> None:
    rows = [(0, 8, 72), (8, 8, 74), (16, 8, 76), (6, 6, 60), (12, 6, 62), (18, 6, 64)]
    notation, _, heard = written(piece(rows))
    found = {(int(note.onset * 24), int(note.length * 24), note.pitch) for note in heard}
    assert found == set(rows)
    assert len(notation.parts[0].staves[0].voices) == 2


def test_a_piano_is_written_for_two_hands() -> None:
    rows = [(24 * i, 24, pitch) for i in range(8) for pitch in (40, 43, 47, 64, 67, 71)]
    part = notate(piece(rows, instrument="piano")).parts[0]
    assert [staff.clef.sign for staff in part.staves] == ["G", "F"]
    for staff, pitches in zip(part.staves, ([64, 67, 71], [40, 43, 47]), strict=True):
        assert [tone.pitch for tone in staff.voices[0][0][0].tones] == pitches


@pytest.mark.parametrize(
    "instrument, pitch, sign, line, octaves",
    [
        ("violin", 76, "G", 2, 0), ("viola", 60, "C", 3, 0), ("cello", 45, "F", 4, 0),
        ("bassoon", 67, "C", 4, 0), ("contrabass", 33, "F", 4, 1), ("piccolo", 93, "G", 2, -1),
        ("acoustic guitar", 52, "G", 2, 1), ("tuba", 34, "F", 4, 0), ("voice", 48, "F", 4, 0),
        ("drums", 38, "percussion", 2, 0), ("sound effects", 3, "F", 4, 1),
    ],
)  # fmt: skip
def test_clefs_and_octaves(instrument: str, pitch: int, sign: str, line: int, octaves: int) -> None:
    score = piece([(0, 96, pitch)], instrument=instrument)
    layout = notate(score).parts[0].layout
    assert (layout.clefs[0].sign, layout.clefs[0].line) == (sign, line)
    assert layout.octaves == octaves
    assert written(score)[2][0].pitch == pitch


def scale_of(tonic: int, steps: tuple[int, ...]) -> Score:
    pitches = [60 + tonic + step for step in (*steps, 12, *steps[::-1])]
    rows = [(24 * i, 24, pitch) for i, pitch in enumerate(pitches)]
    return piece([*rows, *((24 * len(pitches) + 96 * i, 96, 60 + tonic + s) for i in (0, 1)
                           for s in (0, steps[2], 7))])  # fmt: skip


@pytest.mark.parametrize(
    "tonic, fifths", [(0, 0), (7, 1), (5, -1), (3, -3), (9, 3), (8, -4), (11, 5), (1, -5)]
)
def test_a_major_scale_needs_no_accidentals(tonic: int, fifths: int) -> None:
    notation, document, _ = written(scale_of(tonic, (0, 2, 4, 5, 7, 9, 11)))
    assert (notation.fifths, notation.is_minor) == (fifths, False)
    assert b"<accidental>" not in document


def test_a_leading_note_in_minor_is_sharp_and_is_cancelled_in_the_bar() -> None:
    score = scale_of(9, (0, 2, 3, 5, 7, 8, 11))
    notation, document, _ = written(score)
    assert (notation.fifths, notation.is_minor) == (0, True)
    found = [text(n, "pitch/step") + text(n, "accidental")
             for n in ElementTree.fromstring(document).iter("note")
             if n.find("accidental") is not None]  # fmt: skip
    assert set(found) == {"Gsharp"}


def test_an_accidental_holds_for_its_bar() -> None:
    scale = scale_of(0, (0, 2, 4, 5, 7, 9, 11))
    start = 96 * len(bars_of(scale))
    line = piece([(start + 24 * i, 24, pitch) for i, pitch in enumerate((66, 66, 65, 66, 66))])
    bars = notate(together([scale, line])).parts[0].staves[0].voices[0][-2:]
    names = [symbol.tones[0].accidental for bar in bars for symbol in bar if symbol.tones]
    assert names == ["sharp", "", "natural", "sharp", "sharp"]


def test_an_upbeat_and_a_change_of_metre() -> None:
    metres = records(METRE, [(0, 1, 4), (24, 3, 4), (24 + 144, 6, 8)])
    notes = records(NOTE, [(24 * i, 24, 60 + i % 5, 80, 15) for i in range(16)])
    notation, document, _ = written(Score(notes, metres=metres))
    assert [(b.length, b.numerator) for b in notation.bars][:4] == [
        (24, 3), (72, 3), (72, 3), (72, 6),
    ]  # fmt: skip
    measures = list(ElementTree.fromstring(document).iter("measure"))
    assert (measures[0].get("number"), measures[0].get("implicit")) == ("0", "yes")
    assert text(measures[0], "attributes/time/beats") == "3"
    assert measures[1].find("attributes") is None


def test_tempo_and_dynamics_are_marked() -> None:
    tempos = records(TEMPO, [(0, 90.0), (960, 140.0)])
    notes = [(24 * i, 24, 60, (30 if i < 32 else 110) + i % 5 * 2, 15) for i in range(80)]
    _, document, _ = written(Score(records(NOTE, notes), tempos))
    root = ElementTree.fromstring(document)
    assert [int(e.text or "") for e in root.iter("per-minute")] == [90, 140]
    assert [e[0].tag for e in root.iter("dynamics")] == ["pp", "ff"]
    assert root.find(".//sound[@tempo]") is not None


def test_drums_have_names_and_places() -> None:
    rows = [(12 * i, 6, key) for i in range(8) for key in (36 if i % 2 else 38, 42)]
    _, document, heard = written(piece(rows, instrument="drums"))
    root = ElementTree.fromstring(document)
    names = [e.text for e in root.iter("instrument-name")]
    assert names == ["Bass Drum", "Snare", "Closed Hi-Hat"]
    assert {e.text for e in root.iter("notehead")} == {"normal", "x"}
    assert Counter(note.pitch for note in heard) == {36: 4, 38: 4, 42: 8}


def test_a_performance_is_noticed_and_notated_music_is_not() -> None:
    rng = np.random.default_rng(0)
    onsets = np.sort(rng.integers(0, 480 * 64, 200))
    rows = [(int(onset), 200, int(60 + rng.integers(12)), 80, 0) for onset in onsets]
    assert notate(Score(records(NOTE, rows), ticks_per_beat=480)).is_performed
    assert not notate(melody(1)).is_performed


def test_a_score_without_notes_is_a_bar_of_rest() -> None:
    notation, _, heard = written(Score())
    assert heard == []
    assert notation.parts[0].staves[0].voices[0][0][0].fills_bar


def test_the_compressed_file_holds_the_document() -> None:
    document = to_musicxml(notate(melody(2)))
    with zipfile.ZipFile(io.BytesIO(compressed(document))) as archive:
        container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
        path = container.find(".//rootfile").get("full-path")  # type: ignore[union-attr]
        assert archive.read(str(path)) == document
    assert compressed(document) == compressed(document)


def test_parts_stand_in_score_order() -> None:
    score = together(
        melody(i, instrument=instrument_id(name))
        for i, name in enumerate(("piano", "cello", "drums", "flute", "violin"))
    )
    names = [INSTRUMENTS[part.layout.instrument].name for part in notate(score).parts]
    assert names == ["flute", "drums", "piano", "violin", "cello"]
    assert DRUMS in score.instruments


def test_a_long_piece_with_another_metre_adds_up() -> None:
    score = then(melody(3), melody(4, instrument=17), rest=BEAT // 3, metre=(7, 8))
    found = {(note.part, note.onset, note.pitch) for note in written(score)[2]}
    assert found == expected(score)
