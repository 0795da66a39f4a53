"""The instruments: names, General MIDI programs and playable ranges.

An instrument's place in `INSTRUMENTS` is its id in scores and in event tables,
so the order is part of the encoding: append, never reorder.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.errors import unknown_name


@dataclass(frozen=True)
class Instrument:
    """A named instrument that stands for one or more General MIDI programs.

    Attributes:
        name: the name that users give.
        programs: General MIDI programs (0-127) folded into it; the first is its own sound.
        low: lowest playable MIDI pitch.
        high: highest playable MIDI pitch.
    """

    name: str
    programs: tuple[int, ...]
    low: int
    high: int

    @property
    def program(self) -> int:
        """The General MIDI program that plays it."""
        return self.programs[0]


INSTRUMENTS: tuple[Instrument, ...] = (
    Instrument("piano", (0, 1, 2, 3), 21, 108),
    Instrument("electric piano", (4, 5), 28, 103),
    Instrument("harpsichord", (6, 7), 29, 89),
    Instrument("celesta", (8, 9, 10), 48, 108),
    Instrument("vibraphone", (11,), 53, 89),
    Instrument("marimba", (12, 13, 108), 45, 108),
    Instrument("bells", (14, 15, 112), 48, 108),
    Instrument("organ", (19, 16, 17, 18, 20), 24, 108),
    Instrument("accordion", (21, 22, 23), 41, 101),
    Instrument("acoustic guitar", (24, 25), 40, 88),
    Instrument("electric guitar", (27, 26, 28, 31), 40, 88),
    Instrument("distorted guitar", (30, 29), 40, 88),
    Instrument("acoustic bass", (32,), 28, 67),
    Instrument("electric bass", (33, 34, 35, 36, 37), 23, 67),
    Instrument("synth bass", (38, 39), 21, 72),
    Instrument("violin", (40, 110), 55, 103),
    Instrument("viola", (41,), 48, 91),
    Instrument("cello", (42,), 36, 84),
    Instrument("contrabass", (43,), 24, 67),
    Instrument("strings", (48, 44, 45, 49, 50, 51, 55), 24, 103),
    Instrument("harp", (46,), 23, 103),
    Instrument("timpani", (47,), 36, 60),
    Instrument("choir", (52, 91), 36, 84),
    Instrument("voice", (53, 54, 85), 36, 86),
    Instrument("trumpet", (56, 59), 52, 87),
    Instrument("trombone", (57,), 34, 77),
    Instrument("tuba", (58,), 24, 65),
    Instrument("horn", (60,), 34, 77),
    Instrument("brass", (61, 62, 63), 28, 89),
    Instrument("alto sax", (65, 64), 49, 87),
    Instrument("tenor sax", (66, 67), 36, 77),
    Instrument("oboe", (68, 111), 58, 93),
    Instrument("english horn", (69,), 52, 84),
    Instrument("bassoon", (70,), 34, 76),
    Instrument("clarinet", (71,), 50, 94),
    Instrument("piccolo", (72,), 74, 108),
    Instrument("flute", (73,), 59, 98),
    Instrument("recorder", (74, 75, 76, 77, 78, 79), 55, 98),
    Instrument("synth lead", (80, 81, 82, 83, 84, 86, 87), 21, 108),
    Instrument("synth pad", (88, 89, 90, 92, 93, 94, 95), 21, 108),
    Instrument("synth effects", (96, 97, 98, 99, 100, 101, 102, 103), 21, 108),
    Instrument("sitar", (104, 106, 107), 40, 88),
    Instrument("banjo", (105,), 48, 88),
    Instrument("bagpipes", (109,), 55, 84),
    Instrument("percussion", (114, 113, 115, 116, 117, 118, 119), 24, 103),
    Instrument("sound effects", (122, 120, 121, 123, 124, 125, 126, 127), 0, 127),
    Instrument("drums", (), 27, 87),
)

DRUMS = len(INSTRUMENTS) - 1
"""Id of the drum kit: General MIDI percussion, channel 10, pitch = drum key."""

_ALIASES = {
    "double bass": "contrabass", "string bass": "contrabass", "bass": "electric bass",
    "upright bass": "acoustic bass", "guitar": "acoustic guitar", "french horn": "horn",
    "cor anglais": "english horn", "sax": "alto sax", "saxophone": "alto sax",
    "drum kit": "drums", "drum": "drums", "violoncello": "cello", "fiddle": "violin",
    "vocals": "voice", "soprano": "voice", "kettledrums": "timpani", "xylophone": "marimba",
    "glockenspiel": "celesta", "music box": "celesta", "synth": "synth lead",
    "string ensemble": "strings", "keyboard": "electric piano", "church organ": "organ",
}  # fmt: skip
_BY_NAME = {instrument.name: index for index, instrument in enumerate(INSTRUMENTS)}
_NAMES = _BY_NAME | {alias: _BY_NAME[name] for alias, name in _ALIASES.items()}


def _program_table() -> NDArray[np.uint8]:
    table = np.zeros(128, dtype=np.uint8)
    for index, instrument in enumerate(INSTRUMENTS):
        table[list(instrument.programs)] = index
    return table


INSTRUMENT_OF_PROGRAM: NDArray[np.uint8] = _program_table()
"""Instrument id of each General MIDI program, shape (128,)."""


def instrument_id(name: str) -> int:
    """The id of an instrument by name or alias, upper and lower case alike.

    Raises:
        UserError: no such instrument; the message gives the nearest names.
    """
    plain = " ".join(name.lower().replace("_", " ").replace("-", " ").split())
    for form in (plain, plain.removesuffix("s")):
        if form in _NAMES:
            return _NAMES[form]
    raise unknown_name("instrument", name, _NAMES)
