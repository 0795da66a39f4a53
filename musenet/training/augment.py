"""Augmentation of pieces and dropping of prompts, as pure functions of a random generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musenet.condition import KEYS, KINDS, Condition
from musenet.controls import bars_of
from musenet.events import TEMPO_EVENT, Table, is_note
from musenet.features import NOT_TOLD
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.quantise import TEMPI, VELOCITIES

Styles = tuple[tuple[int, float], ...]
"""Ids and weights, which add up to 1, as in `Condition`."""
MODULATION_BARS = (6, 24)
"""The fewest and the most bars for which a key that is made to change stays."""
_LOW = np.array([instrument.low for instrument in INSTRUMENTS])
_HIGH = np.array([instrument.high for instrument in INSTRUMENTS])


@dataclass(frozen=True)
class Augmentation:
    """How pieces are varied and how often prompts are left out.

    Attributes:
        transpose: standard deviation of the transposition in semitones (small ones are
            commoner, so that keys mix while instruments keep their registers).
        velocity: largest change of loudness, in levels of four.
        tempo: largest change of tempo, in steps of 4 %.
        drop_styles: chance of telling no style at all; else some of them, from one to all.
        drop_instruments: chance of not telling the instruments.
        drop_key: chance of not telling the key.
        drop_kind: chance of not telling the kind of source.
        drop_length: chance of not telling the length (part and countdown).
        length_jitter: standard deviation of the length told, as a share of it.
        show_chords: chance of showing the chords of a window.
        show_density: chance of showing how many notes its bars have.
        show_dynamics: chance of showing how loud its bars are.
        show_key: chance of showing the key of its bars.
        show_style: chance of showing the style of its bars, of several one at random.
        modulate: chance of moving such a piece to another key now and then (`modulated`): the key
            of most is the same throughout, and what they have heard tells it anyway.
        splice: chance of looking for another piece to be in turn with; about half find one.
        both: chance of telling the styles of both then, each by its share of the bars.
        orchestrate: chance of giving some of its parts to other instruments, which are then told.
        give: chance of giving some of its notes ahead of time.
        lessen: share by which transposition has narrowed at the end of training; MuseNet
            lessened it late too.
        openings: how much more than others the first event of a piece counts in the loss; the
            more fades over some `batches.FADE` events. They are few, all that is composed from
            nothing hangs on them, and they alone must be foretold from the prompt.
        endings: likewise the last event, so that pieces learn to close.
        phrases: how much more what first sounds in every fourth bar counts, but for when it comes:
            whether a passage comes again is decided there.
    """

    transpose: float = 3.0
    velocity: int = 3
    tempo: int = 3
    drop_styles: float = 0.15
    drop_instruments: float = 0.15
    drop_key: float = 0.3
    drop_kind: float = 0.2
    drop_length: float = 0.15
    length_jitter: float = 0.03
    show_chords: float = 0.2
    show_density: float = 0.15
    show_dynamics: float = 0.15
    show_key: float = 0.35
    show_style: float = 0.5
    modulate: float = 0.5
    splice: float = 0.2
    both: float = 0.5
    orchestrate: float = 0.12
    give: float = 0.15
    lessen: float = 0.5
    openings: float = 20.0
    endings: float = 8.0
    phrases: float = 4.0

    def at(self, progress: float) -> Augmentation:
        """What holds at a progress of training of 0 to 1: transposition lessens from half on."""
        left = 1.0 - self.lessen * max(0.0, 2.0 * progress - 1.0)
        return replace(self, transpose=self.transpose * left)


NONE = Augmentation(
    0.0, 0, 0, 1.0, 1.0, 1.0, 1.0, 1.0,
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
)  # fmt: skip
"""Nothing varied, nothing told, and all events alike."""


def transposition(table: Table, spread: float, rng: np.random.Generator) -> int:
    """Semitones to move a piece by, at most 6, such that no note leaves its range."""
    shift = int(np.clip(np.rint(rng.normal(0.0, 1.0) * spread), -6, 6))
    return int(np.clip(shift, *_room(table)))


def _room(table: Table) -> tuple[int, int]:
    """How far a piece can be moved down and up, as `room` says, such that all stay pitches."""
    pitched = table[table[:, 1] < DRUMS]
    if not len(pitched):
        return 0, 0
    pitch = pitched[:, 2].astype(np.int64)
    lowest, highest = room(pitched[:, 1], pitch)
    return max(lowest, -int(pitch.min())), min(highest, 127 - int(pitch.max()))


def room(instrument: NDArray[np.integer[Any]], pitch: NDArray[np.integer[Any]]) -> tuple[int, int]:
    """How far notes can be moved down and up, at most 6 semitones, such that none leaves its range.

    Notes that are out of it do not count.

    Args:
        instrument: ids of pitched instruments, shape (notes,).
        pitch: shape (notes,).
    """
    below, above = pitch - _LOW[instrument], _HIGH[instrument] - pitch
    return -int(below[below >= 0].min(initial=6)), int(above[above >= 0].min(initial=6))


def varied(table: Table, augmentation: Augmentation, rng: np.random.Generator) -> tuple[Table, int]:
    """A varied copy of a piece, and the semitones by which it was moved."""
    shift = transposition(table, augmentation.transpose, rng)
    louder = int(rng.integers(-augmentation.velocity, augmentation.velocity + 1))
    faster = int(rng.integers(-augmentation.tempo, augmentation.tempo + 1))
    table = np.array(table)
    note, tempo = is_note(table), table[:, 1] == TEMPO_EVENT
    table[table[:, 1] < DRUMS, 2] += np.uint8(shift % 256)
    levels = (table[:, 4].astype(int) + louder).clip(1, len(VELOCITIES))
    table[:, 4] = np.where(note, levels, 0)
    steps = (table[:, 2].astype(int) + faster).clip(0, len(TEMPI) - 1)
    table[:, 2] = np.where(tempo, steps, table[:, 2])
    return table, shift


def modulated(table: Table, rng: np.random.Generator) -> tuple[Table, NDArray[np.int64]]:
    """A piece that goes to another key every few bars, and the semitones each bar was moved by.

    Bars that have no event do not count. No note leaves its instrument's range.
    """
    bars, bar = bars_of(table)
    spans = rng.integers(*MODULATION_BARS, endpoint=True, size=len(bars) // MODULATION_BARS[0] + 1)
    passage = np.searchsorted(np.cumsum(spans), np.arange(len(bars)), side="right")
    pitched, table = table[:, 1] < DRUMS, np.array(table)
    lowest, highest = _room(table)
    moved = rng.integers(lowest, highest, endpoint=True, size=len(spans) + 1)[passage]
    table[pitched, 2] += (moved[bar[pitched]] % 256).astype(np.uint8)
    return table, moved


def weighted(styles: Sequence[int], rng: np.random.Generator) -> Styles:
    """Some of the styles of a piece, from one to all, weighted at random."""
    count = int(rng.integers(1, max(1, len(styles)), endpoint=True))
    kept = rng.permutation(np.array(styles, dtype=np.int64))[:count].tolist()
    weights = rng.dirichlet(np.ones(count))
    return tuple((style, float(weight)) for style, weight in zip(kept, weights, strict=False))


def mixed(styles: Sequence[Styles], turns: NDArray[np.int64]) -> Styles:
    """The styles of pieces that are in turn, each weighted by the share of the bars of its piece.

    Args:
        styles: of the pieces, which share none.
        turns: which of them each bar is of, shape (bars,).
    """
    shares = np.bincount(turns, minlength=len(styles)) / len(turns)
    return tuple(
        (style, weight * float(share))
        for own, share in zip(styles, shares, strict=True)
        for style, weight in own
    )


def styles_of_bars(
    styles: Sequence[Styles], turns: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """A style for each bar, of those of whose turn it is, as often as it weighs, shape (bars,).

    Args:
        styles: of the pieces that are in turn, weighted.
        turns: which of them each bar is of, shape (bars,).
        rng: what draws.
    """
    drawn = np.full((len(styles), len(turns)), NOT_TOLD[4], dtype=np.int64)
    for row, own in zip(drawn, styles, strict=True):
        if own:
            ids, weights = zip(*own, strict=True)
            row[:] = rng.choice(ids, p=weights, size=len(row))
    chosen: NDArray[np.int64] = drawn[turns, np.arange(len(turns))]
    return chosen


def told(
    styles: Styles,
    instruments: list[int],
    key: int,
    kind: int,
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> Condition:
    """The prompt of a piece with items left out at random."""
    chances = rng.random(4)
    return Condition(
        () if chances[0] < augmentation.drop_styles else styles,
        () if chances[1] < augmentation.drop_instruments else tuple(instruments),
        KEYS if chances[2] < augmentation.drop_key else key,
        KINDS if chances[3] < augmentation.drop_kind else kind,
    )


def shown_controls(augmentation: Augmentation, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which of chords, density, dynamics, key and style a window shows, shape (5,)."""
    chances = (
        augmentation.show_chords, augmentation.show_density, augmentation.show_dynamics,
        augmentation.show_key, augmentation.show_style,
    )  # fmt: skip
    return rng.random(5) < chances
