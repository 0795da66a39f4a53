"""Notation -> MusicXML 4.0, score-partwise, plain or compressed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.rendering.appearance import drum_key_name
from musenet.rendering.notation.bars import Bar
from musenet.rendering.notation.marks import Dynamic, Tempo
from musenet.rendering.notation.notate import Notation, Part, Staff
from musenet.rendering.notation.percussion import drum_head
from musenet.rendering.notation.spelling import Pitch
from musenet.rendering.notation.staves import abbreviation
from musenet.rendering.notation.symbols import Symbol, Tone
from musenet.score import TICKS_PER_BEAT

_HEAD = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    b'"-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
    b'"http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_CONTAINER = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles><rootfile '
    b'full-path="score.musicxml" media-type="application/vnd.recordare.musicxml+xml"/>'
    b"</rootfiles></container>\n"
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_VOICES_A_STAFF = 4
_CHANNELS = [channel for channel in range(1, 17) if channel != 10]


def to_musicxml(notation: Notation, title: str = "") -> bytes:
    """The notation as a MusicXML document of 24 divisions a quarter note."""
    root = Element("score-partwise", version="4.0")
    if title:
        _text(SubElement(root, "work"), "work-title", _printable(title))
    _text(SubElement(SubElement(root, "identification"), "encoding"), "software", "musenet")
    parts = SubElement(root, "part-list")
    for index, part in enumerate(notation.parts):
        _add_score_part(parts, part, index)
    for index in range(len(notation.parts)):
        _add_part(root, notation, index)
    ElementTree.indent(root, " ")
    body: bytes = ElementTree.tostring(root, encoding="utf-8")
    return _HEAD + body + b"\n"


def compressed(musicxml: bytes) -> bytes:
    """A MusicXML document as a compressed file (.mxl), the same bytes for the same document."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (("META-INF/container.xml", _CONTAINER), ("score.musicxml", musicxml)):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()


def _text(parent: Element, tag: str, value: object) -> Element:
    child = SubElement(parent, tag)
    child.text = str(value)
    return child


def _printable(text: str) -> str:
    """Text that XML may hold."""
    return "".join(letter for letter in text if letter.isprintable())


def _add_score_part(parts: Element, part: Part, index: int) -> None:
    instrument = INSTRUMENTS[part.layout.instrument]
    name = instrument.name.capitalize()
    element = SubElement(parts, "score-part", id=f"P{index + 1}")
    _text(element, "part-name", name)
    _text(element, "part-abbreviation", abbreviation(part.layout.instrument))
    keys: Sequence[int | None] = _drum_keys(part) or [None]
    for key in keys:
        inner = SubElement(element, "score-instrument", id=_instrument_id(index, key))
        _text(inner, "instrument-name", name if key is None else drum_key_name(key))
    for key in keys:
        midi = SubElement(element, "midi-instrument", id=_instrument_id(index, key))
        channel = 10 if part.layout.instrument == DRUMS else _CHANNELS[index % len(_CHANNELS)]
        _text(midi, "midi-channel", channel)
        if key is None:
            _text(midi, "midi-program", instrument.programs[0] + 1 if instrument.programs else 1)
        else:
            _text(midi, "midi-program", 1)
            _text(midi, "midi-unpitched", key + 1)


def _drum_keys(part: Part) -> list[int]:
    """The keys that a drum part plays, rising; none for other instruments."""
    if part.layout.instrument != DRUMS:
        return []
    symbols = (s for staff in part.staves for voice in staff.voices for bar in voice for s in bar)
    return sorted({tone.pitch for symbol in symbols for tone in symbol.tones})


def _instrument_id(index: int, key: int | None) -> str:
    return f"P{index + 1}-I{1 if key is None else key + 1}"


def _add_part(root: Element, notation: Notation, index: int) -> None:
    part = notation.parts[index]
    element = SubElement(root, "part", id=f"P{index + 1}")
    shift = 1 if notation.bars[0].is_whole else 0
    for number, bar in enumerate(notation.bars):
        measure = SubElement(element, "measure", number=str(number + shift))
        if not bar.is_whole:
            measure.set("implicit", "yes")
        _add_attributes(measure, notation, part, number)
        if index == 0:
            _add_tempos(measure, bar, notation.tempos)
        _add_dynamics(measure, bar, part)
        _add_music(measure, bar, part, number, index)
        if number == len(notation.bars) - 1:
            _text(SubElement(measure, "barline", location="right"), "bar-style", "light-heavy")


def _add_attributes(measure: Element, notation: Notation, part: Part, number: int) -> None:
    """Divisions, key, metre, staves, clefs and transposition where they begin or change."""
    bar = notation.bars[number]
    before = notation.bars[number - 1] if number else None
    metre = bar.numerator, bar.denominator
    if before and metre == (before.numerator, before.denominator):
        return
    element = SubElement(measure, "attributes")
    is_drums = part.layout.instrument == DRUMS
    if not before:
        _text(element, "divisions", TICKS_PER_BEAT)
        key = SubElement(element, "key")
        _text(key, "fifths", 0 if is_drums else notation.fifths)
        _text(key, "mode", "minor" if notation.is_minor else "major")
    time = SubElement(element, "time")
    _text(time, "beats", bar.numerator)
    _text(time, "beat-type", bar.denominator)
    if not before:
        _add_clefs(element, part)


def _add_clefs(attributes: Element, part: Part) -> None:
    several = len(part.staves) > 1
    if several:
        _text(attributes, "staves", len(part.staves))
    for number, staff in enumerate(part.staves, 1):
        clef = SubElement(attributes, "clef", {"number": str(number)} if several else {})
        _text(clef, "sign", staff.clef.sign)
        if staff.clef.sign != "percussion":
            _text(clef, "line", staff.clef.line)
    if part.layout.octaves:
        transpose = SubElement(attributes, "transpose")
        _text(transpose, "diatonic", 0)
        _text(transpose, "chromatic", 0)
        _text(transpose, "octave-change", -part.layout.octaves)


