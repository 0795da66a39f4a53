"""Training of the inner critic, and how well it tells human music from the model's own."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional as F

from musenet.composing.critic import Critic, pool, states_of
from musenet.corpus.shards import Split
from musenet.evaluation.continuations import Continuation, beginning, windows_of
from musenet.model import Model

LENGTHS = (128, 256, 512, 1024)
"""Events of the windows that a critic learns from and is measured on."""
LEAST = 0.75
"""Share of its length that a window has at least."""
DECAYS = (0.01, 0.03, 0.1, 0.3, 1.0)
"""What the squared weights may cost; held-out works choose."""
_STEPS = 100
_NARROWEST = 1e-4
_RESAMPLES = 200
_MEASURED = ("auc", "low", "high", "same_place", "beginnings", "later")


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of windows of equal length: what stands in a piece, and what the model wrote there.

    Attributes:
        human: pooled states, shape (pairs, P).
        written: likewise.
        length: which of `LENGTHS` they have about, shape (pairs,).
        place: number of the continuation, shape (pairs,).
        begins: whether they begin their piece, shape (pairs,).
    """

    human: Tensor
    written: Tensor
    length: NDArray[np.int64]
    place: NDArray[np.int64]
    begins: NDArray[np.bool_]


def read(model: Model, split: Split, found: Iterable[Continuation]) -> Pairs:
    """The pairs of continuations, at each length that they have."""
    human, written, facts = [], [], []
    for place, each in enumerate(found):
        windows = windows_of(split, each)
        longest = max((own for own, _ in windows), key=lambda item: len(item.ids))
        theirs = states_of(model, [longest])[0]
        for _, item in windows:
            ours = states_of(model, [item])[0]
            for length, stop in _cuts(len(ours)):
                human.append(pool(theirs[:stop]))
                written.append(pool(ours[:stop]))
                facts.append((length, place, each.start == 0))
    lengths, places, begins = (np.array(column) for column in zip(*facts, strict=True))
    return Pairs(torch.stack(human), torch.stack(written), lengths, places, begins)


def _cuts(rows: int) -> list[tuple[int, int]]:
    """The lengths that so many rows have about, and how many rows are taken; one at least."""
    cuts = [(length, min(length, rows)) for length in LENGTHS if rows >= LEAST * length]
    return cuts or [(LENGTHS[0], rows)]


def usual(model: Model, split: Split, pieces: Iterable[int], context: int) -> Tensor:
    """Pooled states of the beginnings of human pieces, as long as the context, (pieces, P).

    Args:
        model: the network.
        split: the pieces.
        pieces: which to read.
        context: most events of each.
    """
    samples = (beginning(split, piece, context) for piece in pieces)
    return torch.stack([pool(states_of(model, [item])[0]) for item in samples])


def fit(train: Pairs, valid: Pairs, human: Tensor) -> Critic:
    """The critic that tells the held-out windows apart best.

    Logistic regression with squared weights held small; places weigh the same however many pairs
    they have.

    Args:
        train: what to learn from.
        valid: held-out works, which choose among `DECAYS`.
        human: as `usual` gives it.
    """
    critics = [_fitted(train, decay, human) for decay in DECAYS]
    return min(critics, key=lambda critic: float(_loss(critic, valid)))


def _fitted(train: Pairs, decay: float, human: Tensor) -> Critic:
    every = torch.cat([train.human, train.written])
    critic = Critic(*_spread(every), *_spread(human))
    optimiser = torch.optim.LBFGS(critic.parameters(), max_iter=_STEPS)

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = _loss(critic, train) + decay * critic.weight.square().sum()
        torch.autograd.backward(loss)
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return critic.requires_grad_(False).eval()


def _spread(pooled: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of pooled states, (N, P), each (P,)."""
    return pooled.mean(dim=0), pooled.std(dim=0).clamp_min(_NARROWEST)


def _loss(critic: Critic, pairs: Pairs) -> Tensor:
    """Cross-entropy a place in nats."""
    shares = 1.0 / np.bincount(pairs.place)[pairs.place]
    weights = torch.from_numpy(shares / shares.sum()).float()
    odds = critic(pairs.human), critic(pairs.written)
    return (weights * (F.softplus(-odds[0]) + F.softplus(odds[1]))).sum() / 2


@dataclass(frozen=True, eq=False)
class Odds:
    """Log odds of pairs of windows, shape (pairs,); `place` and `begins` as in `Pairs`."""

    human: NDArray[np.float64]
    written: NDArray[np.float64]
    place: NDArray[np.int64]
    begins: NDArray[np.bool_]

    def auc(self, chosen: NDArray[np.bool_] | NDArray[np.int64] | slice = slice(None)) -> float:
        """How often a human window is above a written one, of chosen pairs; NaN of none."""
        return auc(self.human[chosen], self.written[chosen])

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """The 95 % interval of the AUC by a bootstrap over places."""
        rng = np.random.default_rng(seed)
        own = [np.flatnonzero(self.place == place) for place in np.unique(self.place)]
        drawn = (rng.integers(len(own), size=len(own)) for _ in range(_RESAMPLES))
        values = [self.auc(np.concatenate([own[i] for i in places])) for places in drawn]
        low, high = np.quantile(values, [0.025, 0.975])
        return float(low), float(high)


@torch.inference_mode()
def odds_of(critic: Critic, pairs: Pairs, length: int) -> Odds:
    """What a critic makes of the windows of one of `LENGTHS`."""
    own = np.flatnonzero(pairs.length == length)
    human, written = (critic(side[own]).double().numpy() for side in (pairs.human, pairs.written))
    return Odds(human, written, pairs.place[own], pairs.begins[own])


def measured(critic: Critic, pairs: Pairs, length: int) -> dict[str, float | int | None]:
    """How well windows of about `length` events are told apart.

    Returns:
        `pairs`: how many windows of either kind; `auc` with the ends of its 95 % interval;
        `same_place`: how often the human window is above the one written in its place; `beginnings`
        and `later`: AUC of windows that begin their piece, and of others. None where there are no
        such windows.
    """
    odds = odds_of(critic, pairs, length)
    if not len(odds.human):
        return {"pairs": 0} | dict.fromkeys(_MEASURED)
    values = (
        odds.auc(), *odds.interval(), float((odds.human > odds.written).mean()),
        odds.auc(odds.begins), odds.auc(~odds.begins),
    )  # fmt: skip
    told = (None if np.isnan(value) else round(value, 4) for value in values)
    return {"pairs": len(odds.human)} | dict(zip(_MEASURED, told, strict=True))


def auc(positive: ArrayLike, negative: ArrayLike) -> float:
    """How often a positive is above a negative, ties counted half; NaN of none.

    The area under the receiver operating characteristic curve.
    """
    if not np.size(positive) or not np.size(negative):
        return math.nan
    above = np.asarray(positive, dtype=np.float64)[:, None]
    below = np.asarray(negative, dtype=np.float64)[None, :]
    return float((above > below).mean() + 0.5 * (above == below).mean())
