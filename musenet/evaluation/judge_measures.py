"""How well the style judge hears the styles of human works, and styles asked of a model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musenet.corpus.relatives import carried
from musenet.corpus.shards import Split
from musenet.evaluation.comparing import summary
from musenet.evaluation.critic import auc
from musenet.judge import LEAST_NOTES, StyleJudge
from musenet.styles import STYLES

Probabilities = NDArray[np.float64]
"""Of each style, adding up to 1 in a row, shape (rows, styles)."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What a judge hears in works, beside what they are.

    Attributes:
        probabilities: geometric mean over the pieces of a work, shape (works, styles).
        own: which styles any of its pieces carries, shape (works, styles).
        pieces: how many pieces there are in all.
    """

    probabilities: Probabilities
    own: NDArray[np.bool_]
    pieces: int


def usable(split: Split, styles: Sequence[int]) -> list[int]:
    """Numbers of the pieces that carry any of some styles and have notes enough."""
    enough = split.pieces["notes"] >= LEAST_NOTES
    return [int(piece) for piece in np.flatnonzero(carried(split, styles).any(axis=1) & enough)]


def hear(
    judge: StyleJudge, split: Split, pieces: Iterable[int], *, instruments: bool = True
) -> Heard:
    """What a judge hears in the works that some pieces belong to.

    Args:
        judge: of styles.
        split: where the pieces are.
        pieces: their numbers, at least one, read once.
        instruments: whether the judge may hear which instruments play.
    """
    logs, numbers = [], []
    for piece in pieces:
        numbers.append(piece)
        found = judge.probabilities(split.table(piece), instruments=instruments)
        logs.append(np.log(found))
    _, work = np.unique(split.pieces["work"][numbers], return_inverse=True)
    share = np.eye(int(work.max()) + 1)[:, work]
    mean = np.exp(share @ np.array(logs) / share.sum(axis=1, keepdims=True))
    own = share @ carried(split, judge.styles)[numbers] > 0
    return Heard(mean / mean.sum(axis=1, keepdims=True), own, len(numbers))


def together(every: Sequence[Heard]) -> Heard:
    """The works of several splits, which have none in common."""
    return Heard(
        np.concatenate([heard.probabilities for heard in every]),
        np.concatenate([heard.own for heard in every]),
        sum(heard.pieces for heard in every),
    )


def measured(heard: Heard, styles: Sequence[int]) -> dict[str, Any]:
    """How well a judge hears the styles of human works.

    Args:
        heard: works, each of one judged style at least.
        styles: ids of the judged styles.

    Returns:
        `top_1`: share of the works whose likeliest style is one of their own, with its interval
        (`low`, `high`); `chance`: the same for a style drawn at random; `commonest`: for always
        the commonest style; `mean_own`, `mean_first`, `mean_auc`: means over styles; `styles`: by
        name, `works`; `own`: share of the style's works whose likeliest style is one of their own;
        `first`: whose likeliest style is this one; `auc`: how often a work of the style has a
        higher probability of it than another work.
    """
    top = heard.probabilities.argmax(axis=1)
    hit = heard.own[np.arange(len(top)), top]
    overall = summary(hit.astype(np.float64))
    rows = {
        STYLES[style].name: _style(heard, place, top, hit) for place, style in enumerate(styles)
    }
    means = {
        f"mean_{key}": float(np.nanmean([row[key] for row in rows.values()]))
        for key in ("own", "first", "auc")
    }
    return {
        "pieces": heard.pieces, "works": len(top), "top_1": overall.mean, "low": overall.low,
        "high": overall.high, "chance": float(heard.own.mean()),
        "commonest": float(heard.own.mean(axis=0).max()), **means, "styles": rows,
    }  # fmt: skip


def _style(
    heard: Heard, place: int, top: NDArray[np.int64], hit: NDArray[np.bool_]
) -> dict[str, float]:
    own, chances = heard.own[:, place], heard.probabilities[:, place]
    return {
        "works": int(own.sum()),
        "own": _mean(hit[own]),
        "first": _mean((top == place)[own]),
        "auc": auc(chances[own], chances[~own]),
    }


def _mean(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else math.nan


def ranks(
    probabilities: Probabilities, asked: Sequence[int], leave_out: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """The rank of the last of some styles among those not asked, 1 for above them all, (rows,).

    A style that is as likely stands above.

    Args:
        probabilities: shape (rows, styles).
        asked: places of the styles that were asked for.
        leave_out: styles that do not count beside them, shape (styles,); none by default.
    """
    others = np.ones(probabilities.shape[1], dtype=bool) if leave_out is None else ~leave_out
    others[list(asked)] = False
    least = probabilities[:, list(asked)].min(axis=1, keepdims=True)
    found: NDArray[np.int64] = 1 + (probabilities[:, others] >= least).sum(axis=1)
    return found
