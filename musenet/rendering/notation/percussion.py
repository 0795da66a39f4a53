"""Where drum keys stand on a percussion staff.

Kick, snare, toms and cymbals as in Weinberg, Guide to Standardized Drumset Notation, 1998.
"""

from __future__ import annotations

from dataclasses import dataclass

from musenet.rendering.notation.spelling import Pitch


@dataclass(frozen=True)
class DrumHead:
    """The line or space of a drum key, as a treble clef would name it, and its note head."""

    place: Pitch
    head: str = "normal"


_PLACES = {
    "D4": (44,), "F4": (35, 36), "G4": (41,), "A4": (43, 45, 63, 64), "B4": (47, 58, 66, 86, 87),
    "C5": (38, 40, 39, 37, 61, 62), "D5": (48, 60, 65), "E5": (50, 56, 76, 77, 67, 68),
    "F5": (51, 59, 53, 54, 70, 82, 69), "G5": (42, 46, 75, 80, 81), "A5": (49, 52, 55, 57, 83, 84),
}  # fmt: skip
_CROSSES = {37, 39, 42, 44, 46, 49, 51, 52, 53, 54, 55, 57, 59, 69, 70, 75, 82}
_TRIANGLES = {56, 67, 68, 80, 81, 83, 84}
_PLACE = {
    key: Pitch(name[0], 0, int(name[1])) for name, keys in _PLACES.items() for key in keys
}  # fmt: skip
_ELSEWHERE = Pitch("B", 0, 4)


def drum_head(key: int) -> DrumHead:
    """How a General MIDI drum key is written; keys without a place stand on the middle line."""
    head = "x" if key in _CROSSES else "triangle" if key in _TRIANGLES else "normal"
    return DrumHead(_PLACE.get(key, _ELSEWHERE), head)
