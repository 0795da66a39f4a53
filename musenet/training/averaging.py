"""Averages of weights: over the last part of a run, and of several runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from musenet.model import TABLES


class Average:
    """An exponential moving average of a model's weights (Polyak and Juditsky, 1992).

    Attributes:
        horizon: the share of the whole run after which a step's weights count 1/e of what they
            did.
        values: the averages by the names of the parameters.
    """

    def __init__(self, model: nn.Module, horizon: float) -> None:
        """Begin with the weights as they are."""
        self.horizon = horizon
        self.values = {name: own.detach().clone() for name, own in model.named_parameters()}

    @torch.no_grad()
    def follow(self, model: nn.Module, share: float) -> None:
        """Take in the weights after a step that was this share of the whole run."""
        weight = 1.0 - math.exp(-share / self.horizon)
        torch._foreach_lerp_(list(self.values.values()), list(model.parameters()), weight)

    @contextmanager
    def in_place(self, model: nn.Module) -> Iterator[None]:
        """The model with the averaged weights in the block, and its own after it."""
        own = {name: weight.detach().clone() for name, weight in model.named_parameters()}
        _put(model, self.values)
        try:
            yield
        finally:
            _put(model, own)

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Go on from averages kept before.

        Raises:
            ValueError: they are of another model.
        """
        if {name: own.shape for name, own in values.items()} != {
            name: own.shape for name, own in self.values.items()
        }:
            raise ValueError("averages of another model, or none")
        for name, own in self.values.items():
            own.copy_(values[name])


@torch.no_grad()
def _put(model: nn.Module, values: Mapping[str, Tensor]) -> None:
    for name, weight in model.named_parameters():
        weight.copy_(values[name])


@torch.no_grad()
def mean_of(models: Sequence[nn.Module]) -> None:
    """Give the first of some models the mean of their weights (Wortsman et al., 2022).

    A table of a feature that one has not begun to learn, all zero, does not count: features came
    later than models did.

    Raises:
        ValueError: they are not of one make.
    """
    each: list[dict[str, Tensor]] = [dict(model.named_parameters()) for model in models]
    shapes = [{name: weight.shape for name, weight in own.items()} for own in each]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError("models of different makes")
    learnt = {
        name: [own[name] for own in each if own[name].any() or TABLES not in name]
        for name in each[0]
    }
    means = {name: torch.stack(own).mean(0) for name, own in learnt.items() if own}
    _put(models[0], each[0] | means)
