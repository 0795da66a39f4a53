"""Scores to and from the ids of OpenAI's MuseNet web service of 2019.

Time moves in ticks of 10 ms, 48 of them a beat at 125 bpm. Ten instruments: only the piano has
dynamics, drums have no ends. Metre and tempo are not told. Within a tick stand ends, then
beginnings, each by (instrument, pitch).

| ids | meaning |
|---|---|
| 0-127 | piano off, by pitch |
| 128-1791 | piano on, 13 blocks of velocities 24, 32, ... 120 |
| 1792-3839 | violin, cello, bass, guitar, flute, clarinet, trumpet, harp: on, off |
| 3840-3967 | drum hit, by General MIDI key |
| 3968-4095 | wait 1 to 128 ticks |
| 4096, 4097, 4098 | start, end, end of a sample |
| 4099-4225 | a set of instruments |
| 4226-4835 | a composer or style, whose names are not known here |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from musenet.errors import UserError
from musenet.instruments import DRUMS, INSTRUMENT_OF_PROGRAM, INSTRUMENTS
from musenet.midi import unify
from musenet.score import NOTE, TEMPO, Array, Score, note_ends, records, seconds_at, sort_notes

TICKS_PER_BEAT = 48
BPM = 125.0
START, END, END_OF_SAMPLE = 4096, 4097, 4098
VOCABULARY = 4836
"""Ids are below this."""
VELOCITIES: NDArray[np.uint8] = np.arange(24, 121, 8).astype(np.uint8)
"""Those of the piano, shape (13,)."""
VELOCITY = 80
"""That of every other instrument; of drums by our choice."""
DRUM_TICKS = 12
"""Length that a drum hit is given, cut where the drum is hit again."""

_PIANO_ON, _OTHERS, _DRUMS, _WAIT = 128, 1792, 3840, 3967
_MAX_WAIT = 128
_PROGRAMS = (0, 40, 42, 32, 24, 73, 71, 56, 46)
"""Programs that the pitched instruments play, in their order."""
_DRUM_VOICE = len(_PROGRAMS)
_SET_BITS = (64, 32, 32, 16, 8, 2, 2, 2, 4, 1)
"""What each instrument adds to `END_OF_SAMPLE` in the id of a set: winds and strings share."""


def _voices() -> NDArray[np.int64]:
    """The service's instrument for each of ours, shape (instruments,)."""
    folded = {1: (40, 41, 44, 45, 48, 49, 50, 51), 2: (42, 43), 3: range(32, 40),
              4: range(24, 32), 5: range(72, 80), 6: range(64, 72), 7: range(56, 64),
              8: (46,)}  # fmt: skip
    voice_of = {program: voice for voice, programs in folded.items() for program in programs}
    pitched = [voice_of.get(instrument.program, 0) for instrument in INSTRUMENTS[:DRUMS]]
    return np.array([*pitched, _DRUM_VOICE])


_VOICE_OF = _voices()
_INSTRUMENT_OF = np.r_[INSTRUMENT_OF_PROGRAM[list(_PROGRAMS)], DRUMS].astype(np.uint8)


def on_grid(score: Score) -> Score:
    """The score as the service's ids can tell it: `decode(encode(score)) == on_grid(score)`."""
    notes = score.notes.copy()
    onset = _hundredths(score, score.notes["onset"])
    notes["onset"] = onset
    notes["duration"] = np.maximum(1, _hundredths(score, note_ends(score)) - onset)
    voice = _VOICE_OF[score.notes["instrument"]]
    notes["instrument"] = _INSTRUMENT_OF[voice]
    steps = np.rint((score.notes["velocity"] - 24.0) / 8).astype(int).clip(0, 12)
    notes["velocity"] = np.where(voice == 0, VELOCITIES[steps], VELOCITY)
    notes["duration"][voice == _DRUM_VOICE] = DRUM_TICKS
    return _score(notes)


def _score(notes: Array) -> Score:
    tempos = records(TEMPO, [(0, BPM)])
    return Score(unify(sort_notes(notes)), tempos, ticks_per_beat=TICKS_PER_BEAT)


