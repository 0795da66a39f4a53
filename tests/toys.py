"""Small corpora for tests, and given notes put back where they sound."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from music import melody

from musenet.corpus.shards import (
    FORMAT,
    PIECE,
    Split,
    instrument_names,
    open_split,
    style_names,
    write_split,
)
from musenet.events import METRE_EVENT, REST, TEMPO_EVENT, Table, encode, is_note, spaced
from musenet.features import moments_of
from musenet.given import Anticipated


def toy_tables(pieces: int, notes: int = 40, seed: int = 0) -> list[Table]:
    """Melodies for piano and violin as event tables."""
    return [
        encode(melody(seed + i, notes + 7 * (i % 5), instrument=15 * (i % 2)))
        for i in range(pieces)
    ]


def toy_split(
    folder: Path, split: str, tables: Sequence[Table], **columns: Sequence[object]
) -> Split:
    """Write a split and open it; `columns` sets columns of `PIECE`, `names` the names."""
    folder.mkdir(parents=True, exist_ok=True)
    header = {"format": FORMAT, "instruments": instrument_names(), "styles": style_names()}
    (folder / "corpus.json").write_text(json.dumps(header))
    pieces = np.zeros(len(tables), dtype=PIECE)
    pieces["events"] = [len(table) for table in tables]
    pieces["notes"] = [is_note(table).sum() for table in tables]
    pieces["seconds"] = [moments_of(table).seconds[-1] for table in tables]
    pieces["styles"], pieces["key"], pieces["work"] = -1, 24, np.arange(len(tables))
    names = columns.pop("names", [f"toys/{i}.mid#0" for i in range(len(tables))])
    for column, values in columns.items():
        pieces[column] = values
    write_split(folder, split, tables, pieces, [str(name) for name in names])
    return open_split(folder, split)


def toy_corpus(folder: Path, pieces: int = 16) -> Path:
    """A corpus of `pieces` melodies to train on and a few to validate with."""
    toy_split(folder, "train", toy_tables(pieces))
    toy_split(folder, "valid", toy_tables(4, seed=100))
    return folder


def restored(ahead: Anticipated) -> Table:
    """The piece with every note where it sounds, in the order of the encoding."""
    kept = ahead.table[:, 1] != REST
    rows, lead = ahead.table[kept], ahead.lead[kept]
    ticks = np.cumsum(ahead.table[:, 0], dtype=np.int64)[kept] + lead
    kind = rows[:, 1].astype(np.int64)
    rank = np.select([kind == METRE_EVENT, kind == TEMPO_EVENT], [-2, -1], kind)
    order = np.lexsort((rows[:, 2], rank, ticks))
    return spaced(rows[order].astype(np.int64), ticks[order])
