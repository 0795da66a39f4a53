"""Whether composed tunes have the form of human tunes, in which what is new is surprising and what
is repeated hardly at all.

    python benchmarks/form.py CORPUS [--styles irish scottish ...] [--seconds 60]

Tunes of these styles are often sixteen bars, each half of eight played twice: bars 1-8, the same
again, then 17-24 and the same again. A piece is composed to the style and instruments of each of
so many held-out ones. Means over the pieces of

- new, again, new 17-24, again 25-32: bits an event of these bars to the network, with style,
  instruments and length told;
- alike 5-8, 9-12 ...: whether these four bars share half of their notes and more, by place and
  pitch, with four bars before them that begin as many times four bars earlier;
- similarity_8, longest_loop, stuck: as in docs/measures.md.
"""

from __future__ import annotations

import numpy as np
from common import parse, run, tell
from held_out import beginning, composed, of_style, options, told_of
from numpy.typing import NDArray

from musenet.analysis.arrays import bar_sets, bars_of, mean
from musenet.composing.composer import load
from musenet.condition import Condition
from musenet.corpus.shards import open_split
from musenet.evaluation.continuations import condition_of
from musenet.evaluation.measures import measures
from musenet.evaluation.surprise import bits_of_events
from musenet.events import Table, decode, encode
from musenet.model import Model
from musenet.score import Score, bar_starts
from musenet.training.batches import sample
from musenet.windows import window

USUAL = ("irish", "scottish", "american fiddle", "folk")
EIGHT, PHRASES = 8, 4
FOUR, GROUPS = 4, 7
ALIKE = 0.5
SHORTEST = 30.0
"""Seconds of the shortest human piece that is taken."""
MEASURED = ("similarity_8", "longest_loop", "stuck")


def main() -> None:
    """Compose, measure and print."""
    made = options(__doc__, prompts=8, candidates=1, seconds=45.0)
    made.add_argument("--styles", nargs="+", default=USUAL, help="which")
    arguments = parse(made)
    composer, split = load(arguments.model), open_split(arguments.data, arguments.split)
    human, own = [], []
    for style in arguments.styles:
        pieces = of_style(split, style, arguments.prompts, arguments.seed, SHORTEST)
        for number, piece in enumerate(pieces):
            table = beginning(split.table(piece), arguments.seconds)
            human.append(_measured(composer.model, table, condition_of(split, piece)))
            seed = arguments.seed + number
            score = composed(composer, split, piece, style, arguments.seconds, seed)
            told = told_of(composer, split, piece, style)
            own.append(_measured(composer.model, encode(score), told))
    rows = [
        (by, len(each), *(mean(own[~np.isnan(own)]) for own in np.array(each).T))
        for by, each in (("human", human), ("composed", own))
    ]
    alike = [f"alike {FOUR * group + 1}-{FOUR * group + FOUR}" for group in range(1, GROUPS)]
    columns = ("by", "pieces", "new", "again", "new 17-24", "again 25-32", *alike, *MEASURED)
    tell(arguments, columns, rows, {"model": composer.name})


def _measured(model: Model, table: Table, told: Condition) -> NDArray[np.float64]:
    score = decode(table)
    own = measures(score)
    phrases, alike = by_phrase(model, table, told), repeats(score)
    return np.r_[phrases, alike, [own[name] for name in MEASURED]]


def by_phrase(model: Model, table: Table, told: Condition) -> NDArray[np.float64]:
    """Bits an event of each of the first four eight bars, NaN for those that are not there."""
    score = decode(table)
    view = sample(window(table, 0, min(model.config.context, len(table))), told, score.seconds)
    bits = bits_of_events(model, view).numpy()
    ticks = np.cumsum(table[: len(bits), 0].astype(np.int64))
    phrase = (np.searchsorted(bar_starts(score), ticks, side="right") - 1) // EIGHT
    found = [bits[phrase == number] for number in range(PHRASES)]
    return np.array([own.mean() if len(own) else np.nan for own in found])


def repeats(score: Score) -> NDArray[np.float64]:
    """Whether four bars after the first are like four before them, 1 or 0, NaN if not there."""
    bars, notes = bars_of(score), score.notes
    count, length = len(bars) // FOUR, int(bars.lengths.max(initial=1))
    members = (bars.of % FOUR * length + bars.place) * 128 + notes["pitch"]
    kept = bars.of < FOUR * count
    sets = bar_sets(bars.of[kept] // FOUR, members[kept], count)
    found = np.zeros(max(count, GROUPS))
    for lag in range(1, count):
        shared = sets.shared(lag)
        union = sets.counts[:-lag] + sets.counts[lag:] - shared
        found[lag:count] = np.maximum(found[lag:count], shared / np.maximum(union, 1))
    return np.where(np.arange(1, GROUPS) < count, found[1:GROUPS] >= ALIKE, np.nan)


if __name__ == "__main__":
    run(main)
