"""Styles of one's own: low-rank adapters of a model with a style embedding, a small file each.

What is learnt of a matrix is a product of two thin ones that is added to it (LoRA, Hu et al.,
2021), so that a style takes little room, and is merged into a copy of the weights: composing is
as fast as ever. The files stand in a folder of the user's, or wherever a path leads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from musenet.checkpoint import FORMAT, read_tensors, write_tensors
from musenet.condition import STYLE_SLOTS
from musenet.errors import UserError
from musenet.model import Model
from musenet.styles import STYLES

MOST = STYLE_SLOTS - len(STYLES)
"""Styles of one's own in one piece: the network has no room for more."""
_UP, _DOWN, _EMBEDDING = ".up", ".down", "embedding"


@dataclass(frozen=True)
class Adapter:
    """A style that was learnt on top of a model.

    Attributes:
        name: by which it is asked for.
        base: fingerprint of the weights that it belongs to.
        embedding: of the style, shape (D,).
        factors: for each changed matrix, by its name in the model, two whose product is added to
            it: shapes (outputs, rank) and (rank, inputs).
        facts: of its making; composing needs "kind", what it is told (`condition.KINDS`), and
            "ensembles", lists of instruments with the number of pieces for them; "keys",
            "metres" and "tempi", the number of pieces in each, may be missing.
    """

    name: str
    base: str
    embedding: Tensor
    factors: Mapping[str, tuple[Tensor, Tensor]]
    facts: Mapping[str, Any]

    def halved(self) -> Adapter:
        """In the half precision that files have."""
        factors = {name: (up.half(), down.half()) for name, (up, down) in self.factors.items()}
        return replace(self, embedding=self.embedding.half(), factors=factors)


def adapted(model: Model, own: Sequence[tuple[Adapter, int, float]]) -> Model:
    """A copy of a model with adapters merged into it.

    Args:
        model: what they belong to; it is left as it is.
        own: adapters, each with the place of its embedding among the styles and with its share,
            by which what it changes is multiplied.

    Raises:
        UserError: one does not fit the model.
    """
    merged = deepcopy(model)
    weights = dict(merged.named_parameters())
    for adapter, slot, share in own:
        try:
            with torch.no_grad():
                merged.style.weight[slot] = adapter.embedding.to(merged.device)
                for name, (up, down) in adapter.factors.items():
                    change = up.float() @ down.float()
                    weights[name].add_(change.to(merged.device), alpha=share)
        except (KeyError, RuntimeError) as error:
            raise UserError(f"the style '{adapter.name}' is damaged: make it anew") from error
    return merged


def save_adapter(path: Path, adapter: Adapter) -> None:
    """Write a style in half precision.

    Raises:
        UserError: it cannot be written.
    """
    halved = adapter.halved()
    tensors = {_EMBEDDING: halved.embedding}
    for name, (up, down) in halved.factors.items():
        tensors |= {name + _UP: up, name + _DOWN: down}
    meta = {"format": FORMAT, "style": adapter.name, "base": adapter.base,
            "facts": dict(adapter.facts)}  # fmt: skip
    write_tensors(path, tensors, meta)


def load_adapter(path: Path) -> Adapter:
    """A style as it was written.

    Raises:
        UserError: the file is missing, damaged or no style.
    """
    tensors, meta = read_tensors(path)
    names = [name.removesuffix(_UP) for name in tensors if name.endswith(_UP)]
    try:
        factors = {name: (tensors[name + _UP], tensors[name + _DOWN]) for name in sorted(names)}
        name, base, facts = str(meta["style"]), str(meta["base"]), dict(meta["facts"])
        return Adapter(name, base, tensors[_EMBEDDING], factors, facts)
    except (KeyError, TypeError, ValueError) as error:
        message = f"{path} is no style of your own: make one with 'musenet finetune'"
        raise UserError(message) from error
