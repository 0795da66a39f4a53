"""Two made-up styles that a judge can be taught: scales that rise and scales that fall."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from toys import toy_split

from musenet.corpus.shards import SPLITS
from musenet.events import Table, encode
from musenet.score import NOTE, Score, records
from musenet.styles import style_id

RISING, FALLING = style_id("jazz"), style_id("baroque")


def scale(seed: int, *, rises: bool, notes: int = 60, instrument: int = 0) -> Score:
    """Scales over an octave from a random tone on, in eighths."""
    tone = int(np.random.default_rng(seed).integers(12))
    steps = np.arange(notes) % 12
    pitches = 60 + (tone + (steps if rises else -steps)) % 12
    rows = [(240 * i, 240, int(pitch), 80, instrument) for i, pitch in enumerate(pitches)]
    return Score(records(NOTE, rows), ticks_per_beat=480)


def scale_table(seed: int, *, rises: bool, notes: int = 60, instrument: int = 0) -> Table:
    """The same as an event table."""
    return encode(scale(seed, rises=rises, notes=notes, instrument=instrument))


def scale_split(folder: Path, notes: Sequence[int], split: str = "test") -> Path:
    """A split of one scale of so many notes each, the first half of them rising."""
    rises = [2 * i < len(notes) for i in range(len(notes))]
    tables = [scale_table(i, rises=up, notes=notes[i]) for i, up in enumerate(rises)]
    toy_split(
        folder, split, tables, styles=[[RISING if up else FALLING, -1, -1, -1] for up in rises]
    )
    return folder


def styled_corpus(folder: Path, pieces: int = 8) -> Path:
    """All splits, with so many pieces of either style in each, two of a work."""
    for place, split in enumerate(SPLITS):
        tables = [scale_table(100 * place + i, rises=i < pieces) for i in range(2 * pieces)]
        styles = [[RISING if i < pieces else FALLING, -1, -1, -1] for i in range(2 * pieces)]
        works = [100 * place + i // 2 for i in range(2 * pieces)]
        toy_split(folder, split, tables, styles=styles, work=works)
    return folder
