"""Steps of forward passes of few fixed shapes, so that a compiled network meets no other.

A pass holds about `micro_events` places: windows of one length, as many as fit. Drawing a pass's
length first, and then its pieces among those of that length, leaves no window out, fills every
row, and draws each piece as often in the mean as its weight says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.corpus.shards import Split
from musenet.training.augment import Augmentation
from musenet.training.batches import Batch, collate, draw

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Lengths of windows as shares of the context: more of them leave fewer places empty (a quarter
with these and all of 4,096 events, a sixth with 3 / 8 and 3 / 4) and each takes time to compile."""
SHORTEST = 64
"""Events of the shortest windows."""


@dataclass(frozen=True)
class Shape:
    """A pass: so many windows of so many events."""

    rows: int
    length: int


def shapes(context: int, micro_events: int, longest: int | None = None) -> tuple[Shape, ...]:
    """The shapes of passes, shortest windows first.

    Args:
        context: events of the longest windows of the whole training.
        micro_events: places a pass, at most but for one row.
        longest: events of the longest windows at present; None for `context`.
    """
    longest = context if longest is None else longest
    lengths = {round(context * share) for share in SHARES}
    lengths = {length for length in lengths if SHORTEST <= length < longest} | {longest}
    return tuple(Shape(max(1, micro_events // length), length) for length in sorted(lengths))


def shaped_batches(
    split: Split,
    weights: NDArray[np.float64],
    *,
    seed: int,
    step: int,
    events: int,
    passes: tuple[Shape, ...],
    augmentation: Augmentation,
    worker: int = 0,
) -> list[Batch]:
    """The batches of one optimiser step of one worker, each of one of the shapes `passes`.

    Args:
        split: the pieces.
        weights: how often windows of each are drawn, shape (pieces,).
        seed: with step and worker decides what is drawn.
        step: the step.
        events: places of all batches, filled or not; at least one pass is made.
        passes: the shapes, shortest windows first.
        augmentation: how pieces are varied.
        worker: the process among those that train together.
    """
    rng = np.random.default_rng([seed, step, worker] if worker else [seed, step])
    lengths = np.array([shape.length for shape in passes])
    rows = np.array([shape.rows for shape in passes])
    bucket = np.minimum(np.searchsorted(lengths, split.pieces["events"]), len(lengths) - 1)
    share = np.bincount(bucket, weights=weights, minlength=len(lengths)) / rows
    count = max(1, round(events / float((rows * lengths).max())))
    return [
        collate(
            [
                draw(split, int(piece), passes[chosen].length, augmentation, rng)
                for piece in _pieces(weights, bucket == chosen, passes[chosen].rows, rng)
            ],
            passes[chosen].length,
        )
        for chosen in _systematic(share, count, rng)
    ]


def _systematic(share: NDArray[np.float64], count: int, rng: np.random.Generator) -> list[int]:
    """`count` places drawn in proportion to `share`, none oftener than once above its due."""
    possible = np.flatnonzero(share)
    up_to = np.cumsum(share[possible])
    at = (rng.random() + np.arange(count)) / count
    chosen = np.searchsorted(up_to / up_to[-1], at, side="right")
    return [int(place) for place in possible[np.minimum(chosen, len(possible) - 1)]]


def _pieces(
    weights: NDArray[np.float64], among: NDArray[np.bool_], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """`count` pieces drawn by weight among some."""
    places = np.flatnonzero(among)
    up_to = np.cumsum(weights[places])
    drawn: NDArray[np.int64] = places[
        np.searchsorted(up_to / up_to[-1], rng.random(count), side="right")
    ]
    return drawn
