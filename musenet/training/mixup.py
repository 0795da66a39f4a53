"""Mixup in embedding space (Zhang et al., 2018), as MuseNet used it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musenet.condition import Conditions
from musenet.model import PROMPT_ROWS, Model
from musenet.training.batches import Batch

ALPHA = 0.2
"""Of the Beta distribution of the share that a window keeps of itself."""


def mixed_bits(model: Model, batch: Batch, rng: np.random.Generator) -> Tensor:
    """Bits of a batch whose windows are mixed with one another, (B, T, 5).

    The input is a share of one window's embeddings and the rest of another's; the loss is
    mixed in the same shares.
    """
    share = float(rng.beta(ALPHA, ALPHA))
    share = max(share, 1.0 - share)
    other = rng.permutation(len(batch.ids))
    partner = replace(
        batch,
        ids=batch.ids[other],
        features=batch.features[other],
        weights=batch.weights[other],
        conditions=_reordered(batch.conditions, other),
    )
    (own_BTD, ticks_BT), (partner_BTD, _) = _embedded(model, batch), _embedded(model, partner)
    x_BTD = share * own_BTD + (1.0 - share) * partner_BTD
    hidden_BTD = model.trunk(x_BTD, ticks_BT)[:, PROMPT_ROWS - 1 :]
    return share * _bits(model, hidden_BTD, batch) + (1.0 - share) * _bits(
        model, hidden_BTD, partner
    )


def _embedded(model: Model, batch: Batch) -> tuple[Tensor, Tensor]:
    ids = torch.as_tensor(batch.ids[:, :-1], device=model.device)
    columns = torch.as_tensor(batch.features[:, :-1], device=model.device)
    return model.embed(batch.conditions, ids, columns)


def _bits(model: Model, hidden_BTD: Tensor, batch: Batch) -> Tensor:
    ids = torch.as_tensor(batch.ids, device=model.device)
    columns = torch.as_tensor(batch.features, device=model.device)
    weights = torch.as_tensor(batch.weights, device=model.device)
    return model.losses(hidden_BTD, ids, columns) * weights / float(np.log(2.0))


def _reordered(conditions: Conditions, order: NDArray[np.int64]) -> Conditions:
    return Conditions(
        conditions.styles[order],
        conditions.instruments[order],
        conditions.key[order],
        conditions.kind[order],
        conditions.start[order],
    )
