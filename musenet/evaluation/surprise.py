"""How surprising human music is to a network, for composing to be as surprising."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from musenet.composing.surprise import HumanSurprise
from musenet.condition import INSTRUMENT_SLOTS
from musenet.corpus.shards import Split
from musenet.evaluation.continuations import beginning
from musenet.evaluation.likelihood import batch_bits
from musenet.instruments import DRUMS
from musenet.model import Model
from musenet.training.batches import Sample, collate

EVENTS = 800
"""Events of each piece, from its beginning."""
LEAST = 150
"""Notes of the shortest pieces that count."""
OPENING = 20
"""Events at the beginning that do not count: nothing is known yet."""
_UNLABELLED = -1


def pieces_of_all_styles(split: Split, each: int, seed: int = 0) -> list[int]:
    """Random pieces, so many of each style, and of none, where there are."""
    counts: Counter[int] = Counter()
    chosen: list[int] = []
    for piece in np.random.default_rng(seed).permutation(len(split)).tolist():
        row = split.pieces[piece]
        styles = [int(style) for style in row["styles"] if style >= 0] or [_UNLABELLED]
        if row["notes"] >= LEAST and any(counts[style] < each for style in styles):
            chosen.append(piece)
            counts.update(styles)
    return chosen


def human_surprise(model: Model, split: Split, pieces: Iterable[int]) -> HumanSurprise:
    """The bits an event of pieces, their prompt and length told as composing tells them."""
    rows = [(piece, bits_an_event(model, beginning(split, piece, EVENTS))) for piece in pieces]
    chosen = np.array([piece for piece, _ in rows], dtype=np.int64)
    players = np.zeros((len(rows), INSTRUMENT_SLOTS), dtype=np.bool_)
    for place, piece in enumerate(chosen):
        who = np.unique(split.table(piece)[:, 1])
        players[place, who[who <= DRUMS]] = True
    about = split.pieces[chosen]
    return HumanSurprise(
        about["styles"].astype(np.int16), players, about["kind"].astype(np.int16),
        np.array([bits for _, bits in rows], dtype=np.float32),
    )  # fmt: skip


def bits_an_event(model: Model, window: Sample) -> float:
    """Bits an event of a window that begins its piece, mean over what follows its opening."""
    return float(bits_of_events(model, window)[OPENING:].mean())


@torch.inference_mode()
def bits_of_events(model: Model, window: Sample) -> Tensor:
    """Bits of each event of a window, shape (events,)."""
    return batch_bits(model, collate([window])).float().sum(dim=-1)[0, : len(window.ids)]
