"""How pieces close, by how many endings are tried, beside human pieces.

    python benchmarks/endings.py CORPUS [--endings 1 6] [--prompts 40] [--seconds 60]

Prompts are the styles and instruments of random held-out pieces; candidates of each are composed
with every number of endings. The share that end on the tonic, with the tonic in the bass, on a held
chord and on a strong beat (docs/measures.md), that the model ended itself, and the seconds that a
piece took. Below stand held-out human pieces as long or longer.
"""

from __future__ import annotations

import time

import numpy as np
from common import parse, run, tell
from held_out import options, prompts, shuffled

from musenet.analysis.arrays import bars_of
from musenet.analysis.timing import ending
from musenet.cli.output import say
from musenet.composing.composer import load
from musenet.condition import has_beat
from musenet.corpus.shards import Split, open_split
from musenet.evaluation.comparing import summary
from musenet.events import decode
from musenet.score import Score

HUMAN = 500
"""Pieces, at most."""
SIGNS = ("ending_tonic", "ending_bass", "ending_held", "ending_strong_beat")


def main() -> None:
    """Compose, measure and print."""
    made = options(__doc__, prompts=40, candidates=4, seconds=60.0)
    made.add_argument("--endings", type=int, nargs="+", default=[1, 6], help="how many are tried")
    arguments = parse(made)
    composer, split = load(arguments.model), open_split(arguments.data, arguments.split)
    wishes = prompts(split, arguments.prompts, arguments.seed)
    rows: list[tuple[object, ...]] = []
    for endings in arguments.endings:
        started, closes, by_model = time.perf_counter(), [], 0
        for number, asked in enumerate(wishes):
            pieces = composer.compose(
                **asked, minutes=arguments.seconds / 60.0, candidates=arguments.candidates,
                seed=arguments.seed + number, endings=endings,
            )  # fmt: skip
            closes += [_signs(piece.score) for piece in pieces]
            by_model += sum(piece.facts["ended_by"] == "model" for piece in pieces)
        taken = (time.perf_counter() - started) / len(closes)
        rows.append((f"{endings}", len(closes), *_shares(closes), by_model / len(closes), taken))
        if not arguments.json:
            say(f"{endings} endings: {rows[-1]}", stderr=True)
    closes = [_signs(score) for score in _human(split, arguments.seconds)]
    rows.append(("human", len(closes), *_shares(closes), "", ""))
    columns = ("endings tried", "pieces", "tonic", "tonic in the bass", "held", "strong beat",
               "by the model", "seconds a piece")  # fmt: skip
    tell(arguments, columns, rows, {"model": composer.name, "seconds": arguments.seconds})


def _signs(score: Score) -> list[float]:
    signs = ending(score, bars_of(score))
    return [signs[name] for name in SIGNS]


def _shares(closes: list[list[float]]) -> list[str]:
    """Each sign's share with its 95 % interval."""
    found = [summary(column) for column in np.array(closes).T]
    return [f"{sign.mean:.2f} ({sign.low:.2f}-{sign.high:.2f})" for sign in found]


def _human(split: Split, seconds: float) -> list[Score]:
    """Whole pieces of at least that length whose beats are known."""
    found: list[Score] = []
    for piece in shuffled(split):
        row = split.pieces[piece]
        if row["seconds"] >= seconds and has_beat(int(row["kind"])) and len(found) < HUMAN:
            found.append(decode(split.table(piece)))
    return found


if __name__ == "__main__":
    run(main)