def _add_tempos(measure: Element, bar: Bar, tempos: Sequence[Tempo]) -> None:
    for tempo in tempos:
        if not bar.start <= tempo.tick < bar.stop:
            continue
        offset = tempo.tick - bar.start
        if tempo.is_shown:
            direction = SubElement(measure, "direction", placement="above")
            metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
            _text(metronome, "beat-unit", "quarter")
            if bar.is_compound:
                SubElement(metronome, "beat-unit-dot")
            _text(metronome, "per-minute", round(tempo.bpm / (1.5 if bar.is_compound else 1)))
            if offset:
                _text(direction, "offset", offset).set("sound", "yes")
            SubElement(direction, "sound", tempo=f"{tempo.bpm:.6g}")
        else:
            sound = SubElement(measure, "sound", tempo=f"{tempo.bpm:.6g}")
            if offset:
                _text(sound, "offset", offset)


def _add_dynamics(measure: Element, bar: Bar, part: Part) -> None:
    for mark in part.dynamics:
        if bar.start <= mark.tick < bar.stop:
            _add_dynamic(measure, bar, mark, len(part.staves) > 1)


def _add_dynamic(measure: Element, bar: Bar, mark: Dynamic, several: bool) -> None:
    direction = SubElement(measure, "direction", placement="below")
    SubElement(SubElement(SubElement(direction, "direction-type"), "dynamics"), mark.name)
    if mark.tick > bar.start:
        _text(direction, "offset", mark.tick - bar.start)
    if several:
        _text(direction, "staff", 1)


def _add_music(measure: Element, bar: Bar, part: Part, number: int, index: int) -> None:
    is_first = True
    for staff, voice, symbols in _voices(part.staves, number):
        if not is_first:
            _text(SubElement(measure, "backup"), "duration", bar.length)
        is_first = False
        for symbol in symbols:
            _add_symbol(measure, symbol, part, index, staff, voice)


def _voices(staves: Sequence[Staff], number: int) -> Iterator[tuple[int, int, tuple[Symbol, ...]]]:
    """Staff (from 1), voice (from 1, in fours a staff) and symbols of a bar's voices."""
    for staff, content in enumerate(staves):
        for voice, bars in enumerate(content.voices):
            if bars[number]:
                yield staff + 1, staff * _VOICES_A_STAFF + voice + 1, bars[number]


def _add_symbol(
    measure: Element, symbol: Symbol, part: Part, index: int, staff: int, voice: int
) -> None:
    for place, tone in enumerate(symbol.tones or (None,)):
        note = SubElement(measure, "note")
        if place:
            SubElement(note, "chord")
        if tone is None:
            _add_rest(note, symbol, voice)
        else:
            _add_pitch(note, tone, part)
        _text(note, "duration", symbol.value.ticks)
        for kind, holds in (("stop", symbol.tied_from), ("start", symbol.tied_to)):
            if holds:
                SubElement(note, "tie", type=kind)
        if tone is not None and part.layout.instrument == DRUMS:
            SubElement(note, "instrument", id=_instrument_id(index, tone.pitch))
        _text(note, "voice", voice)
        _add_value(note, symbol, tone)
        if tone is not None and part.layout.instrument == DRUMS:
            _text(note, "notehead", drum_head(tone.pitch).head)
        if len(part.staves) > 1:
            _text(note, "staff", staff)
        if not place:
            for level, beam in enumerate(symbol.beams, 1):
                _text(note, "beam", beam).set("number", str(level))
        _add_notations(note, symbol, is_first=not place)


def _add_rest(note: Element, symbol: Symbol, voice: int) -> None:
    rest = SubElement(note, "rest")
    if symbol.fills_bar:
        rest.set("measure", "yes")
    if (voice - 1) % _VOICES_A_STAFF:
        note.set("print-object", "no")


def _add_pitch(note: Element, tone: Tone, part: Part) -> None:
    if part.layout.instrument == DRUMS:
        place = drum_head(tone.pitch).place
        unpitched = SubElement(note, "unpitched")
        _text(unpitched, "display-step", place.step)
        _text(unpitched, "display-octave", place.octave)
    else:
        _add_written(SubElement(note, "pitch"), tone.written)


def _add_written(element: Element, pitch: Pitch) -> None:
    _text(element, "step", pitch.step)
    if pitch.alter:
        _text(element, "alter", pitch.alter)
    _text(element, "octave", pitch.octave)


def _add_value(note: Element, symbol: Symbol, tone: Tone | None) -> None:
    if not symbol.fills_bar:
        _text(note, "type", symbol.value.name)
        for _ in range(symbol.value.dots):
            SubElement(note, "dot")
    if tone is not None and tone.accidental:
        _text(note, "accidental", tone.accidental)
    if symbol.value.triplet:
        modification = SubElement(note, "time-modification")
        _text(modification, "actual-notes", 3)
        _text(modification, "normal-notes", 2)
        normal = "eighth" if symbol.value.triplet == TICKS_PER_BEAT else "16th"
        _text(modification, "normal-type", normal)


def _add_notations(note: Element, symbol: Symbol, *, is_first: bool) -> None:
    tied = [
        kind for kind, holds in (("stop", symbol.tied_from), ("start", symbol.tied_to)) if holds
    ]
    if not tied and not (symbol.tuplet and is_first):
        return
    notations = SubElement(note, "notations")
    for kind in tied:
        SubElement(notations, "tied", type=kind)
    if symbol.tuplet and is_first:
        SubElement(notations, "tuplet", type=symbol.tuplet)
