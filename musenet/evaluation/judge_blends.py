"""How well the style judge hears two styles in one piece: human music of both, mixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.corpus.relatives import carried
from musenet.corpus.shards import Split
from musenet.errors import UserError
from musenet.evaluation.comparing import summary
from musenet.evaluation.judge_measures import ranks
from musenet.evaluation.judge_mixing import layered, spliced
from musenet.judge import LEAST_NOTES, WINDOW, Heard, StyleJudge, heard
from musenet.judge import without_instruments as alone

_LESSER, _GREATER = 0.25, 0.75


@dataclass(frozen=True, eq=False)
class Pair:
    """Windows of two human pieces, each of a style that the other piece does not carry.

    Attributes:
        styles: their places among the judged ones.
        windows: a window of each.
        layers: the tune of the first over the rest of the second.
    """

    styles: tuple[int, int]
    windows: tuple[Heard, Heard]
    layers: Heard


def pairs_of(
    splits: Sequence[Split], styles: Sequence[int], relatives: NDArray[np.bool_],
    count: int, seed: int = 0,
) -> list[Pair]:  # fmt: skip
    """Pairs of styles drawn at random, none of them relatives, each with windows of two pieces.

    Args:
        splits: where the pieces are.
        styles: ids of the judged styles.
        relatives: which of them often stand together, (styles, styles).
        count: how many pairs.
        seed: of styles, pieces and windows.

    Raises:
        UserError: no two styles can be mixed.
    """
    rng = np.random.default_rng(seed)
    pool = [_pieces(split, styles) for split in splits]
    found: list[Pair] = []
    for _ in range(20 * count):
        first, second = (int(place) for place in rng.integers(len(styles), size=2))
        if relatives[first, second]:
            continue
        pair = _pair(splits, pool, first, second, rng)
        if pair is not None:
            found.append(pair)
        if len(found) == count:
            return found
    if not found:
        raise UserError("no two held-out pieces of different styles can be mixed")
    return found


def _pieces(split: Split, styles: Sequence[int]) -> NDArray[np.bool_]:
    """Which styles each piece with notes enough carries, shape (pieces, styles)."""
    enough = split.pieces["notes"] >= LEAST_NOTES
    return carried(split, styles) & enough[:, None]


def _pair(
    splits: Sequence[Split], pool: Sequence[NDArray[np.bool_]], first: int, second: int,
    rng: np.random.Generator,
) -> Pair | None:  # fmt: skip
    one = _drawn(splits, pool, first, second, rng)
    other = _drawn(splits, pool, second, first, rng)
    if one is None or other is None:
        return None
    layers = layered(one, other)
    return None if layers is None else Pair((first, second), (one, other), layers)


def _drawn(
    splits: Sequence[Split], pool: Sequence[NDArray[np.bool_]], style: int, unlike: int,
    rng: np.random.Generator,
) -> Heard | None:  # fmt: skip
    """A window of a piece of one style and not of another, of any work alike."""
    found = [
        (int(split.pieces["work"][piece]), place, int(piece))
        for place, (split, own) in enumerate(zip(splits, pool, strict=True))
        for piece in np.flatnonzero(own[:, style] & ~own[:, unlike])
    ]
    if not found:
        return None
    works = sorted({(work, place) for work, place, _ in found})
    work = works[int(rng.integers(len(works)))]
    pieces = [piece for own, place, piece in found if (own, place) == work]
    notes = heard(splits[work[1]].table(pieces[int(rng.integers(len(pieces)))]))
    start = int(rng.integers(max(1, len(notes) - WINDOW + 1)))
    return notes[start : start + WINDOW]


def blends_heard(
    judge: StyleJudge, pairs: Iterable[Pair], relatives: NDArray[np.bool_], *,
    instruments: bool = True,
) -> dict[str, Mapping[str, float]]:  # fmt: skip
    """How often both styles of mixed human windows are above all others but their relatives.

    Args:
        judge: of styles.
        pairs: at least one, read once.
        relatives: which styles often stand together, (styles, styles).
        instruments: whether the judge may hear which instruments play.

    Returns:
        `share` with its interval (`low`, `high`) of: `apart`, the windows by themselves, each with
        its style above all others but relatives of either; `spliced`, half of either; `layered`;
        `grows`, those of which both styles have more in a splice with three quarters of theirs
        than with one; `falsely`, both above all others in the first window alone.
    """
    rows = [_row(judge, pair, relatives, instruments) for pair in pairs]
    names = ("apart", "spliced", "layered", "grows", "falsely")
    told: dict[str, Mapping[str, float]] = {}
    for name, column in zip(names, np.array(rows, dtype=np.float64).T, strict=True):
        found = summary(column)
        told[name] = {"share": found.mean, "low": found.low, "high": found.high}
    return told


def _row(
    judge: StyleJudge, pair: Pair, relatives: NDArray[np.bool_], instruments: bool
) -> list[bool]:
    one, other = pair.windows
    places = list(pair.styles)
    mixed = [one, other, spliced(one, other), pair.layers,
             spliced(one, other, _LESSER), spliced(one, other, _GREATER)]  # fmt: skip
    shares = np.array([judge.shares(own if instruments else alone(own)) for own in mixed])
    left_out = relatives[places[0]] | relatives[places[1]]
    both = ranks(shares, places, left_out) == 1
    apart = [ranks(shares[[i]], [places[i]], left_out)[0] == 1 for i in (0, 1)]
    change = (shares[5] - shares[4])[places]
    grows = change[0] > 0 and change[1] < 0
    return [all(apart), bool(both[2]), bool(both[3]), bool(grows), bool(both[0])]
