"""A few pieces parted into those to learn from and those to measure on, by work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from musenet.corpus.fingerprint import digests, fingerprint
from musenet.corpus.shards import Split
from musenet.corpus.works import Groups, find_matches, same_work, unite_by_key
from musenet.errors import UserError
from musenet.events import Table, decode, encode, is_note
from musenet.features import moments_of
from musenet.score import bar_starts, crop

SHARE = 0.2
"""Held out of the works; of a single one the end."""
FEWEST_NOTES = 200
"""Fewer notes in all are too few to learn from and to measure on."""


def parted(split: Split, seed: int) -> tuple[Split, Split]:
    """Pieces to learn from, and pieces to measure on, in which no work stands twice.

    What stands in one file, and pieces with the same melodies, count as one work. Of a single
    work the last fifth of its notes is held out.

    Raises:
        UserError: there are too few notes.
    """
    notes = int(split.pieces["notes"].sum())
    if notes < FEWEST_NOTES:
        raise UserError(f"{notes} notes are too few to learn a style: add pieces, so that there "
                        f"are {FEWEST_NOTES} notes and more")  # fmt: skip
    works = _works(split)
    kinds = np.unique(works)
    if len(kinds) == 1:
        return _cut(split)
    order = np.random.default_rng(seed).permutation(kinds)
    held = np.isin(works, order[: max(1, round(SHARE * len(kinds)))])
    return chosen(split, np.flatnonzero(~held)), chosen(split, np.flatnonzero(held))


def chosen(split: Split, pieces: NDArray[np.int64]) -> Split:
    """Some of the pieces, over the same events."""
    names = tuple(split.names[piece] for piece in pieces)
    return Split(split.events, split.pieces[pieces], names)


def _works(split: Split) -> NDArray[np.int64]:
    """The work of each piece, shape (pieces,)."""
    tables = [split.table(piece) for piece in range(len(split))]
    groups = Groups(len(split))
    files = [name.rsplit("#", 1)[0] for name in split.names]
    digest = [digests(table)[1] for table in tables]
    unite_by_key(groups, enumerate(zip(files, digest, strict=True)))
    matches = find_matches([fingerprint(table) for table in tables], np.zeros(len(split), bool))
    strong = matches.where(same_work(matches))
    for one, other in zip(strong.first.tolist(), strong.second.tolist(), strict=True):
        groups.unite(one, other)
    return groups.roots()


def _cut(split: Split) -> tuple[Split, Split]:
    """Each piece parted at a bar line, where four fifths of its notes have begun."""
    halves = [_cut_table(split.table(piece)) for piece in range(len(split))]
    parts = []
    for own in zip(*halves, strict=True):
        kept = [piece for piece, table in enumerate(own) if is_note(table).any()]
        parts.append(_rebuilt(chosen(split, np.array(kept, np.int64)), [own[i] for i in kept]))
    if not all(len(part) for part in parts):
        raise UserError("the piece cannot be cut into a part to learn from and one to measure on: "
                        "add pieces")  # fmt: skip
    return parts[0], parts[1]


def _cut_table(table: Table) -> tuple[Table, Table]:
    score = decode(table)
    bars, onsets = bar_starts(score), score.notes["onset"]
    wanted = int(onsets[min(len(onsets) - 1, round((1 - SHARE) * len(onsets)))])
    before = bars[bars <= wanted]
    tick = int(before[-1]) if len(before) else 0
    return encode(crop(score, 0, tick)), encode(crop(score, tick, score.end))


def _rebuilt(split: Split, tables: Sequence[Table]) -> Split:
    """The pieces with other tables."""
    pieces = split.pieces.copy()
    pieces["events"] = [len(table) for table in tables]
    pieces["notes"] = [is_note(table).sum() for table in tables]
    pieces["seconds"] = [moments_of(table).seconds[-1] for table in tables]
    pieces["offset"] = np.cumsum(pieces["events"], dtype=np.int64) - pieces["events"]
    events = np.concatenate([np.zeros((0, 5), np.uint8), *tables])
    return replace(split, events=events, pieces=pieces)
