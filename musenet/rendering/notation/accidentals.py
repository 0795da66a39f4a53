"""Accidentals: which note heads need one, after the key signature and those before in the bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from musenet.rendering.notation.symbols import BarOfVoice, Symbol, Tone

_NAMES = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_SHARPS = "FCGDAEB"

Voices = tuple[tuple[BarOfVoice, ...], ...]


def with_accidentals(voices: Voices, fifths: int) -> Voices:
    """The voices of a staff (voice, bar, symbol) with accidentals in a key signature."""
    bars = [_bar(bar, signature(fifths)) for bar in zip(*voices, strict=True)]
    return tuple(zip(*bars, strict=True))


def signature(fifths: int) -> dict[str, int]:
    """What a key signature raises (1) or lowers (-1), by letter; letters left alone are absent."""
    if fifths >= 0:
        return dict.fromkeys(_SHARPS[:fifths], 1)
    return dict.fromkeys(_SHARPS[fifths:], -1)


def _bar(voices: Sequence[BarOfVoice], key: dict[str, int]) -> tuple[BarOfVoice, ...]:
    state: dict[tuple[str, int], int] = {}
    result = [list(voice) for voice in voices]
    order = sorted(
        (symbol.value.start, place, index)
        for place, voice in enumerate(voices)
        for index, symbol in enumerate(voice)
    )
    for _, place, index in order:
        result[place][index] = _symbol(result[place][index], key, state)
    return tuple(tuple(voice) for voice in result)


def _symbol(symbol: Symbol, key: dict[str, int], state: dict[tuple[str, int], int]) -> Symbol:
    if symbol.tied_from:
        return symbol
    return replace(symbol, tones=tuple(_tone(tone, key, state) for tone in symbol.tones))


def _tone(tone: Tone, key: dict[str, int], state: dict[tuple[str, int], int]) -> Tone:
    written = tone.written
    place = written.step, written.octave
    in_force = state.get(place, key.get(written.step, 0))
    state[place] = written.alter
    return tone if written.alter == in_force else replace(tone, accidental=_NAMES[written.alter])
