"""Small pieces that the tests share: melodies that differ by their seed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from musenet.score import METRE, NOTE, TEMPO, Score, records, sort_notes, transpose

SCALE = (0, 2, 4, 5, 7, 9, 11)
BEAT = 480


def melody(seed: int, notes: int = 64, *, instrument: int = 0, bpm: float = 90.0) -> Score:
    """A random walk over the scale of C in eighths and quarters, the same for the same seed."""
    rng = np.random.default_rng(seed)
    steps = np.cumsum(rng.choice([-3, -2, -1, 1, 2, 3], notes)) % 14
    lengths = rng.choice([BEAT // 2, BEAT], notes)
    onsets = np.r_[0, np.cumsum(lengths)[:-1]]
    rows = [
        (int(onset), int(length), 60 + 12 * int(step // 7) + SCALE[step % 7], 80, instrument)
        for onset, length, step in zip(onsets, lengths, steps, strict=True)
    ]
    return Score(records(NOTE, rows), records(TEMPO, [(0, bpm)]), ticks_per_beat=BEAT)


def together(scores: Iterable[Score]) -> Score:
    """The notes of several scores at once, with the tempos and metres of the first."""
    parts = list(scores)
    notes = sort_notes(np.concatenate([part.notes for part in parts]))
    return Score(notes, parts[0].tempos, parts[0].metres, parts[0].ticks_per_beat)


def then(first: Score, second: Score, *, rest: int, metre: tuple[int, int] | None) -> Score:
    """One score after another and a rest in ticks, with the tempo and a metre of the second."""
    start = first.end + rest
    later = second.notes.copy()
    later["onset"] += start
    tempos = second.tempos.copy()
    tempos["tick"] += start
    metres = [(0, 4, 4), *([(start, *metre)] if metre else [])]
    return Score(
        np.concatenate([first.notes, later]), np.concatenate([first.tempos, tempos]),
        records(METRE, metres), first.ticks_per_beat,
    )  # fmt: skip


def transposed_copy(score: Score, semitones: int) -> Score:
    """The same notes higher and louder."""
    moved = transpose(score, semitones)
    notes = moved.notes.copy()
    notes["velocity"] = 100
    return replace(moved, notes=notes)
