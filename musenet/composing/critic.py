"""The inner critic: a head on the frozen trunk that tells human music from the model's own.

MuseNet learned to say whether a sample is from the data or one of its own and picked among
candidates by it. Here each event's hidden state, which knows the window up to that event, is
turned into log odds of being human, and a window's log odds are their mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musenet.checkpoint import read_tensors, write_tensors
from musenet.condition import Condition
from musenet.errors import UserError
from musenet.events import Table
from musenet.model import PROMPT_ROWS, Model
from musenet.training.batches import Sample, collate, sample
from musenet.windows import window

HIDDEN = 64
_FORMAT = 1
_PREFIX = "critic."


class Critic(nn.Module):
    """Log odds of each event of a window being human, from the trunk's hidden states."""

    def __init__(self, width: int, hidden: int = HIDDEN, dropout: float = 0.0) -> None:
        """Create a small network for a trunk of a width."""
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.up = nn.Linear(width, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, states: Tensor) -> Tensor:
        """Hidden states, (…, D), to log odds, (…)."""
        inner = F.gelu(self.up(self.dropout(states)))
        odds: Tensor = self.out(self.dropout(inner))
        return odds[..., 0]


@torch.inference_mode()
def states_of(model: Model, windows: Sequence[Sample]) -> list[Tensor]:
    """The trunk's state after each event of each window, (T, D) in fp32 on the CPU."""
    batch = collate(windows)
    ids = torch.as_tensor(batch.ids, device=model.device)
    columns = torch.as_tensor(batch.features, device=model.device)
    embedded = model.embed_events(ids, columns)
    hidden = model.trunk(torch.cat([model.embed_prompt(batch.conditions), embedded], dim=1))
    states = hidden[:, PROMPT_ROWS:].float().cpu()
    return [own[: len(item.ids)] for own, item in zip(states, windows, strict=True)]


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
    def human(self, table: Table, condition: Condition, seconds: float, *, start: int = 0) -> float:
        """How likely the rows of a piece from `start` on are human rather than the model's.

        The rows are cut into windows of equal length, and the log odds of all events averaged.

        Args:
            table: the whole piece.
            condition: the prompt.
            seconds: length of the piece that is told.
            start: row at which what is judged begins.
        """
        odds = [
            self.head(states_of(self.model, [each])[0])
            for each in _windows(table, condition, seconds, start, self.context)
        ]
        return 1.0 / (1.0 + math.exp(-float(torch.cat(odds).mean())))


def _windows(
    table: Table, condition: Condition, seconds: float, start: int, context: int
) -> list[Sample]:
    """Windows of at most `context` events with all rows from `start` on, nearly alike in length."""
    begin = start if start > 1 else 0
    rows = len(table) - begin
    count = max(1, -(-rows // context))
    edges = [begin + round(rows * place / count) for place in range(count + 1)]
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
        hidden, width = state["up.weight"].shape
        critic = Critic(width, hidden)
        critic.load_state_dict(state)
    except (KeyError, RuntimeError, ValueError) as error:
        raise UserError(f"{path} is no critic: make one with 'musenet critic train'") from error
    return critic.eval(), dict(meta["facts"])
