"""How composed music differs from held-out human music of the same styles, players and lengths.

    python benchmarks/matched.py CORPUS --split valid --prompts 5 --seconds 100 --seed 1

A piece is composed to the style and the instruments of each of so many held-out pieces of each
style, as long as it or as the seconds that are asked for. For every measure (docs/measures.md):

- human, composed: means over the pieces where both have it, and how many these are;
- off: their difference in standard deviations of the human pieces;
- t: the mean difference of a pair over its standard error; beyond 2 it is hardly chance.

Sorted by how far off they are.
"""

from __future__ import annotations

import numpy as np
from common import parse, run, tell
from held_out import beginning, composed, of_style, options
from numpy.typing import NDArray

from musenet.cli.output import say
from musenet.composing.composer import load
from musenet.corpus.shards import open_split
from musenet.evaluation.measures import MEASURES, measures
from musenet.events import decode

USUAL = ("swing", "latin", "rock", "country", "reggae", "pop", "game", "folk", "irish", "bach",
         "romantic", "hymns", "chopin", "ragtime", "waltz", "classical")  # fmt: skip
SHORTEST = 60.0
"""Seconds of the shortest human piece that is taken."""


def main() -> None:
    """Compose, measure and print."""
    made = options(__doc__, prompts=3, candidates=1, seconds=100.0)
    made.add_argument("--styles", nargs="+", default=USUAL, help="which")
    arguments = parse(made)
    composer, split = load(arguments.model), open_split(arguments.data, arguments.split)
    pairs: list[NDArray[np.float64]] = []
    for style in arguments.styles:
        pieces = of_style(split, style, arguments.prompts, arguments.seed, SHORTEST)
        for number, piece in enumerate(pieces):
            human = decode(beginning(split.table(piece), arguments.seconds))
            own = composed(composer, split, piece, style, human.seconds, arguments.seed + number)
            pairs.append(np.array([list(measures(each).values()) for each in (human, own)]))
        if not arguments.json:
            say(f"{style}: {len(pieces)} pieces", stderr=True)
    facts = {"model": composer.name, "pieces": len(pairs)}
    tell(arguments, ("measure", "human", "composed", "pieces", "off", "t"), rows(pairs), facts)


def rows(pairs: list[NDArray[np.float64]]) -> list[tuple[object, ...]]:
    """A row for each measure, from pairs of human and composed pieces, each (2, measures)."""
    found = []
    for name, each in zip(MEASURES, np.array(pairs).transpose(2, 0, 1), strict=True):
        human, own = each[~np.isnan(each).any(axis=1)].T
        if len(human) < 2 or not human.std():
            continue
        apart = own - human
        off = float(apart.mean() / human.std(ddof=1))
        error = float(apart.std(ddof=1)) / len(apart) ** 0.5
        t = float(apart.mean()) / error if error else 0.0
        found.append((name, float(human.mean()), float(own.mean()), len(human), off, t))
    return sorted(found, key=lambda row: -abs(row[4]))


if __name__ == "__main__":
    run(main)
