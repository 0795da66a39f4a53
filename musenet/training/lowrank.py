"""Low-rank changes of the matrices of a model, to be trained while the model stands still.

LoRA (Hu et al., 2021): x W becomes x W + x A B, where A and B are thin; B begins at zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musenet.attention import Linear
from musenet.model import Model

CHANGED = ("blocks.", "heads.links.")
"""What the names of the changed matrices begin with: attention, feed-forward, links of heads."""


class LowRank(nn.Module):
    """A matrix that stands still, and a low-rank change of it."""

    def __init__(self, whole: Linear, rank: int) -> None:
        """Begin without a change."""
        super().__init__()
        self.whole = whole
        like = whole.weight
        self.up = nn.Parameter(like.new_zeros(whole.out_features, rank))
        down = torch.randn(rank, whole.in_features) / whole.in_features**0.5
        self.down = nn.Parameter(down.to(like.device))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (…, inputs) to (…, outputs)."""
        thin = F.linear(x, self.down.to(x.dtype))
        y: Tensor = self.whole(x) + F.linear(thin, self.up.to(x.dtype))
        return y


def with_low_rank(model: Model, rank: int, seed: int) -> Model:
    """A copy of a model in which low-rank changes and the embeddings of styles learn alone."""
    changing = deepcopy(model).requires_grad_(False)
    torch.manual_seed(seed)
    for name, module in list(changing.named_modules()):
        if isinstance(module, Linear) and name.startswith(CHANGED):
            parent, _, own = name.rpartition(".")
            setattr(changing.get_submodule(parent), own, LowRank(module, rank))
    changing.style.weight.requires_grad_(True)
    return changing


def factors(model: Model) -> dict[str, tuple[Tensor, Tensor]]:
    """The changes, by the names that the matrices have in a plain model, as copies."""
    return {
        f"{name}.weight": (module.up.detach().clone(), module.down.detach().clone())
        for name, module in _changes(model)
    }


def _changes(model: Model) -> Iterator[tuple[str, LowRank]]:
    for name, module in model.named_modules():
        if isinstance(module, LowRank):
            yield name, module
