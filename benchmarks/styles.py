"""Whether pieces sound like the styles that were asked for, as the style judge hears them.

    python benchmarks/styles.py CORPUS [--guidance 1 1.5] [--styles jazz baroque]
    python benchmarks/styles.py CORPUS --blends jazz+baroque [--weights 0.25 0.5 0.75]

For each style pieces are composed by guidance, and judged beside the beginnings of human pieces of
the style, as long as the composed ones, from the held-out works of the corpus. For each blend
`A+B` pieces are composed with A at each of --weights and B at the rest.

- probability: of the asked style, if all judged styles were equally likely, mean over pieces, with
  a bootstrap's 95 % interval;
- rank: of the asked style, mean over pieces;
- first: share of the pieces in which it is above all other styles;
- first but for relatives: above all but those that often stand together with it in the training
  pieces, as folk does with jig (5 % of the pieces of either style carry both);
- of a blend: rank of the lesser of the two and share of the pieces in which both are above all
  others, relatives of either left out, and which other style is likeliest beside them. "change" is
  how much the probabilities grow from the first weight to the last. "human spliced" are pieces
  half of which is a human piece of one style and half one of the other, "human layered" the tune
  of one over the rest of the other: what can be hoped for.

The judge hears the instruments, which are drawn from the ensembles of the style's training pieces
unless --instruments are given; "notes alone" is what it makes of the same pieces without them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from common import parse, parser, run, tell
from held_out import beginning
from numpy.typing import NDArray

from musenet.cli.output import say
from musenet.composing.composer import Composer, load
from musenet.composing.finishing import Composition
from musenet.composing.prompt import Prompt
from musenet.composing.sampling import Sampling
from musenet.corpus.relatives import relatives
from musenet.corpus.shards import Split, open_split
from musenet.errors import UserError
from musenet.evaluation.comparing import summary
from musenet.evaluation.judge_measures import ranks, usable
from musenet.evaluation.judge_mixing import layered, spliced
from musenet.events import Table, encode
from musenet.judge import (
    LEAST_NOTES,
    Heard,
    StyleJudge,
    heard,
    load_judge,
    without_instruments,
)
from musenet.styles import STYLES, style_id

COLUMNS = ("asked", "by", "judge hears", "pieces", "probability", "95 % from", "to", "rank",
           "first", "first but for relatives")  # fmt: skip
BLEND_COLUMNS = ("asked", "by", "judge hears", "pieces", "first style", "95 % from", "to",
                 "second style", "95 % from ", "to ", "rank", "both first",
                 "likeliest other")  # fmt: skip
HEARINGS = {"all": True, "notes alone": False}
HUMAN_PIECES = 24
"""Human pieces of each style, of as many works as there are."""

Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Bench:
    """What pieces are composed and judged with.

    Attributes:
        composer: the model.
        judge: of styles.
        relatives: styles that often stand together, shape (styles, styles).
        arguments: of the command line.
    """

    composer: Composer
    judge: StyleJudge
    relatives: NDArray[np.bool_]
    arguments: argparse.Namespace

    def composed(self, styles: tuple[tuple[str, float], ...], guidance: float) -> list[Table]:
        """Pieces in some styles; each batch has a seed, and so an ensemble, of its own."""
        own = self.arguments
        prompt = Prompt(styles, tuple(own.instruments), own.seconds / 60.0)
        how = Sampling(guidance=guidance)
        batch = 1 if own.best_of > 1 else own.batch
        made: list[Composition] = []
        while len(made) < own.pieces:
            kept = min(batch, own.pieces - len(made))
            answer = self.composer.answer(
                prompt, how, seed=own.seed + len(made), candidates=max(kept, own.best_of)
            )
            made += self.composer.judge.ranked(answer)[:kept]
        return [encode(piece.score) for piece in made]

    def heard(self, tables: Iterable[Table], *, instruments: bool) -> Probabilities:
        """What the judge makes of pieces, shape (pieces, styles); of nearly empty ones nothing."""
        return self.shares(map(heard, tables), instruments=instruments)

    def shares(self, pieces: Iterable[Heard], *, instruments: bool) -> Probabilities:
        """The same of pieces as the judge hears them."""
        count = len(self.judge.styles)
        return np.array([
            self.judge.shares(notes if instruments else without_instruments(notes))
            if len(notes) >= LEAST_NOTES else np.full(count, 1.0 / count)
            for notes in pieces
        ]).reshape(-1, count)  # fmt: skip

    def human(self, style: str) -> list[Table]:
        """Beginnings of held-out human pieces of a style."""
        splits = [open_split(self.arguments.data, name) for name in ("valid", "test")]
        return _human(splits, style_id(style), self.arguments.seconds)

    def place(self, style: str) -> int:
        """The place of a style among the judged ones."""
        return self.judge.styles.index(style_id(style))


def main() -> None:
    """Compose, judge and print."""
    measure(parse(options()))


def options() -> argparse.ArgumentParser:
    """What may be asked for."""
    made = parser(__doc__)
    made.add_argument("data", type=Path, help="a corpus")
    made.add_argument("--model", type=Path, help="default: the model that comes with musenet")
    made.add_argument("--judge", type=Path, help="default: the judge that comes with musenet")
    made.add_argument("--styles", nargs="*", help="default: all judged styles")
    made.add_argument("--blends", nargs="*", default=[], help="pairs such as jazz+baroque")
    made.add_argument("--weights", nargs="+", type=float, default=[0.25, 0.5, 0.75],
                      help="of the first style of a blend (default 0.25 0.5 0.75)")  # fmt: skip
    made.add_argument("--guidance", nargs="+", type=float, default=[1.0], help="default 1")
    made.add_argument("--instruments", nargs="*", default=[],
                      help="of all pieces; by default ensembles of the style")  # fmt: skip
    made.add_argument("--pieces", type=int, default=8, help="of each prompt (default 8)")
    made.add_argument("--batch", type=int, default=4, help="composed together (default 4)")
    made.add_argument("--best-of", type=int, default=1,
                      help="candidates that each piece is the first of as ranked, which hears "
                      "styles by the bundled judge: give another --judge (default 1)")  # fmt: skip
    made.add_argument("--seconds", type=float, default=40.0, help="of each piece (default 40)")
    made.add_argument("--seed", type=int, default=0, help="of the music (default 0)")
    return made


def measure(arguments: argparse.Namespace) -> None:
    """Compose, judge and print what was asked for."""
    judge, _ = load_judge(arguments.judge)
    train = open_split(arguments.data, "train")
    bench = Bench(load(arguments.model), judge, relatives(train, judge.styles), arguments)
    facts = {
        "model": bench.composer.name, "seconds": arguments.seconds, "seed": arguments.seed,
        "instruments": arguments.instruments or "of the style", "styles judged": len(judge.styles),
    }  # fmt: skip
    if arguments.blends:
        tell(arguments, BLEND_COLUMNS, _blend_rows(bench, arguments.blends), facts)
    else:
        names = arguments.styles or [STYLES[style].name for style in judge.styles]
        tell(arguments, COLUMNS, _style_rows(bench, names), facts)


def _style_rows(bench: Bench, names: Sequence[str]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    asked: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for name in names:
        music = {"human": bench.human(name)}
        for guidance in bench.arguments.guidance:
            music[f"guidance {guidance:g}"] = bench.composed(((name, 1.0),), guidance)
        for (by, tables), (hearing, hears) in product(music.items(), HEARINGS.items()):
            found = bench.heard(tables, instruments=hears)
            row = _recognised(found, bench.place(name), bench.relatives)
            asked.setdefault((by, hearing), []).append(row)
            rows.append((name, by, hearing, len(found), *row))
            _tell_row(rows[-1])
    means = [
        ("mean over styles", by, hearing, None, *_mean_row(np.array(own)))
        for (by, hearing), own in asked.items()
    ]
    return [*means, *rows]


def _tell_row(row: Sequence[object]) -> None:
    say(" ".join(f"{x:.2f}" if isinstance(x, float) else str(x) for x in row), stderr=True)


def _mean_row(rows: NDArray[np.float64]) -> tuple[float, ...]:
    """Means over styles; the interval of the probability is over styles too."""
    spread = summary(rows[:, 0])
    means = np.nanmean(rows, axis=0).tolist()
    return means[0], spread.low, spread.high, *means[3:]


def _recognised(
    shares: Probabilities, asked: int, relatives: NDArray[np.bool_]
) -> tuple[float, ...]:
    """Mean probability with its interval, mean rank, share first, and first but for relatives."""
    own = summary(shares[:, asked])
    rank, among_others = ranks(shares, [asked]), ranks(shares, [asked], relatives[asked])
    return (own.mean, own.low, own.high, *_means(rank, rank == 1, among_others == 1))


def _means(*columns: NDArray[np.int64] | NDArray[np.bool_]) -> list[float]:
    return [float(np.mean(column)) if len(column) else float("nan") for column in columns]


def _blend_rows(bench: Bench, blends: Sequence[str]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    found: dict[tuple[str, str, str], list[tuple[float | None, ...]]] = {}
    for blend in blends:
        pair = blend.split("+")
        if len(pair) != 2:
            raise UserError(f"--blends {blend}: write two styles, such as jazz+baroque")
        for kind, asked, by, hearing, pieces, row, other in _blend(bench, pair):
            found.setdefault((kind, by, hearing), []).append(row)
            rows.append((asked, by, hearing, pieces, *row, other))
            _tell_row(rows[-1])
    means = [
        (f"mean over blends{kind}", by, hearing, None, *_mean_blend(own), None)
        for (kind, by, hearing), own in found.items()
    ]
    return [*means, *rows]


def _mean_blend(rows: Sequence[tuple[float | None, ...]]) -> list[float | None]:
    """Means over blends; the intervals of the probabilities are over blends too."""
    values = np.array(rows, dtype=np.float64)
    means = [None if mean != mean else mean for mean in values[:, 6:].mean(axis=0).tolist()]
    return [*_spreads(values[:, [0, 3]]), *means]


Row = tuple[str, str, str, str, int, tuple[float | None, ...], str | None]


def _blend(bench: Bench, pair: Sequence[str]) -> Iterable[Row]:
    """Rows of one blend: kind, asked, by whom, hearing, pieces, numbers, likeliest other."""
    name, places = "+".join(pair), _places(bench, pair)
    wishes = [((pair[0], w), (pair[1], 1.0 - w)) for w in bench.arguments.weights]
    music = {g: [bench.composed(own, g) for own in wishes] for g in bench.arguments.guidance}
    human = _mixtures(*([heard(own) for own in bench.human(style)] for style in pair))
    for hearing, hears in HEARINGS.items():
        for by, notes in human.items():
            shares = bench.shares(notes, instruments=hears)
            yield "", name, by, hearing, len(shares), *_blended(bench, pair, shares)
        for guidance, made in music.items():
            by, every = (
                f"guidance {guidance:g}",
                [bench.heard(own, instruments=hears) for own in made],
            )
            for wish, shares in zip(wishes, every, strict=True):
                kind = f", first at {wish[0][1]:g}"
                yield kind, _name(wish), by, hearing, len(shares), *_blended(bench, pair, shares)
            grown = (*_spreads((every[-1] - every[0])[:, places]), None, None)
            yield ": change", f"{name}: change", by, hearing, len(every[0]), grown, None


def _mixtures(first: Sequence[Heard], second: Sequence[Heard]) -> dict[str, list[Heard]]:
    """Human pieces of two styles, one of each at a time, spliced and layered."""
    pairs = list(zip(first, second, strict=False))
    layers = [layered(*pair) for pair in pairs]
    return {
        "human spliced": [spliced(*pair) for pair in pairs],
        "human layered": [own for own in layers if own is not None],
    }


def _places(bench: Bench, styles: Sequence[str]) -> list[int]:
    return [bench.place(name) for name in styles]


def _blended(
    bench: Bench, pair: Sequence[str], shares: Probabilities
) -> tuple[tuple[float, ...], str]:
    """Both probabilities and intervals, rank of the lesser, share of both first; the other."""
    places = _places(bench, pair)
    relatives = np.any(bench.relatives[places], axis=0)
    rank = ranks(shares, places, relatives)
    mean = np.where(relatives, 0.0, shares.mean(axis=0))
    other = f"{STYLES[bench.judge.styles[int(mean.argmax())]].name} {mean.max():.2f}"
    return (*_spreads(shares[:, places]), *_means(rank, rank == 1)), other


def _spreads(values: Probabilities) -> list[float]:
    """Mean and interval of each column."""
    found = [summary(column) for column in values.T]
    return [value for own in found for value in (own.mean, own.low, own.high)]


def _name(styles: Iterable[tuple[str, float]]) -> str:
    return ", ".join(name if weight == 1 else f"{name}:{weight:g}" for name, weight in styles)


def _human(splits: Sequence[Split], style: int, seconds: float) -> list[Table]:
    """The beginnings of human pieces of a style, no longer than asked, works taking turns."""
    found: list[tuple[int, Table]] = []
    for split in splits:
        turns: dict[int, int] = {}
        for piece in usable(split, [style]):
            work = int(split.pieces["work"][piece])
            turns[work] = turns.get(work, 0) + 1
            found.append((turns[work], split.table(piece)))
    found.sort(key=lambda own: own[0])
    return [beginning(table, seconds) for _, table in found[:HUMAN_PIECES]]


if __name__ == "__main__":
    run(main)
