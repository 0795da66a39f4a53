"""How far notation agrees with engraved music and with what music21 makes of the same notes.

`pytest -rP tests/rendering/test_notation_agreement.py` prints the shares in docs/notation.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from music21 import clef, corpus, key, stream
from music21.meter import TimeSignature
from music21.note import NotRest
from notation_pieces import PIECES
from notation_reference import notes_of, quarters, read, voices_of

from musenet.instruments import instrument_id
from musenet.rendering.notation.musicxml import to_musicxml
from musenet.rendering.notation.notate import notate
from musenet.score import METRE, NOTE, Score, records, sort_notes
from musenet.studio.openings import OPENINGS

CHOIR = ("flute", "oboe", "viola", "cello")
QUARTET = ("violin", "oboe", "viola", "cello")
PIANO = ("piano", "piano")
ENGRAVED = {
    "bach/bwv66.6": CHOIR,
    "bach/bwv10.7": CHOIR,
    "bach/bwv101.7": CHOIR,
    "bach/bwv104.6": CHOIR,
    "haydn/opus1no1/movement1": QUARTET,
    "mozart/k155/movement2": QUARTET,
    "mozart/k156/movement4": QUARTET,
    "mozart/k80/movement3": QUARTET,
    "schumann_clara/polonaise_op1n1": PIANO,
}
"""Works of the corpus that music21 carries, and the instruments that are to play them here."""
SMALL = {**PIECES, **{name: opening.score() for name, opening in OPENINGS.items()}}
TICKS = 480


@dataclass(frozen=True)
class Head:
    """A written note: its part, staff, onset, length, pitch, name and beams."""

    part: str
    staff: int
    onset: Fraction
    length: Fraction
    pitch: int
    name: str
    beams: tuple[str, ...]
    is_first: bool

    @property
    def place(self) -> tuple[str, Fraction, int]:
        """What the note is in both scores."""
        return self.part, self.onset, self.pitch


def heads(score: stream.Score, names: tuple[str, ...] | None) -> Iterator[Head]:
    """All written notes of a score with parts named anew, or as they are."""
    seen: Counter[str] = Counter()
    for index, part in enumerate(score.parts):
        name = part.partName.lower() if names is None else names[index]
        seen[name] += 1
        for element in part.recurse().notes:
            if element.quarterLength and not element.isRest:
                yield from heads_of(element, name, seen[name], part)


def heads_of(element: Any, part: str, staff: int, within: stream.Part) -> Iterator[Head]:
    onset = quarters(element.getOffsetInHierarchy(within))
    beams = tuple(f"{beam.type} {beam.direction or ''}" for beam in element.beams)
    for note in element.notes if hasattr(element, "notes") else [element]:
        if hasattr(note, "pitch"):
            is_first = note.tie is None or note.tie.type == "start"
            yield Head(
                part, staff, onset, quarters(element.quarterLength), note.pitch.midi,
                note.pitch.nameWithOctave, beams, is_first,
            )  # fmt: skip


def score_of(work: stream.Score, names: tuple[str, ...]) -> Score:
    """The sounding notes and the metres of a work, played by the instruments named."""
    rows = {
        (int(onset * TICKS), int(length * TICKS), pitch, 80, instrument_id(name))
        for name, part in zip(names, work.parts, strict=True)
        for onset, length, pitch in notes_of(part)
    }
    return Score(
        sort_notes(records(NOTE, sorted(rows))),
        metres=records(METRE, list(metres_of(work.parts[0]))),
        ticks_per_beat=TICKS,
    )


def metres_of(part: stream.Part) -> Iterator[tuple[int, int, int]]:
    """Where metres begin; an upbeat is a bar of a metre of its own."""
    for measure in part.getElementsByClass(stream.Measure):
        metre, at = measure.timeSignature, quarters(measure.offset)
        if measure.offset == 0 and measure.paddingLeft:
            length = quarters(measure.duration.quarterLength) / 4
            yield 0, length.numerator, length.denominator
            at += 4 * length
        if metre is not None:
            yield int(at * TICKS), metre.numerator, metre.denominator


@cache
def pair(title: str) -> tuple[stream.Score, stream.Score]:
    """A work as it was engraved, and as it is notated from its sounding notes."""
    engraved = corpus.parse(title, forceSource=True)
    score = score_of(engraved, ENGRAVED[title])
    return engraved, read(to_musicxml(notate(score), title))


@cache
def matched(title: str, *, whole: bool) -> list[tuple[Head, Head | None]]:
    """Notes of a work beside ours: as wholes, or each written head of the same length."""
    engraved, written = pair(title)
    ours = {
        (head.place, None if whole else head.length): head
        for head in heads(written, None)
        if head.is_first or not whole
    }
    return [
        (head, ours.get((head.place, None if whole else head.length)))
        for head in heads(engraved, ENGRAVED[title])
        if head.is_first or not whole
    ]


def share(found: list[bool], what: str) -> float:
    """The share that holds, printed."""
    result = sum(found) / len(found)
    print(f"{what}: {100 * result:.1f} % of {len(found):,}")
    return result


def test_engraved_notes_are_written_with_the_same_names_and_values() -> None:
    pairs = [both for title in ENGRAVED for both in matched(title, whole=True)]
    assert share([ours is not None for _, ours in pairs], "notes") == 1
    names = [ours is not None and head.name == ours.name for head, ours in pairs]
    assert share(names, "names") > 0.99
    written = [ours is not None for t in ENGRAVED for _, ours in matched(t, whole=False)]
    assert share(written, "values") > 0.99


def test_engraved_beams() -> None:
    same = [
        head.beams == ours.beams
        for title in ENGRAVED
        for head, ours in matched(title, whole=False)
        if ours is not None and head.beams
    ]
    assert share(same, "beams, engraved") > 0.85


def first(part: stream.Part, kind: type[Any]) -> Any:
    return part.recurse().getElementsByClass(kind).first()


def test_engraved_keys_and_clefs() -> None:
    signatures, clefs = [], []
    for title, names in ENGRAVED.items():
        engraved, written = pair(title)
        signatures.append(
            first(engraved.parts[0], key.KeySignature).sharps
            == first(written.parts[0], key.KeySignature).sharps
        )
        if names is not CHOIR:
            ours = Counter(first(part, clef.Clef).name for part in written.parts)
            clefs += [ours == Counter(first(part, clef.Clef).name for part in engraved.parts)]
    assert share(signatures, "signatures") > 0.8
    assert share(clefs, "clefs, works") == 1


def test_engraved_hands() -> None:
    title = "schumann_clara/polonaise_op1n1"
    same = [
        ours is not None and head.staff == ours.staff for head, ours in matched(title, whole=True)
    ]
    assert share(same, "staff of a hand") > 0.75


@cache
def small(name: str) -> stream.Score:
    return read(to_musicxml(notate(SMALL[name]), name))


def test_beams_that_music21_makes() -> None:
    """It joins eighths by the beat in 2/4, 3/4 and 4/4, where we join them further."""
    same, elsewhere = [], []
    for name in SMALL:
        for part in small(name).parts:
            made = part.makeBeams(inPlace=False)
            pairs = zip(part.recurse().notes, made.recurse().notes, strict=True)
            found = [types(a) == types(b) for a, b in pairs if types(a) or types(b)]
            same += found
            metres = {m.ratioString for m in part.recurse().getElementsByClass(TimeSignature)}
            elsewhere += [] if metres & {"2/4", "3/4", "4/4"} else found
    assert share(same, "beams, music21") > 0.7
    assert share(elsewhere, "beams, music21, other metres") > 0.7


def types(element: Any) -> list[str]:
    return [beam.type for beam in element.beams]


def test_clefs_that_music21_chooses() -> None:
    """Where all instruments but those of a C clef may stand."""
    same = []
    for name in SMALL:
        for part in small(name).parts:
            ours = first(part, clef.Clef)
            if isinstance(ours, clef.TrebleClef | clef.BassClef) and first(part, NotRest):
                theirs = clef.bestClef(part, recurse=True)
                same.append(ours.sign == theirs.sign)
    assert share(same, "clefs, music21") > 0.95


def test_no_more_voices_than_music21_needs() -> None:
    """Its voices are the fewest that keep notes from overlapping."""
    fewest = []
    for name in SMALL:
        for part in small(name).parts:
            for measure in part.getElementsByClass(stream.Measure):
                ours = [v for v in voices_of(measure) if v.notes]
                flat = measure.flatten().notes.stream()
                theirs = len(flat.makeVoices(inPlace=False).voices) or 1
                if ours:
                    fewest.append(len(ours) == theirs)
    assert share(fewest, "fewest voices") > 0.95


def test_keys_that_music21_finds() -> None:
    same = []
    for name, score in SMALL.items():
        if name.startswith(("major", "minor")) or name in OPENINGS:
            notation = notate(score)
            found = small(name).toSoundingPitch().analyze("key")
            same.append((found.sharps - notation.fifths) % 12 == 0)
    assert share(same, "keys, music21") > 0.9
