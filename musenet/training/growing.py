"""Growing in depth: a network with more layers that begins by computing what the one before did."""

from __future__ import annotations

from dataclasses import replace

import torch

from musenet.model import Model

_OUTPUTS = ("attention.out.weight", "feed_forward.down.weight")


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
    grown = Model(replace(model.config, layers=layers), model.dtype)
    grown.load_state_dict(tensors)
    return grown.to(model.device)
