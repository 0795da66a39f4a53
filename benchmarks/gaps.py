"""Whether bars that are filled in fall silent.

    python benchmarks/gaps.py CORPUS [--pieces 12] [--seeds 2]

The first 24 bars of random held-out pieces, every one of which has notes; four bars of every
second piece and eight of the others are taken out and filled in. A bar without an onset is empty;
"last" are the two bars before the given music goes on. Beside them stand the new notes as a share
of those that were taken out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import parse, parser, run, tell
from numpy.typing import NDArray

from musenet import midi
from musenet.cli.output import say
from musenet.composing.composer import load
from musenet.corpus.shards import open_split
from musenet.events import decode
from musenet.score import Score, bar_starts, crop

BARS, LENGTHS, EARLIEST = 24, (4, 8), (5, 9)
"""Bars of a piece, of a gap, and the first bar of a gap."""


def main() -> None:
    """Take out, fill in, count and print."""
    made = parser(__doc__)
    made.add_argument("data", type=Path, help="a corpus")
    made.add_argument("--model", type=Path, help="default: the model that comes with musenet")
    made.add_argument("--pieces", type=int, default=12, help="how many (default 12)")
    made.add_argument("--seeds", type=int, default=2, help="fillings of each (default 2)")
    arguments = parse(made)
    composer = load(arguments.model)
    rows: list[tuple[object, ...]] = []
    for name, piece, first, last in _gaps(arguments):
        data, human = midi.to_bytes(piece), _counts(piece, first, last)
        for seed in range(arguments.seeds):
            filled = composer.arrange(data, bars=(first, last), seed=seed)[0]
            new = _counts(filled.score, first, last, bar_starts(midi.load(data)))
            rows.append((name, f"{first}-{last}", int((new == 0).sum()),
                         int((new[-2:] == 0).sum()), new.sum() / human.sum()))  # fmt: skip
            if not arguments.json:
                say(f"{name}: {new.tolist()} notes for {human.tolist()}", stderr=True)
    bars = sum(1 + int(b) - int(a) for a, b in (str(row[1]).split("-") for row in rows))
    empty, last_ones = (sum(int(str(row[place])) for row in rows) for place in (2, 3))
    facts = {
        "model": composer.name, "gaps": len(rows), "bars": bars,
        "empty": f"{empty / bars:.1%}", "empty of the last two": f"{last_ones / 2 / len(rows):.1%}",
        "gaps with an empty bar": sum(row[2] != 0 for row in rows),
        "new notes for each taken out, median": float(np.median([float(str(r[4])) for r in rows])),
    }  # fmt: skip
    tell(arguments, ("piece", "bars", "empty", "empty of the last two", "notes"), rows, facts)


def _gaps(arguments: argparse.Namespace) -> Iterator[tuple[str, Score, int, int]]:
    """Pieces, and the first and last bar to fill in."""
    split, random = open_split(arguments.data, "test"), np.random.default_rng(1)
    found = 0
    for piece in random.permutation(len(split)).tolist():
        score = decode(split.table(piece))
        starts = bar_starts(score)
        if (
            int(split.pieces[piece]["kind"]) // 2
            or len(starts) <= BARS
            or found == arguments.pieces
        ):
            continue
        score = crop(score, 0, int(starts[BARS]))
        if not _counts(score, 1, BARS, starts).all():
            continue
        first = int(random.integers(*EARLIEST))
        yield split.names[piece], score, first, first + LENGTHS[found % 2] - 1
        found += 1


def _counts(
    score: Score, first: int, last: int, starts: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Notes that begin in each bar from `first` to `last`, counted from 1."""
    known = bar_starts(score) if starts is None else starts
    bar = np.searchsorted(known, score.notes["onset"], side="right") - 1
    counts: NDArray[np.int64] = np.bincount(bar, minlength=last)[first - 1 : last]
    return counts


if __name__ == "__main__":
    run(main)