def _hundredths(score: Score, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.floor(seconds_at(score, ticks) * 100 + 0.5).astype(np.int64)


def encode(score: Score, *, framed: bool = False) -> list[int]:
    """The ids of a score, brought to the service's grid first.

    Args:
        score: the music.
        framed: whether the set of instruments and the start stand in front, and the end behind.
    """
    notes = on_grid(score).notes
    voice = _VOICE_OF[notes["instrument"]]
    on, off = _note_ids(notes, voice)
    pitched = voice != _DRUM_VOICE
    end = notes["onset"].astype(np.int64) + notes["duration"]
    ticks = np.r_[end[pitched], notes["onset"]]
    ids = np.r_[off[pitched], on]
    keys = (np.r_[notes["pitch"][pitched], notes["pitch"]], np.r_[voice[pitched], voice],
            np.repeat([0, 1], [pitched.sum(), len(notes)]), ticks)  # fmt: skip
    order = np.lexsort(keys)
    events = [*_with_waits(ids[order].tolist(), np.diff(ticks[order], prepend=0).tolist())]
    return [instrument_set(score), START, *events, END] if framed else events


def _note_ids(
    notes: Array, voice: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The ids that begin and that end each note; drums have no end."""
    level = (notes["velocity"].astype(np.int64) - 24) // 8
    first = np.where(voice == 0, _PIANO_ON + 128 * level, _OTHERS + 256 * (voice - 1))
    last = np.where(voice == 0, 0, first + 128)
    return first + notes["pitch"], last + notes["pitch"]


def _with_waits(ids: Iterable[int], gaps: Iterable[int]) -> Iterable[int]:
    for number, gap in zip(ids, gaps, strict=True):
        longest, rest = divmod(gap, _MAX_WAIT)
        yield from [_WAIT + _MAX_WAIT] * longest
        if rest:
            yield _WAIT + rest
        yield number


def instrument_set(score: Score) -> int:
    """The id of the set of instruments that play: `END_OF_SAMPLE` for none."""
    bits = {_SET_BITS[_VOICE_OF[instrument]] for instrument in score.instruments}
    return END_OF_SAMPLE + sum(bits)


def decode(ids: Sequence[int]) -> Score:
    """The score that ids tell, at 125 bpm and 48 ticks a beat.

    What is left hanging ends with the music; a note struck again ends the earlier one; an end
    without a note, names and sets of instruments say nothing. Nothing after an end counts.

    Raises:
        UserError: an id is outside the vocabulary.
    """
    rows: list[tuple[int, int, int, int, int]] = []
    sounding: dict[tuple[int, int], tuple[int, int]] = {}
    now = 0

    def let_go(key: tuple[int, int]) -> None:
        if key in sounding:
            onset, velocity = sounding.pop(key)
            rows.append((onset, max(1, now - onset), key[1], velocity, key[0]))

    for number in ids:
        if not 0 <= number < VOCABULARY:
            raise UserError(f"{number} is no id of the web service: they go from 0 to 4835")
        if number in (END, END_OF_SAMPLE):
            break
        if number < _DRUMS:
            voice, velocity = _pitched(number)
            let_go((voice, number % 128))
            if velocity:
                sounding[voice, number % 128] = now, velocity
        elif number <= _WAIT:
            rows.append((now, DRUM_TICKS, number % 128, VELOCITY, _DRUM_VOICE))
        elif number <= _WAIT + _MAX_WAIT:
            now += number - _WAIT
    for key in list(sounding):
        let_go(key)
    notes = records(NOTE, rows)
    notes["instrument"] = _INSTRUMENT_OF[notes["instrument"]]
    return _score(notes)


def _pitched(number: int) -> tuple[int, int]:
    """The instrument and velocity of an id below the drums'; 0 ends a note."""
    block = number // 128
    if block < 14:
        return 0, 16 + 8 * block if block else 0
    voice, off = divmod(block - 14, 2)
    return voice + 1, 0 if off else VELOCITY


def parse(text: str) -> list[int]:
    """Ids in a text, separated by spaces or commas, as the old clients stored them.

    Raises:
        UserError: something in it is not a number, or one too long for an id.
    """
    words = text.replace(",", " ").strip().strip("[]").split()
    wrong = next((word for word in words if not _is_number(word)), None)
    if wrong is not None:
        raise UserError(f"'{wrong[:20]}' is no id: give numbers separated by spaces")
    return [int(word) for word in words]


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= len(str(VOCABULARY))
