"""Notes as users write them: `C4 E4 G4:2 C4+E4+G4 R`."""

from __future__ import annotations

import re

from musenet.errors import UserError
from musenet.score import NOTE, TICKS_PER_BEAT, Score, records, sort_notes

_NOTE = re.compile(r"([A-Ga-g])([#b♯♭]?)(-?\d)")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def pitch_of(name: str) -> int:
    """The MIDI pitch of a name such as C4 (60), F#3 or Bb5.

    Raises:
        UserError: it is no name of a MIDI pitch.
    """
    match = _NOTE.fullmatch(name)
    if match:
        letter, accidental, octave = match.groups()
        shift = {"": 0, "#": 1, "♯": 1}.get(accidental, -1)
        pitch = 12 * (int(octave) + 1) + _STEPS[letter.upper()] + shift
        if 0 <= pitch <= 127:
            return pitch
    raise UserError(f"'{name}' is no note: write C4, F#3 or Bb5, with :2 for two beats")


def pitch_name(pitch: int) -> str:
    """The name of a MIDI pitch, such as C4 for 60."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def parse_notes(text: str, instrument: int = 0, velocity: int = 80) -> tuple[Score, int]:
    """A melody from text, and the tick at which it is over, a rest at its end included.

    Words are notes (`C4`), chords (`C4+E4+G4`) or rests (`R`), one after the other; `:2`
    behind a word makes it two beats long, without it each lasts one.

    Raises:
        UserError: a word that is neither, or nothing at all.
    """
    rows: list[tuple[float, ...]] = []
    tick = 0
    for word in text.replace(",", " ").split():
        names, _, beats = word.partition(":")
        length = _ticks(word, beats)
        if names.upper() != "R":
            pitches = sorted({pitch_of(name) for name in names.split("+")})
            rows += [(tick, length, pitch, velocity, instrument) for pitch in pitches]
        tick += length
    if not rows:
        raise UserError("--notes has no notes: write for example --notes 'C4 E4 G4:2'")
    return Score(notes=sort_notes(records(NOTE, rows))), tick


def _ticks(word: str, beats: str) -> int:
    try:
        length = round(float(beats or 1) * TICKS_PER_BEAT)
    except (ValueError, OverflowError) as error:
        raise UserError(f"'{word}': what follows ':' is the length in beats") from error
    if not 1 <= length <= 16 * TICKS_PER_BEAT:
        raise UserError(f"'{word}': a note lasts more than 0 and at most 16 beats")
    return length
