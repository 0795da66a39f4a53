"""What instruments are written on: order, staves, clefs and octaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.instruments import DRUMS, INSTRUMENTS

_ORDER = (
    "piccolo", "flute", "recorder", "oboe", "english horn", "clarinet", "alto sax", "tenor sax",
    "bassoon", "bagpipes", "horn", "trumpet", "trombone", "tuba", "brass", "timpani", "percussion",
    "drums", "bells", "vibraphone", "marimba", "celesta", "harp", "voice", "choir", "accordion",
    "acoustic guitar", "electric guitar", "distorted guitar", "banjo", "sitar", "synth lead",
    "synth pad", "synth effects", "sound effects", "electric piano", "harpsichord", "organ",
    "piano", "violin", "viola", "cello", "contrabass", "strings", "acoustic bass",
    "electric bass", "synth bass",
)  # fmt: skip
_TWO_STAVES = {"piano", "electric piano", "harpsichord", "organ", "harp", "celesta"}
_PERHAPS_TWO = {
    "strings", "choir", "voice", "brass", "accordion", "marimba", "vibraphone", "bells",
    "synth lead", "synth pad", "synth effects", "sound effects",
}  # fmt: skip
_WRITTEN_HIGHER = {
    "piccolo": -1, "recorder": -1, "celesta": -1, "acoustic guitar": 1, "electric guitar": 1,
    "distorted guitar": 1, "acoustic bass": 1, "electric bass": 1, "synth bass": 1,
    "contrabass": 1, "banjo": 1,
}  # fmt: skip
_ABBREVIATIONS = dict(
    zip(
        _ORDER,
        (
            "Picc.", "Fl.", "Rec.", "Ob.", "E.H.", "Cl.", "A.Sx.", "T.Sx.", "Bsn.", "Bagp.", "Hn.",
            "Tpt.", "Tbn.", "Tba.", "Brs.", "Timp.", "Perc.", "Dr.", "Bells", "Vib.", "Mar.",
            "Cel.", "Hp.", "Vo.", "Ch.", "Acc.", "Gtr.", "E.Gtr.", "D.Gtr.", "Bj.", "Sit.", "Lead",
            "Pad", "Synth", "FX", "E.Pno.", "Hpsd.", "Org.", "Pno.", "Vln.", "Vla.", "Vc.", "Cb.",
            "Str.", "Bass", "E.Bs.", "S.Bs.",
        ),
        strict=True,
    )
)  # fmt: skip
_LOWEST_WRITTEN, _HIGHEST_WRITTEN = 13, 130


@dataclass(frozen=True)
class Clef:
    """A clef: sign and line as in MusicXML, and the MIDI pitches that need no ledger line."""

    sign: str
    line: int
    low: int
    high: int


TREBLE = Clef("G", 2, 62, 79)
BASS = Clef("F", 4, 41, 59)
ALTO = Clef("C", 3, 52, 69)
TENOR = Clef("C", 4, 48, 66)
PERCUSSION = Clef("percussion", 2, 0, 127)

_CLEFS = {
    "viola": (ALTO, TREBLE), "cello": (BASS, TENOR, TREBLE), "bassoon": (BASS, TENOR),
    "trombone": (BASS, TENOR), "tuba": (BASS,), "contrabass": (BASS, TREBLE),
    "timpani": (BASS,), "acoustic bass": (BASS, TREBLE), "electric bass": (BASS, TREBLE),
}  # fmt: skip
_RELUCTANCE = 0.5
_MANY_LEDGER_LINES = 1.0
_SEMITONES_A_LINE = 3.5


@dataclass(frozen=True)
class Layout:
    """How one instrument is written.

    Attributes:
        instrument: id.
        clefs: one a staff, from above.
        octaves: octaves that it is written higher than it sounds.
    """

    instrument: int
    clefs: tuple[Clef, ...]
    octaves: int


def score_order(instruments: list[int]) -> list[int]:
    """Instrument ids in the order of an orchestral score."""
    return sorted(instruments, key=lambda index: _ORDER.index(INSTRUMENTS[index].name))


def abbreviation(instrument: int) -> str:
    """The short name of an instrument, such as 'Vln.'."""
    return _ABBREVIATIONS[INSTRUMENTS[instrument].name]


def layout_of(instrument: int, pitches: NDArray[np.uint8]) -> Layout:
    """Staves, clefs and octave for the pitches, shape (notes,), that an instrument plays."""
    if instrument == DRUMS:
        return Layout(instrument, (PERCUSSION,), 0)
    name = INSTRUMENTS[instrument].name
    if not len(pitches):
        return Layout(instrument, (TREBLE, BASS) if name in _TWO_STAVES else (TREBLE,), 0)
    octaves = _octaves(name, int(pitches.min()), int(pitches.max()))
    written = pitches.astype(np.int64) + 12 * octaves
    choices = _CLEFS.get(name, (TREBLE, BASS))
    costs = [_RELUCTANCE * i + float(_lines(written, c).mean()) for i, c in enumerate(choices)]
    best = int(np.argmin(costs))
    spared = float(np.mean(_lines(written, choices[best]) - _lines_on_two(written)))
    two = name in _TWO_STAVES or (name in _PERHAPS_TWO and spared > _MANY_LEDGER_LINES)
    return Layout(instrument, (TREBLE, BASS) if two else (choices[best],), octaves)


def _lines(pitches: NDArray[np.int64], clef: Clef) -> NDArray[np.float64]:
    """Ledger lines of each pitch, roughly."""
    outside = np.maximum(0, clef.low - pitches) + np.maximum(0, pitches - clef.high)
    return outside / _SEMITONES_A_LINE


def _lines_on_two(pitches: NDArray[np.int64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = np.minimum(_lines(pitches, TREBLE), _lines(pitches, BASS))
    return result


def _octaves(name: str, lowest: int, highest: int) -> int:
    """The usual octave, or one in which all notes have a written name."""
    usual = _WRITTEN_HIGHER.get(name, 0)
    while lowest + 12 * usual < _LOWEST_WRITTEN:
        usual += 1
    while highest + 12 * usual > _HIGHEST_WRITTEN:
        usual -= 1
    return usual


_SPLITS = np.arange(45, 77)
_MIDDLE = 60
_SPAN = 12
_SPAN_COST, _MOVE_COST = 2.0, 0.5


def upper_staff(onsets: NDArray[np.int64], pitches: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which notes of a keyboard the upper staff takes, shape (notes,).

    The pitch that divides the hands follows the least sum of ledger lines, stretches beyond an
    octave in one hand, and its own moves (Viterbi).

    Args:
        onsets: ticks, rising, shape (notes,).
        pitches: MIDI pitches, shape (notes,).
    """
    if not len(onsets):
        return np.zeros(0, np.bool_)
    moment = np.unique(onsets, return_inverse=True)[1]
    moves = _MOVE_COST * np.abs(_SPLITS[:, None] - _SPLITS)
    costs = [_hand_costs(group) for group in np.split(pitches, _changes(moment))]
    total, back = costs[0], []
    for cost in costs[1:]:
        through = total[:, None] + moves
        back.append(through.argmin(axis=0))
        total = through.min(axis=0) + cost
    path = [int(total.argmin())]
    for previous in reversed(back):
        path.append(int(previous[path[-1]]))
    result: NDArray[np.bool_] = pitches >= _SPLITS[np.array(path[::-1])[moment]]
    return result


def _changes(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    result: NDArray[np.int64] = np.flatnonzero(np.diff(groups)) + 1
    return result


def _hand_costs(pitches: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cost of each split for notes struck together, shape (splits,)."""
    upper = pitches[None, :] >= _SPLITS[:, None]
    cost = np.where(upper, np.maximum(0, _MIDDLE - pitches), np.maximum(0, pitches - _MIDDLE))
    spans = [
        np.where(hand, pitches, 0).max(axis=1) - np.where(hand, pitches, 127).min(axis=1) - _SPAN
        for hand in (upper, ~upper)
    ]
    stretch = np.maximum(0, spans[0]) + np.maximum(0, spans[1])
    result: NDArray[np.float64] = cost.sum(axis=1) + _SPAN_COST * stretch
    return result
