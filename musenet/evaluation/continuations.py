"""Real windows of pieces, and what a model writes in their place.

Both stand behind the same music and have the same prompt (style, instruments, kind, length) and
number of rows, so that none of these tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from musenet.checkpoint import read_tensors, write_tensors
from musenet.composing.composer import Composer
from musenet.composing.decoding import Decoder, Stopped, generators
from musenet.composing.rules import Wishes
from musenet.composing.sampling import Sampling
from musenet.condition import Condition, has_beat
from musenet.corpus.shards import Split
from musenet.errors import UserError
from musenet.events import Table
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.training.batches import Sample, sample
from musenet.training.mixture import piece_weights
from musenet.windows import window

LEAST_ROWS = 64
"""Rows that a window has at least."""
FROM_THE_START = 0.5
"""Share of the windows that begin their pieces, as what is composed from nothing does."""
_FORMAT = 1
_NO_ROWS = np.zeros((0, 5), dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Continuation:
    """A place in a piece, and what a model wrote from there on.

    Attributes:
        piece: number of the piece in its split.
        start: row at which the model began.
        written: event tables without an end, each at most as long as the piece goes on.
    """

    piece: int
    start: int
    written: tuple[Table, ...]


def continued(
    composer: Composer, split: Split, *, rows: int, candidates: int, seed: int = 0, first: int = 0,
) -> Iterator[Continuation]:  # fmt: skip
    """Continuations of random places, without end; the n-th is a function of seed and n alone.

    Args:
        composer: the model.
        split: pieces to continue, taken as often as in training.
        rows: most rows to write.
        candidates: continuations of each place.
        seed: of the places and of the music.
        first: number of the first that is made.

    Raises:
        UserError: all pieces are too short.
    """
    long_enough = split.pieces["events"] > 2 * LEAST_ROWS
    if not long_enough.any():
        raise UserError("the corpus has no pieces long enough to continue: build a larger one")
    shares = np.cumsum(piece_weights(split, rows) * long_enough)
    number = first
    while True:
        rng = np.random.default_rng([seed, number])
        piece = int(np.searchsorted(shares / shares[-1], rng.random(), side="right"))
        last = int(split.pieces["events"][piece]) - 1 - LEAST_ROWS
        start = 0 if rng.random() < FROM_THE_START else int(rng.integers(2, last + 1))
        yield continue_piece(
            composer, split, piece, start, rows=rows, candidates=candidates,
            seed=int(rng.integers(2**31)),
        )  # fmt: skip
        number += 1


def continue_piece(
    composer: Composer, split: Split, piece: int, start: int, *, rows: int, candidates: int,
    seed: int,
) -> Continuation:  # fmt: skip
    """What a model writes from a row of a piece on, as composing does with its prompt."""
    table = split.table(piece)
    left = len(table) - 1 - start
    condition = condition_of(split, piece)
    decoder = Decoder(
        composer.network, condition, _wishes(composer, split, piece), Sampling(),
        opening=np.ascontiguousarray(table[:start]),
        earliest=int(table[:start, 0].sum(dtype=np.int64)),
        random=generators(seed, range(candidates)), context=composer.context, human=composer.human,
    )  # fmt: skip
    with suppress(Stopped):
        decoder.run(stop=lambda: decoder.past.rows >= start + min(rows, left))
    stops = np.where(decoder.alive, decoder.past.rows, decoder.lengths)
    written = [decoder.tables[i, start:stop].copy() for i, stop in enumerate(stops)]
    return Continuation(piece, start, tuple(written))


def _wishes(composer: Composer, split: Split, piece: int) -> Wishes:
    players = condition_of(split, piece).instruments
    known = composer.facts.get("voices", {})
    voices = tuple(int(known.get(INSTRUMENTS[player].name, 128)) for player in players)
    return Wishes(players, float(split.pieces["seconds"][piece]), voices=voices)


def condition_of(split: Split, piece: int) -> Condition:
    """The prompt that composing gives for such a piece: all but the key."""
    row, table = split.pieces[piece], split.table(piece)
    styles = [int(style) for style in row["styles"] if style >= 0]
    players = tuple(int(player) for player in np.unique(table[:, 1]) if player <= DRUMS)
    return Condition(tuple((style, 1 / len(styles)) for style in styles), players,
                     kind=int(row["kind"]))  # fmt: skip


def windows_of(split: Split, found: Continuation) -> list[tuple[Sample, Sample]]:
    """A real and a written window for each continuation, alike in prompt, place and rows."""
    table = split.table(found.piece)
    pairs = []
    for written in found.written:
        stop = found.start + len(written)
        whole = np.concatenate([table[: found.start], written])
        pairs.append(tuple(_window(split, found, each, stop) for each in (table, whole)))
    return [(real, other) for real, other in pairs]


def _window(split: Split, found: Continuation, table: Table, stop: int) -> Sample:
    row = split.pieces[found.piece]
    beat_known = has_beat(int(row["kind"]))
    return sample(window(table, found.start, stop), condition_of(split, found.piece),
                  float(row["seconds"]), beat_known=beat_known)  # fmt: skip


def beginning(split: Split, piece: int, rows: int) -> Sample:
    """The first rows of a piece, as a window with the prompt that composing gives for it."""
    table = split.table(piece)
    return _window(split, Continuation(piece, 0, ()), table, min(rows, len(table)))


def write_continuations(
    path: Path, found: Mapping[str, Sequence[Continuation]], facts: Mapping[str, Any]
) -> None:
    """Write continuations of splits, by name, with facts of their making."""
    tensors: dict[str, Tensor] = {}
    for split, own in found.items():
        tables = [table for each in own for table in each.written]
        lengths = [[len(table) for table in each.written] for each in own]
        tensors |= {
            f"{split}.piece": torch.tensor([each.piece for each in own], dtype=torch.int64),
            f"{split}.start": torch.tensor([each.start for each in own], dtype=torch.int64),
            f"{split}.lengths": torch.tensor(lengths, dtype=torch.int64),
            f"{split}.rows": torch.from_numpy(np.concatenate([_NO_ROWS, *tables])),
        }
    write_tensors(path, tensors, {"format": _FORMAT, "continuations": dict(facts)})


def read_continuations(path: Path) -> tuple[dict[str, list[Continuation]], dict[str, Any]]:
    """What `write_continuations` wrote.

    Raises:
        UserError: it is missing, damaged or something else.
    """
    tensors, meta = read_tensors(path)
    if "continuations" not in meta:
        raise UserError(f"{path} holds no continuations: move it away")
    splits = sorted(name.removesuffix(".rows") for name in tensors if name.endswith(".rows"))
    return {split: _unpacked(tensors, split) for split in splits}, dict(meta["continuations"])


def _unpacked(tensors: Mapping[str, Tensor], split: str) -> list[Continuation]:
    piece, start, lengths, rows = (
        tensors[f"{split}.{name}"].numpy() for name in ("piece", "start", "lengths", "rows")
    )
    tables = iter(np.split(rows, np.cumsum(lengths.ravel())[:-1]))
    return [
        Continuation(int(place), int(row), tuple(next(tables) for _ in own))
        for place, row, own in zip(piece, start, lengths, strict=True)
    ]
