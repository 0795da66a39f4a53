"""Training that goes on from the weights of a model, which may lack what came after it."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import Parameter

from musenet.attention import TIMES
from musenet.checkpoint import load_model
from musenet.errors import UserError
from musenet.features import STYLE
from musenet.model import TABLES, Model
from musenet.training.growing import grown

BEGUN = 0.3
"""Share of what a style is in front as which it begins at every moment."""


def take_over(model: Model, weights: Path) -> tuple[str, ...]:
    """Take over the weights of a model, which may have fewer layers, no musical time, no copying.

    Returns:
        Names of the tables of controls that it knows nothing of, and of the matrices of musical
        time if it has none; they are to learn faster than the rest.

    Raises:
        UserError: it is missing, or of other dimensions.
    """
    other, _ = load_model(weights)
    had = other.config.musical_time
    try:
        model.load_state_dict(grown(other, model).state_dict())
    except RuntimeError as error:
        raise UserError(
            f"{weights} has other dimensions: give its own --preset, and no fewer --layers"
        ) from error
    fresh = tuple(
        name
        for name, weight in model.named_parameters()
        if (TIMES in name and not had) or (TABLES in name and _unknown(weight))
    )
    styles = list(model.moment.tables.parameters())[STYLE - 1]
    if _unknown(styles):
        with torch.no_grad():
            styles[:-1] = _begun(model.style.weight)
    return fresh


def _unknown(table: Parameter) -> bool:
    return not bool(table.any())


def _begun(style: Tensor) -> Tensor:
    """Rare styles are not begun from nothing; what all have in common says nothing."""
    return BEGUN * (style - style.mean(dim=0))
