"""Pieces of two styles: the bars of one in turn with those of another.

As CutMix (Yun et al., 2019) does with pictures, parts of two examples stand side by side. One of
the two is told, and its bars alone are learnt, with those of the other before them: so the style
told is followed although what stands before is of another, which the corpus never asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.condition import has_beat
from musenet.corpus.shards import Split, styles_of
from musenet.events import METRE_EVENT, TEMPO_EVENT, Table, decode, encode
from musenet.instruments import DRUMS
from musenet.key import fitting_shift, pitch_class_weights
from musenet.quantise import TEMPI
from musenet.score import Score, bar_ticks, crop, sort_notes, transpose
from musenet.training.augment import room

CYCLES = (8, 8, 16)
"""Bars after which the first of the two comes again."""
_LEAST, _MOST = 0.2, 0.8
"""Shares of the bars that are the first's."""
_TEMPO_RATIO = 1.5
"""The most by which the tempi of the two may differ."""
_TRIES = 8
_LEAST_BARS = 8


@dataclass(frozen=True)
class Spliced:
    """A piece made of two.

    Attributes:
        table: its events, in the key and at the tempo of the first.
        pieces: the two.
        turns: which of the two, 0 or 1, each bar is of, shape (bars,).
        bar: length of a bar in ticks.
    """

    table: Table
    pieces: tuple[int, int]
    turns: NDArray[np.int64]
    bar: int

    def turn(self, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of the two what stands at some ticks is of, shape as theirs."""
        return self.turns[np.minimum(ticks // self.bar, len(self.turns) - 1)]


def spliced(split: Split, first: int, rng: np.random.Generator) -> Spliced | None:
    """A piece in turn with another one of other styles, or None where none fits.

    The other is of a style drawn at random, so that common styles are no commoner. Both keep
    one metre throughout, the same; they share no style, and their tempi are not far apart.
    """
    if not _suits(split, first):
        return None
    for _ in range(_TRIES):
        second = _of_any_style(split, rng)
        if _suits(split, second) and _go_together(split, first, second):
            return _made(split, first, second, rng)
    return None


def _of_any_style(split: Split, rng: np.random.Generator) -> int:
    style = rng.choice(list(split.by_style))
    return int(rng.choice(split.by_style[int(style)]))


def _suits(split: Split, piece: int) -> bool:
    row, table = split.pieces[piece], split.table(piece)
    beats = has_beat(int(row["kind"]))
    return beats and bool(styles_of(row)) and _value(table, METRE_EVENT) is not None


def _go_together(split: Split, first: int, second: int) -> bool:
    rows, tables = split.pieces[[first, second]], (split.table(first), split.table(second))
    one, other = (set(styles_of(row)) for row in rows)
    metres = {_value(table, METRE_EVENT) for table in tables}
    tempi = [_tempo(table) for table in tables]
    return not one & other and len(metres) == 1 and max(tempi) <= _TEMPO_RATIO * min(tempi)


def _value(table: Table, kind: int) -> int | None:
    """The value of the only event of a kind; None if there are several."""
    values = table[table[:, 1] == kind, 2]
    return int(values[0]) if len(values) == 1 else None


def _tempo(table: Table) -> float:
    """The tempo at which a piece begins, in quarter notes a minute."""
    return float(TEMPI[table[table[:, 1] == TEMPO_EVENT, 2][0]])


def _made(split: Split, first: int, second: int, rng: np.random.Generator) -> Spliced | None:
    one, other = decode(split.table(first)), decode(split.table(second))
    other = transpose(other, _shift(one, other))
    metre = one.metres[0]
    bar = bar_ticks(int(metre["numerator"]), int(metre["denominator"]), one.ticks_per_beat)
    counts = [-(-score.end // bar) for score in (one, other)]
    bars = min(counts)
    if bars < _LEAST_BARS:
        return None
    turns = _turns(bars, rng)
    table = encode(_in_turn((one, other), counts, turns, bar))
    return Spliced(table, (first, second), turns, bar)


def _shift(one: Score, other: Score) -> int:
    """Semitones that take the second to the key of the first, within its instruments' ranges."""
    notes = other.notes[other.notes["instrument"] != DRUMS]
    lowest, highest = room(notes["instrument"], notes["pitch"].astype(np.int64))
    weights = pitch_class_weights(one), pitch_class_weights(other)
    return fitting_shift(*weights, range(lowest, highest + 1))


def _turns(bars: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Which of the two each bar is of, 0 or 1, shape (bars,): both have at least one."""
    cycle = min(int(rng.choice(CYCLES)), bars)
    own = int(np.clip(round(rng.uniform(_LEAST, _MOST) * cycle), 1, cycle - 1))
    turns = (np.arange(bars) % cycle >= own).astype(np.int64)
    return turns[::-1] if rng.random() < 0.5 else turns


def _runs(turns: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Stretches of bars of one piece as (which, start, stop); one ends in the middle."""
    bars = len(turns)
    inner = np.arange(1, bars)
    starts = np.r_[0, inner[(np.diff(turns) != 0) | (inner == bars // 2)]]
    stops = np.r_[starts[1:], bars]
    return [
        (int(turns[start]), int(start), int(stop))
        for start, stop in zip(starts, stops, strict=True)
    ]


def _in_turn(
    scores: Sequence[Score], counts: Sequence[int], turns: NDArray[np.int64], bar: int
) -> Score:
    """One score of the bars of two: at the beginning as from theirs, towards the end as before it.

    What would sound into the other's bars ends there.

    Args:
        scores: the two.
        counts: how many bars they have.
        turns: which of the two each bar is of, shape (bars,).
        bar: length of a bar in ticks.
    """
    bars, notes = len(turns), []
    for which, start, stop in _runs(turns):
        skipped = 0 if stop <= bars // 2 else counts[which] - bars
        part = crop(scores[which], (start + skipped) * bar, (stop + skipped) * bar).notes
        part["onset"] += start * bar
        notes.append(part)
    return Score(sort_notes(np.concatenate(notes)), scores[0].tempos[:1], scores[0].metres)
