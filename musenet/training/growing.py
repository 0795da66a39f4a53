"""Growing: a network with more layers, musical time or copying, made of one that had less."""

from __future__ import annotations

from dataclasses import replace

import torch

from musenet.attention import TIMES
from musenet.copying import COPY
from musenet.model import Model

COPIES_BEGIN = (10.5, 3.3, 5.2, 3.3, 4.3)
"""Scores of copies, by field, that give them some 3 % in a trained network. Beside its scores of
ten and more they would be nothing with a score of zero, and learn nothing."""
_OUTPUTS = ("attention.out.weight", "feed_forward.down.weight")


def grown(model: Model, like: Model) -> Model:
    """A network with the layers of another and, if that has them, with musical time and copying.

    Matrices of musical time that it lacked are the other's: of one that is yet to be trained they
    add nothing. Copies that it knew nothing of begin with `COPIES_BEGIN`.

    Args:
        model: what is to grow, with as many layers at most; it stays as it is.
        like: what it is to be like.

    Raises:
        RuntimeError: musical time would have another size.
    """
    shallow = model.config.layers < like.config.layers
    deep = deepened(model, like.config.layers) if shallow else model
    timed = _timed(deep, like) if like.config.musical_time > deep.config.musical_time else deep
    copies = like.config.copies
    return _copying(timed, copies) if copies > timed.config.copies else timed


def _timed(model: Model, like: Model) -> Model:
    times = {name: tensor for name, tensor in like.state_dict().items() if TIMES in name}
    made = Model(replace(model.config, musical_time=True), model.dtype)
    made.load_state_dict({**model.state_dict(), **times})
    return made.to(model.device)


def _copying(model: Model, copies: int) -> Model:
    made = Model(replace(model.config, copies=copies), model.dtype)
    made.load_state_dict(model.state_dict())
    with torch.no_grad():
        for field, values in enumerate(COPY):
            fresh = list(values[model.config.copies : copies])
            for parameter in made.heads.outputs[field].parameters():
                parameter[fresh] = 0.0
            made.heads.frequent[field][fresh] = COPIES_BEGIN[field]
    return made.to(model.device)


def deepened(model: Model, layers: int) -> Model:
    """A deeper network that computes the same.

    New layers stand evenly among the old ones. Each is a copy of the old one before it whose output
    matrices are zero: it adds nothing at first, and learns from what its neighbour looks at
    (LLaMA Pro, Wu et al., 2024; after Net2Net, Chen et al., 2016).

    Args:
        model: what is to grow; it stays as it is.
        layers: how many layers are wanted, at least those it has.
    """
    old = len(model.blocks)
    places = [place * layers // old for place in range(old)]
    tensors = {name: tensor for name, tensor in model.state_dict().items() if "blocks." not in name}
    for place in range(layers):
        source = sum(begin <= place for begin in places) - 1
        for name, tensor in model.blocks[source].state_dict().items():
            silent = place not in places and name in _OUTPUTS
            tensors[f"blocks.{place}.{name}"] = torch.zeros_like(tensor) if silent else tensor
    made = Model(replace(model.config, layers=layers), model.dtype)
    made.load_state_dict(tensors)
    return made.to(model.device)
