"""The inner critic: a head on the frozen trunk that tells human music from the model's own.

MuseNet learned to say whether a sample is from the data or one of its own and picked among
candidates by it. Here the hidden states of a window are pooled to their mean and standard
deviation over its events (statistics pooling, Snyder et al., 2018). Log odds are a linear function
of these: the model's own music moves less freely through the states than human music. How far they
are from those of human pieces is the strangeness of a window: what tells the model's music from
human music does not tell which of the model's pieces is nearest to it, and this does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from musenet.checkpoint import read_tensors, write_tensors
from musenet.condition import Condition
from musenet.errors import UserError
from musenet.events import Table
from musenet.model import PROMPT_ROWS, Model
from musenet.training.batches import Sample, collate, sample
from musenet.windows import window

_FORMAT = 1
_PREFIX = "critic."


class Critic(nn.Module):
    """Log odds of windows being human, and their strangeness, from pooled states."""

    mean: Tensor
    scale: Tensor
    usual: Tensor
    spread: Tensor

    def __init__(self, mean: Tensor, scale: Tensor, usual: Tensor, spread: Tensor) -> None:
        """Begin undecided.

        Args:
            mean: from which pooled states are measured for the odds, shape (P,).
            scale: on which they are measured, shape (P,).
            usual: mean pooled states of human pieces, shape (P,).
            spread: their standard deviation, shape (P,).
        """
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.register_buffer("usual", usual)
        self.register_buffer("spread", spread)
        self.weight = nn.Parameter(torch.zeros_like(mean))
        self.bias = nn.Parameter(mean.new_zeros(()))

    def forward(self, pooled: Tensor) -> Tensor:
        """Pooled states, (…, P), to log odds, (…)."""
        return (pooled - self.mean) / self.scale @ self.weight + self.bias

    def strangeness(self, pooled: Tensor) -> Tensor:
        """Pooled states, (…, P), to their mean squared distance from human ones, (…), there 1."""
        return ((pooled - self.usual) / self.spread).square().mean(dim=-1)


def pool(states: Tensor) -> Tensor:
    """Mean and standard deviation of states over the events of a window, (T, D) to (2 D,)."""
    return torch.cat([states.mean(dim=0), states.std(dim=0, correction=0)])


@torch.inference_mode()
def states_of(model: Model, windows: Sequence[Sample]) -> list[Tensor]:
    """The trunk's state after each event of each window, (T, D) in fp32 on the CPU."""
    batch = collate(windows)
    ids = torch.as_tensor(batch.ids, device=model.device)
    columns = torch.as_tensor(batch.features, device=model.device)
    hidden = model.trunk(*model.embed(batch.conditions, ids, columns))
    states = hidden[:, PROMPT_ROWS:].float().cpu()
    return [own[: len(item.ids)] for own, item in zip(states, windows, strict=True)]


@dataclass(frozen=True)
class Opinion:
    """What the critic makes of a piece.

    Attributes:
        human: how likely it is human rather than the model's, 0 to 1.
        strangeness: how far it is from human pieces, which have 1 in the mean.
    """

    human: float
    strangeness: float


@dataclass(frozen=True)
class InnerCritic:
    """A critic with the model whose states it reads.

    Attributes:
        model: the network.
        head: the critic.
        context: events of the longest window that it is shown.
    """

    model: Model
    head: Critic
    context: int

    @torch.inference_mode()
    def opinion(self, table: Table, condition: Condition, seconds: float) -> Opinion:
        """What a piece is like.

        It is cut into windows of equal length, and log odds and pooled states averaged.

        Args:
            table: the whole piece.
            condition: the prompt.
            seconds: length of the piece that is told.
        """
        windows = _windows(table, condition, seconds, self.context)
        pooled = torch.stack([pool(states_of(self.model, [each])[0]) for each in windows])
        return Opinion(
            float(self.head(pooled).mean().sigmoid()),
            float(self.head.strangeness(pooled.mean(dim=0))),
        )


def _windows(table: Table, condition: Condition, seconds: float, context: int) -> list[Sample]:
    """Windows of at most `context` events with all rows, nearly alike in length."""
    rows = len(table)
    count = max(1, -(-rows // context))
    edges = [round(rows * place / count) for place in range(count + 1)]
    return [
        sample(window(table, first, last), condition, seconds) for first, last in pairwise(edges)
    ]


def save_critic(path: Path, critic: Critic, model: str, facts: Mapping[str, Any]) -> None:
    """Write a critic; `model` is the fingerprint of the weights whose states it reads."""
    tensors = {_PREFIX + name: tensor for name, tensor in critic.state_dict().items()}
    write_tensors(path, tensors, {"format": _FORMAT, "model": model, "facts": dict(facts)})


def load_critic(path: Path, model: str) -> tuple[Critic, dict[str, Any]]:
    """A critic ready to judge, and the facts of its training.

    Args:
        path: a file of `save_critic`.
        model: the fingerprint of the weights that it is to be used with.

    Raises:
        UserError: missing, damaged, or made for other weights.
    """
    tensors, meta = read_tensors(path)
    if meta.get("model") != model:
        raise UserError(
            f"{path} was trained for other weights: run 'musenet critic train' for these"
        )
    state = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}
    try:
        critic = Critic(*(state[name] for name in ("mean", "scale", "usual", "spread")))
        critic.load_state_dict(state)
    except (KeyError, RuntimeError) as error:
        raise UserError(f"{path} is no critic: make one with 'musenet critic train'") from error
    return critic.eval(), dict(meta["facts"])
