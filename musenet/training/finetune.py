"""Fine-tuning: a style of one's own from a few pieces, on top of a model that stands still.

A new style embedding and low-rank changes of the matrices (`lowrank`) learn; held-out pieces say
which state is the best and when to stop.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW

from musenet.adapters import Adapter, adapted
from musenet.corpus.shards import Split
from musenet.corpus.statistics import ENSEMBLES_KEPT, LARGEST_ENSEMBLE, keys_of, metres_of, tempi_of
from musenet.errors import UserError
from musenet.evaluation.likelihood import NOTHING, Likelihood, default_overlap, score, split_samples
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.model import Model
from musenet.styles import STYLES
from musenet.training.augment import Augmentation
from musenet.training.batches import Batch, step_batches
from musenet.training.holdout import chosen
from musenet.training.lowrank import factors, with_low_rank
from musenet.training.optimise import clip, default_dtype, set_learning_rate, trapezoid
from musenet.training.passes import field_bits, placed

SLOT = len(STYLES)
"""Where the new style stands while it is learnt."""
LOOKS = 12
"""How often the held-out pieces are looked at."""
PATIENCE = 4
"""Looks without a new best after which it is over."""
_COMPARED = 20_000
"""Events of the held-out pieces on which before and after are compared, at most."""
_BATCH = 8192
"""Events of a pass that only measures: bounds memory alone."""

Report = Callable[[Mapping[str, float]], None]


@dataclass(frozen=True)
class Tuning:
    """All that decides a fine-tuning.

    Attributes:
        minutes: to learn for.
        steps: to learn for instead of minutes, or None.
        seed: of what is drawn.
        rank: of the changes.
        learning_rate: at its peak.
        batch_events: events a step.
        window: events of the longest windows that are learnt from.
        look_events: events of the held-out pieces that each look reads at most.
        augmentation: how pieces are varied and prompts dropped.
    """

    minutes: float = 5.0
    steps: int | None = None
    seed: int = 0
    rank: int = 8
    learning_rate: float = 5e-3
    batch_events: int = 1024
    window: int = 512
    look_events: int = 4096
    augmentation: Augmentation = field(
        default_factory=lambda: replace(Augmentation(), drop_styles=0.0, splice=0.0, show_style=0.0)
    )

    def progress(self, step: int, seconds: float) -> float:
        """How much of the budget is used up, 0 to 1."""
        share = seconds / (60.0 * self.minutes) if self.steps is None else step / self.steps
        return min(1.0, share)


@dataclass(frozen=True)
class Learnt:
    """The best state that was met.

    Attributes:
        embedding: of the style, shape (D,).
        factors: as `adapters.Adapter.factors`.
        bits: held-out bits a note of that look.
        step: when it was.
    """

    embedding: Tensor
    factors: Mapping[str, tuple[Tensor, Tensor]]
    bits: float
    step: int


class Tuner:
    """Learns a style from some pieces and measures it on others."""

    def __init__(
        self, model: Model, train: Split, held: Split, tuning: Tuning, *, context: int,
        like: Tensor | None = None,
    ) -> None:  # fmt: skip
        """Begin with the model as it is.

        Args:
            model: left as it is.
            train: pieces to learn from.
            held: pieces to measure on.
            tuning: what decides it.
            context: events that the model sees at once.
            like: embedding to begin with, shape (D,); None for that of no style.
        """
        self.tuning = tuning
        self.train, self.held = _styled(train), _styled(held)
        self.model = with_low_rank(model, tuning.rank, tuning.seed)
        self.model.dtype = default_dtype(model.device)
        with torch.no_grad():
            self.model.style.weight[SLOT] = 0.0 if like is None else like
        self.context, self.window = context, min(tuning.window, context)
        learning = [own for own in self.model.parameters() if own.requires_grad]
        self.optimiser = AdamW(learning, lr=tuning.learning_rate, betas=(0.9, 0.95), weight_decay=0)
        self.run = field_bits(self.model, compiled=False)
        self.step = 0

    def fit(self, report: Report, stop: Callable[[], bool] = lambda: False) -> Learnt:
        """Learn until the budget is used up, nothing is gained any more, or `stop` says so.

        Raises:
            UserError: it diverges.
        """
        look = some(self.held, self.tuning.look_events)
        best = self._state(self.bits(look))
        report({"progress": 0.0, "bits": best.bits, "best": best.bits})
        started, looks, last = time.monotonic(), 0, 0
        progress, ended = 0.0, False
        while not ended and looks - last < PATIENCE:
            self._learn(progress)
            progress = self.tuning.progress(self.step, time.monotonic() - started)
            ended = progress >= 1.0 or stop()
            facts = {"progress": progress}
            if ended or progress >= (looks + 1) / LOOKS:
                looks, bits = looks + 1, self.bits(look)
                if bits < best.bits:
                    best, last = self._state(bits), looks
                facts |= {"bits": bits, "best": best.bits}
            report(facts)
        return best

    def bits(self, pieces: Split) -> float:
        """Bits a note of pieces with their whole prompt told."""
        return measured(self.model, pieces, self.context).bits_per_note

    def _learn(self, progress: float) -> None:
        rate = self.tuning.learning_rate * trapezoid(progress + 1e-3, warm_up=0.05, cool_down=0.9)
        set_learning_rate([self.optimiser], rate)
        self.model.train()
        batches = self._batches()
        events = sum(batch.events for batch in batches)
        for batch in batches:
            bits = self.run(*placed(batch, self.model.device))
            torch.autograd.backward(bits.sum() * (math.log(2.0) / events))
        if not math.isfinite(float(clip(self.model))):
            raise UserError("fine-tuning diverged: give a lower --learning-rate")
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1

    def _batches(self) -> list[Batch]:
        tuning = self.tuning
        return step_batches(
            self.train, np.maximum(1.0, self.train.pieces["events"] / self.window),
            seed=tuning.seed, step=self.step, events=tuning.batch_events, context=self.window,
            augmentation=tuning.augmentation,
        )  # fmt: skip

    def _state(self, bits: float) -> Learnt:
        embedding = self.model.style.weight[SLOT].detach().clone()
        return Learnt(embedding, factors(self.model), bits, self.step)


def measured(model: Model, pieces: Split, context: int) -> Likelihood:
    """The likelihood of pieces with their whole prompt told."""
    model.eval()
    overlap = default_overlap(context)
    samples = split_samples(pieces, range(len(pieces)), context, prompted=True, overlap=overlap)
    return sum(score(model, samples, _BATCH), NOTHING)


def compared(
    model: Model, adapter: Adapter, like: Tensor | None, held: Split, context: int
) -> dict[str, float]:
    """Bits a note of held-out pieces before and after, with their whole prompt told.

    Args:
        model: what the style is on top of.
        adapter: the style.
        like: embedding of the style that is told before, shape (D,); None for no style.
        held: pieces that were not learnt from; of many a fixed random choice is read.
        context: events that the model sees at once.
    """
    pieces = _styled(some(held, _COMPARED))
    start = torch.zeros_like(adapter.embedding) if like is None else like
    plain = replace(adapter, embedding=start, factors={})
    before, after = (
        measured(adapted(model, [(own, SLOT, 1.0)]), pieces, context) for own in (plain, adapter)
    )
    return {
        "bits_before": before.bits_per_note, "bits_after": after.bits_per_note,
        "held_pieces": len(pieces), "held_notes": before.notes,
    }  # fmt: skip


def described(train: Split) -> dict[str, Any]:
    """What a style's file tells of the pieces that it was learnt from."""
    players = Counter(
        tuple(INSTRUMENTS[i].name for i in np.unique(train.table(piece)[:, 1]) if i <= DRUMS)
        for piece in range(len(train))
    )
    some_players = {own: count for own, count in players.items() if len(own) <= LARGEST_ENSEMBLE}
    commonest = Counter(some_players).most_common(ENSEMBLES_KEPT)
    sources = Counter((train.pieces["kind"] // 2).tolist())
    everything = np.ones(len(train), dtype=bool)
    return {
        "pieces": len(train), "notes": int(train.pieces["notes"].sum()),
        "kind": 2 * sources.most_common(1)[0][0] + 1,
        "ensembles": [[list(own), count] for own, count in commonest],
        "keys": keys_of(train, everything),
        "metres": metres_of(train, everything),
        "tempi": tempi_of(train, everything),
    }  # fmt: skip


def some(split: Split, events: int) -> Split:
    """Pieces in a fixed random order, as many as have so many events; at least one."""
    order = np.random.default_rng(0).permutation(len(split))
    total = np.cumsum(split.pieces["events"][order])
    return chosen(split, order[: max(1, int((total <= events).sum()))])


def _styled(split: Split) -> Split:
    """Pieces of the new style and of no other."""
    pieces = split.pieces.copy()
    pieces["styles"] = -1
    pieces["styles"][:, 0] = SLOT
    return replace(split, pieces=pieces)
