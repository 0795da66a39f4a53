"""Chord symbols and keys as users write them: `C | Am F | G7 | C`, `F# minor`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from musenet.controls import NO_CHORD, QUALITIES, observed
from musenet.errors import UserError
from musenet.events import decode, encode
from musenet.score import Score, bar_starts

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHIFTS = {None: 0, "": 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
_CHORD = re.compile(r"([A-G])([#b♯♭]?)([^/]*)(/[A-G][#b♯♭]?)?")
_KEY = re.compile(r"([A-Ga-g])([#b♯♭]|[ -](?:sharp|flat)\b)?[\s-]*(.*)")
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_SPELLINGS = {
    "": ("", "maj", "M", "6", "add9", "69", "5", "(add9)"),
    "m": ("m", "min", "-", "m6", "madd9", "mi"),
    "7": ("7", "9", "13", "7b9", "7#9", "7#5", "7b5", "11", "7alt"),
    "maj7": ("maj7", "M7", "Δ", "Δ7", "maj9", "maj13", "j7"),
    "m7": ("m7", "min7", "-7", "m9", "m11", "mi7"),
    "dim": ("dim", "o", "°"),
    "m7b5": ("m7b5", "ø", "ø7", "-7b5", "min7b5"),
    "dim7": ("dim7", "o7", "°7"),
    "aug": ("aug", "+", "#5"),
    "sus4": ("sus4", "sus", "7sus4", "9sus4", "sus2"),
}
"""Spellings of each quality; richer chords count as the nearest known one."""
_PLACES = {
    spelling: place for place, quality in enumerate(QUALITIES) for spelling in _SPELLINGS[quality]
}
_MODES = {"": 0, "major": 0, "maj": 0, "dur": 0, "m": 12, "minor": 12, "min": 12, "moll": 12}


@dataclass(frozen=True)
class Progression:
    """Chords by bar, repeated for as long as the piece lasts.

    Attributes:
        bars: ids (`controls`) of each bar's chords, which share the bar evenly.
    """

    bars: tuple[tuple[int, ...], ...]

    def at(self, bar: int, place: float) -> int:
        """The chord at a bar, counted from 0, and a place in it from 0 to below 1."""
        chords = self.bars[bar % len(self.bars)]
        return chords[min(len(chords) - 1, int(place * len(chords)))]


def parse_chords(text: str) -> Progression:
    """A progression from text: bars between `|`, chords of a bar between spaces.

    `N` is no chord; `%` or nothing between two bar lines repeats the bar before.

    Raises:
        UserError: a symbol that is no chord, or none at all.
    """
    bars: list[tuple[int, ...]] = []
    for bar in text.strip().strip("|").split("|"):
        symbols = bar.split()
        if symbols in ([], ["%"]) and bars:
            bars.append(bars[-1])
        elif symbols:
            bars.append(tuple(map(chord_id, symbols)))
    if not bars:
        raise UserError("--chords has no chords: write for example --chords 'C | Am F | G7 | C'")
    return Progression(tuple(bars))


def chord_id(symbol: str) -> int:
    """The id of a chord symbol; extensions and a bass after `/` are left out.

    Raises:
        UserError: it is no chord symbol.
    """
    if symbol.upper() in ("N", "NC", "N.C."):
        return NO_CHORD
    match = _CHORD.fullmatch(symbol)
    if match is None or match[3] not in _PLACES:
        raise UserError(f"'{symbol}' is no chord: write C, F#m, Bb7, Gmaj7, Am7, Bdim, Csus4 or N")
    return 12 * _PLACES[match[3]] + _root(match[1], match[2])


def chord_name(chord: int) -> str:
    """The symbol of a chord's id."""
    if chord >= NO_CHORD:
        return "N"
    return _NAMES[chord % 12] + tuple(QUALITIES)[chord // 12]


def heard_chords(score: Score) -> Progression:
    """The chords that are heard in the bars of a score, as `controls` hears them.

    Raises:
        UserError: it has no notes.
    """
    if not len(score.notes):
        raise UserError("it has no notes, and so no chords")
    table = encode(score)
    seen, played = observed(table), decode(table)
    bars, within = bar_starts(played), seen.chord_ticks < played.end
    begins = np.searchsorted(bars, seen.chord_ticks[within], side="right") - 1
    own: list[list[int]] = [[] for _ in bars]
    for bar, chord in zip(begins.tolist(), seen.chords[within].tolist(), strict=True):
        if own[bar][-1:] != [chord]:
            own[bar].append(chord)
    return Progression(tuple(tuple(chords) or (NO_CHORD,) for chords in own))


def written(progression: Progression) -> str:
    """A progression as text, which `parse_chords` reads."""
    return " | ".join(" ".join(map(chord_name, bar)) for bar in progression.bars)


def parse_key(text: str) -> int:
    """The id of a key, 0 to 11 major on C, C#, … and 12 to 23 minor, from `Eb`, `E flat`,
    `F# minor`, `Am`.

    Raises:
        UserError: it is no key.
    """
    match = _KEY.fullmatch(text.strip())
    mode = "" if match and match[3] == "M" else match[3].lower() if match else None
    if match is None or mode not in _MODES:
        raise UserError(f"--key {text} is no key: write C, Eb major, F# minor or Am")
    minor_letter = match[1].islower() and not match[3]
    return _root(match[1].upper(), match[2]) + (12 if minor_letter else _MODES[mode])


def _root(letter: str, accidental: str | None) -> int:
    return (_STEPS[letter] + _SHIFTS[accidental and accidental.strip(" -")]) % 12
