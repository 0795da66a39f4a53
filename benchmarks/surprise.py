"""How surprising to the network composed music is, held and at fixed temperatures.

    python benchmarks/surprise.py CORPUS [--styles swing latin ...] [--temperatures 1 1.1]

For each style, pieces are composed to the instruments of held-out pieces of it: held near human
music as `compose` does, and at each temperature. Bits an event are counted in one way for all:
style, instruments and length told, as `musenet evaluate surprise` counts them.

- bits: bits an event, mean over pieces;
- off: mean over pieces of |ln(bits / mean bits of the style's human pieces)|, which is 0 for music
  as surprising as the mean human piece; human pieces have their own spread;
- drums: how like the last bar, or the one before it, those of the drums are (the larger mean of
  drum_similarity_1 and _2, docs/measures.md);
- stuck, loop: as in docs/measures.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from common import parse, run, tell
from held_out import beginning, composed, of_style, options, told_of
from numpy.typing import NDArray

from musenet.cli.output import say
from musenet.composing.composer import Composer, load
from musenet.composing.surprise import HumanSurprise
from musenet.condition import Condition
from musenet.corpus.shards import Split, open_split
from musenet.evaluation.continuations import condition_of
from musenet.evaluation.measures import measures
from musenet.evaluation.surprise import EVENTS, bits_an_event
from musenet.events import Table, decode, encode
from musenet.styles import STYLES, style_id
from musenet.training.batches import sample
from musenet.windows import window

USUAL = ("swing", "latin", "rock", "country", "reggae", "pop", "game", "folk", "irish", "bach",
         "romantic", "string quartet", "hymns", "chopin")  # fmt: skip


def main() -> None:
    """Compose, measure and print."""
    made = options(__doc__, prompts=3, candidates=1, seconds=75.0)
    made.add_argument("--styles", nargs="+", default=USUAL, help="which")
    made.add_argument("--temperatures", type=float, nargs="*", default=[1.0, 1.1], help="fixed")
    arguments = parse(made)
    composer, split = load(arguments.model), open_split(arguments.data, arguments.split)
    human = composer.human
    ways: dict[str, tuple[float, HumanSurprise | None]] = {"held": (1.0, human)}
    ways |= {f"at {degrees:g}": (degrees, None) for degrees in arguments.temperatures}
    found: dict[str, list[list[NDArray[np.float64]]]] = {"human": [], **{way: [] for way in ways}}
    for style in arguments.styles:
        pieces = of_style(split, style, arguments.prompts, arguments.seed)
        found["human"].append([
            _measured(composer, beginning(split.table(piece), arguments.seconds),
                      condition_of(split, piece), float(split.pieces["seconds"][piece]))
            for piece in pieces
        ])  # fmt: skip
        for way, (degrees, composer.human) in ways.items():
            found[way].append([
                _surprising(composer, split, piece, style, arguments.seconds,
                            arguments.seed + number, degrees)
                for number, piece in enumerate(pieces)
            ])  # fmt: skip
        if not arguments.json:
            say(f"{style}: {len(pieces)} pieces", stderr=True)
    composer.human = human
    columns = ("style", "by", "pieces", "bits", "off", "drums", "stuck", "loop")
    tell(arguments, columns, _rows(found, arguments.styles), {"model": composer.name})


def _surprising(
    composer: Composer, split: Split, piece: int, style: str, seconds: float, seed: int,
    degrees: float,
) -> NDArray[np.float64]:  # fmt: skip
    """What is measured of a piece composed to a held-out one."""
    made = composed(composer, split, piece, style, seconds, seed, temperature=degrees)
    told = told_of(composer, split, piece, style)
    return _measured(composer, encode(made), told, made.seconds)


def _measured(
    composer: Composer, table: Table, told: Condition, seconds: float
) -> NDArray[np.float64]:
    """Bits an event, likeness of the bars of drums, notes stuck, bars of the longest loop."""
    view = sample(window(table, 0, min(EVENTS, len(table))), told, seconds)
    own = measures(decode(table))
    drums = np.fmax(own["drum_similarity_1"], own["drum_similarity_2"])
    return np.array([bits_an_event(composer.model, view), drums, own["stuck"], own["longest_loop"]])


def _rows(
    found: dict[str, list[list[NDArray[np.float64]]]], styles: Sequence[str]
) -> list[tuple[object, ...]]:
    """A row for each style and way, then one for each way over all styles."""
    rows: list[tuple[object, ...]] = []
    off: dict[str, list[float]] = {way: [] for way in found}
    for place, style in enumerate(styles):
        usual = float(np.nanmean([each[0] for each in found["human"][place]]))
        for way, own in found.items():
            values = np.array(own[place])
            far = np.abs(np.log(np.maximum(values[:, 0], 1e-3) / usual))
            off[way] += far.tolist()
            rows.append((STYLES[style_id(style)].name, way, len(values), *_means(values, far)))
    for way, own in found.items():
        values = np.concatenate([np.array(each) for each in own])
        rows.append(("all", way, len(values), *_means(values, np.array(off[way]))))
    return rows


def _means(values: NDArray[np.float64], far: NDArray[np.float64]) -> tuple[object, ...]:
    means = [_mean(column) for column in values.T]
    return means[0], _mean(far), *means[1:]


def _mean(column: NDArray[np.float64]) -> object:
    """The mean of what is known, "" where nothing is."""
    known = column[~np.isnan(column)]
    return float(known.mean()) if len(known) else ""


if __name__ == "__main__":
    run(main)
