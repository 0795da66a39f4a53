"""Training of the style judge, and how well it hears the styles of held-out works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from musenet.corpus.relatives import relatives
from musenet.corpus.shards import Split
from musenet.errors import UserError
from musenet.evaluation.judge_mixing import layered, spliced
from musenet.events import is_note
from musenet.instruments import DRUMS
from musenet.judge import (
    LEAST_NOTES,
    WINDOW,
    Heard,
    StyleJudge,
    heard,
    stack,
    without_instruments,
)
from musenet.styles import STYLES
from musenet.training.augment import transposition

LEAST_WORKS = 10
"""Held-out works that a style needs to be judged."""
_BATCH = 64
_RATE, _DECAY = 3e-3, 0.05
_WARM = 0.05
_TRANSPOSED = 4.0
_HIDE = 0.5
_MIXED = 0.6
_LEAST_SHARE = 0.2
"""Of the lesser style of a splice."""


def judged_styles(held_out: Sequence[Split], least: int = LEAST_WORKS) -> list[int]:
    """Ids of the styles with at least so many works in splits together.

    Raises:
        UserError: fewer than two styles have.
    """
    works: list[set[int]] = [set() for _ in STYLES]
    for split in held_out:
        for piece in split.pieces:
            for style in piece["styles"][piece["styles"] >= 0]:
                works[style].add(int(piece["work"]))
    styles = [style for style, own in enumerate(works) if len(own) >= least]
    if len(styles) < 2:
        raise UserError(f"the corpus has no two styles with {least} held-out works: use a larger")
    return styles


def fit(
    split: Split, styles: Sequence[int], progress: Iterable[float], seed: int = 0,
    judge: StyleJudge | None = None,
) -> StyleJudge:  # fmt: skip
    """A judge of styles that learnt from the pieces of a split.

    Each window is of a style drawn at random, of any of its works alike, so that neither common
    styles nor works with many pieces weigh more; moved to another key, and half the time without
    its instruments. Six in ten are mixed with a window of another style that is no relative, half
    of them spliced and half layered; what is learnt is then the share of each.

    Args:
        split: what to learn from.
        styles: ids; each needs a piece with `LEAST_NOTES` notes.
        progress: from 0 to 1, one value a step; the learning rate follows it.
        seed: of weights and windows.
        judge: of these styles, to go on from; by default a new one.

    Raises:
        UserError: a style has no piece.
    """
    torch.manual_seed(seed)
    judge = (judge or StyleJudge(styles)).train()
    optimiser = torch.optim.AdamW(judge.parameters(), weight_decay=_DECAY)
    for done, (windows, shares) in zip(progress, _batches(split, styles, seed), strict=False):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(1.0, done / _WARM + 0.01, (1.0 - done) / (1.0 - _WARM))
        optimiser.zero_grad()
        loss = F.cross_entropy(judge(*stack(windows)), torch.from_numpy(shares))
        torch.autograd.backward(loss)
        optimiser.step()
    return judge.half().float().eval()  # as it is stored


def _batches(
    split: Split, styles: Sequence[int], seed: int
) -> Iterator[tuple[list[Heard], NDArray[np.float32]]]:
    """Windows, and the share of each style in them, (windows, styles)."""
    rng = np.random.default_rng(seed)
    works = [_works(split, style) for style in styles]
    strangers = [np.flatnonzero(~own) for own in relatives(split, styles)]
    while True:
        shares = np.zeros((_BATCH, len(styles)), dtype=np.float32)
        windows = []
        for row in shares:
            first = int(rng.integers(len(styles)))
            window, share = _window(split, works[first], rng), 1.0
            if len(strangers[first]) and rng.random() < _MIXED:
                second = int(rng.choice(strangers[first]))
                window, share = _mixed(window, _window(split, works[second], rng), rng)
                row[second] = 1.0 - share
            row[first] = share
            windows.append(without_instruments(window) if rng.random() < _HIDE else window)
        yield windows, shares


def _mixed(first: Heard, second: Heard, rng: np.random.Generator) -> tuple[Heard, float]:
    """Notes of both windows, layered or spliced, and the share of the first."""
    both = layered(first, second) if rng.random() < 0.5 else None
    if both is not None:
        return both, 0.5
    share = rng.uniform(_LEAST_SHARE, 1.0 - _LEAST_SHARE)
    return spliced(first, second, share), share


def _works(split: Split, style: int) -> list[NDArray[np.int64]]:
    """The pieces of each work of a style."""
    chosen = (split.pieces["styles"] == style).any(axis=1) & (split.pieces["notes"] >= LEAST_NOTES)
    pieces = np.flatnonzero(chosen)
    if not len(pieces):
        raise UserError(f"no piece to learn {STYLES[style].name} from: use a larger corpus")
    pieces = pieces[np.argsort(split.pieces["work"][pieces], kind="stable")]
    edges = np.flatnonzero(np.diff(split.pieces["work"][pieces])) + 1
    return np.split(pieces, edges)


def _drawn(works: Sequence[NDArray[np.int64]], rng: np.random.Generator) -> int:
    return int(rng.choice(works[int(rng.integers(len(works)))]))


def _window(split: Split, works: Sequence[NDArray[np.int64]], rng: np.random.Generator) -> Heard:
    """A random window of a piece of any of some works, moved to another key."""
    table = split.table(_drawn(works, rng))
    moved = np.array(table)
    moved[table[:, 1] < DRUMS, 2] += np.uint8(transposition(table, _TRANSPOSED, rng) % 256)
    start = int(rng.integers(max(1, int(is_note(table).sum()) - WINDOW + 1)))
    return heard(moved, slice(start, start + WINDOW))
