"""Famous openings to go on from.

All are in the public domain: their composers died before 1926, or nobody knows them. They were
set down here from the well-known themes, note by note; no edition or file of anybody's was used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from musenet.composing.notes import parse_notes
from musenet.instruments import instrument_id
from musenet.midi import to_bytes
from musenet.score import METRE, TEMPO, Score, records, sort_notes


@dataclass(frozen=True)
class Opening:
    """A theme.

    Attributes:
        title: as it is known.
        composer: who wrote it, or "traditional".
        year: of the work, or of the first print.
        style: to compose on in.
        bpm: quarter notes a minute.
        metre: numerator and denominator.
        parts: notes of each instrument, as `parse_notes` reads them; "|" parts bars for the eye.
    """

    title: str
    composer: str
    year: int
    style: str
    bpm: float
    metre: tuple[int, int]
    parts: Mapping[str, str]

    def score(self) -> Score:
        """The music."""
        notes = [
            parse_notes(text.replace("|", " "), instrument_id(name))[0].notes
            for name, text in self.parts.items()
        ]
        tempos, metres = records(TEMPO, [(0, self.bpm)]), records(METRE, [(0, *self.metre)])
        return Score(sort_notes(np.concatenate(notes)), tempos, metres)

    def midi(self) -> bytes:
        """The music as a file."""
        return to_bytes(self.score(), title=f"{self.composer}: {self.title}")


def _broken(chords: str) -> str:
    """Each word of five pitches as a bar of sixteenths, as in Bach's prelude."""
    bars = (word.split("+") for word in chords.split())
    return " ".join(f"{name}:0.25" for bar in bars for name in 2 * [*bar[:2], *bar[2:], *bar[2:]])


def _shifted(text: str, octaves: int) -> str:
    """The same notes in another octave; each octave stands as one digit behind a letter."""
    words = (word.partition(":") for word in text.split())
    return " ".join(
        f"{name[:-1]}{int(name[-1]) + octaves}{colon}{beats}" if name != "R" else
        f"R{colon}{beats}"
        for name, colon, beats in words
    )  # fmt: skip


_SERENADE = (
    "G4 R:0.5 D4:0.5 G4 R:0.5 D4:0.5 G4:0.5 D4:0.5 G4:0.5 B4:0.5 D5 R "
    "C5 R:0.5 A4:0.5 C5 R:0.5 A4:0.5 C5:0.5 A4:0.5 F#4:0.5 A4:0.5 D4 R"
)

OPENINGS: Mapping[str, Opening] = {
    "ode-to-joy": Opening(
        "Ode to Joy", "Ludwig van Beethoven", 1824, "beethoven", 126, (4, 4),
        {
            "violin": "F#4 F#4 G4 A4 | A4 G4 F#4 E4 | D4 D4 E4 F#4 | F#4:1.5 E4:0.5 E4:2 | "
            "F#4 F#4 G4 A4 | A4 G4 F#4 E4 | D4 D4 E4 F#4 | E4:1.5 D4:0.5 D4:2",
            "cello": "D3:4 | A2:4 | B2:2 A2:2 | A2:2 A2:2 | D3:4 | A2:4 | B2:2 A2:2 | "
            "A2:2 D3:2",
        },
    ),
    "fur-elise": Opening(
        "Für Elise", "Ludwig van Beethoven", 1810, "beethoven", 72, (3, 8),
        {
            "piano": "R E5:0.25 D#5:0.25 | E5:0.25 D#5:0.25 E5:0.25 B4:0.25 D5:0.25 C5:0.25 | "
            "A4+A2:0.25 E3:0.25 A3:0.25 C4:0.25 E4:0.25 A4:0.25 | "
            "B4+E2:0.25 E3:0.25 G#3:0.25 E4:0.25 G#4:0.25 B4:0.25 | "
            "C5+A2:0.25 E3:0.25 A3:0.25 E4:0.25 E5:0.25 D#5:0.25 | "
            "E5:0.25 D#5:0.25 E5:0.25 B4:0.25 D5:0.25 C5:0.25 | "
            "A4+A2:0.25 E3:0.25 A3:0.25 C4:0.25 E4:0.25 A4:0.25 | "
            "B4+E2:0.25 E3:0.25 G#3:0.25 E4:0.25 C5:0.25 B4:0.25 | A4+A2:0.5 R",
        },
    ),
    "prelude-in-c": Opening(
        "Prelude in C, BWV 846", "Johann Sebastian Bach", 1722, "bach", 66, (4, 4),
        {
            "piano": _broken(
                "C4+E4+G4+C5+E5 C4+D4+A4+D5+F5 B3+D4+G4+D5+F5 C4+E4+G4+C5+E5 "
                "C4+E4+A4+E5+A5 C4+D4+F#4+A4+D5 B3+D4+G4+D5+G5 B3+C4+E4+G4+C5"
            ),
        },
    ),
    "night-music": Opening(
        "Eine kleine Nachtmusik", "Wolfgang Amadeus Mozart", 1787, "mozart", 132, (4, 4),
        {"violin": _shifted(_SERENADE, 1), "viola": _SERENADE, "cello": _shifted(_SERENADE, -1)},
    ),
    "gymnopedie": Opening(
        "Gymnopédie No. 1", "Erik Satie", 1888, "satie", 72, (3, 4),
        {
            "piano": "G2 B3+D4+F#4:2 | D2 A3+C#4+F#4:2 | G2 B3+D4+F#4:2 | D2 A3+C#4+F#4:2 | "
            "G2 B3+D4+F#5 A5 | D2+G5 A3+C#4+F#5 C#5 | G2+B4 B3+D4+C#5 D5 | "
            "D2+A4 A3+C#4+F#4:2",
        },
    ),
    "greensleeves": Opening(
        "Greensleeves", "traditional", 1580, "folk", 96, (6, 8),
        {
            "flute": "R:2.5 A4:0.5 | C5 D5:0.5 E5:0.75 F5:0.25 E5:0.5 | "
            "D5 B4:0.5 G4:0.75 A4:0.25 B4:0.5 | C5 A4:0.5 A4:0.75 G#4:0.25 A4:0.5 | "
            "B4 G#4:0.5 E4 A4:0.5 | C5 D5:0.5 E5:0.75 F5:0.25 E5:0.5 | "
            "D5 B4:0.5 G4:0.75 A4:0.25 B4:0.5 | C5:0.75 B4:0.25 A4:0.5 G#4:0.75 F#4:0.25 "
            "G#4:0.5 | A4:3",
            "harp": "R:3 | A2+E3:1.5 A3+C4:1.5 | G2+D3:1.5 G3+B3:1.5 | A2+E3:1.5 A3+C4:1.5 | "
            "E2+B2:1.5 E3+G#3:1.5 | A2+E3:1.5 A3+C4:1.5 | G2+D3:1.5 G3+B3:1.5 | "
            "A2+E3:1.5 E2+B2:1.5 | A2+E3+C4:3",
        },
    ),
    "entertainer": Opening(
        "The Entertainer", "Scott Joplin", 1902, "ragtime", 76, (2, 4),
        {
            "piano": "D5+D6:0.25 E5+E6:0.25 C5+C6:0.25 A4+A5:0.5 B4+B5:0.25 G4+G5:0.5 | "
            "D4+D5:0.25 E4+E5:0.25 C4+C5:0.25 A3+A4:0.5 B3+B4:0.25 G3+G4:0.5 | "
            "D3+D4:0.25 E3+E4:0.25 C3+C4:0.25 A2+A3:0.5 B2+B3:0.25 A2+A3:0.25 G#2+G#3:0.25 | "
            "G2+G3:0.5 R:0.5 G3+B3+F4+G4:0.5 D4:0.25 D#4:0.25 | "
            "C3+E4:0.25 C5:0.5 E4+E3+G3:0.25 G2+C5:0.5 E3+G3+E4:0.25 C5:0.25 | C3+C5:2",
        },
    ),
    "saints": Opening(
        "When the Saints Go Marching In", "traditional", 1896, "dixieland", 168, (4, 4),
        {
            "trumpet": "R C5 E5 F5 | G5:4 | R C5 E5 F5 | G5:4 | R C5 E5 F5 | G5:2 E5:2 | "
            "C5:2 E5:2 | D5:4",
            "trombone": "R:4 | E4:2 G4:2 | R:4 | E4:2 G4:2 | R:4 | E4:2 C4:2 | E4:2 C4:2 | B3:4",
            "acoustic bass": "C2 G2 C2 G2 | C2 G2 C2 G2 | C2 G2 C2 G2 | C2 G2 C2 G2 | "
            "C2 G2 C2 G2 | C2 G2 A1 E2 | C2 G2 A1 E2 | G1 D2 G1 D2",
            "drums": " ".join(["C2+D#3 F#2+D#3 D2+D#3 F#2+D#3"] * 8),
        },
    ),
}  # fmt: skip
"""Openings by id."""


@cache
def opening_midi(name: str) -> bytes:
    """The file of an opening."""
    return OPENINGS[name].midi()
