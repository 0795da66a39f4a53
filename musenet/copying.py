"""Copying: a field of the next event may be what its echo says it would be.

One spare value of each field stands for "as in the echo", and what the network gives it is added to
what it gives the echo's own value: a pointer sentinel mixture (Merity et al., 2016), whose pointer
is the echo. It is open while all fields before were copied too. So one score tells whether a
passage goes on, whatever its notes are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musenet.echoes import ECHOES, Echoes
from musenet.events import FIELDS, SIZES
from musenet.features import COLUMNS

COPY = (SIZES[0] - 1, 59, *(size - 1 for size in SIZES[2:]))
"""The value of each field that stands for a copy, one that no event has."""
_LAG = len(COLUMNS)
_FIELDS = slice(_LAG + len(ECHOES) - len(FIELDS), None)


@dataclass(frozen=True)
class Told:
    """What echoes say of the events that follow them.

    Attributes:
        ids: fields of the events that they expect, (B, T, 5).
        heard: where there is an echo, (B, T).
    """

    ids: Tensor
    heard: Tensor

    @classmethod
    def by(cls, features_BTF: Tensor) -> Told:
        """By the rows before those that are foretold; the first is foretold by none."""
        before_BTF = torch.cat([torch.zeros_like(features_BTF[:, :1]), features_BTF[:, :-1]], dim=1)
        return cls(before_BTF[..., _FIELDS].long(), before_BTF[..., _LAG] > 0)


def with_copies(logits_BTV: Tensor, field: int, told_BT: Tensor, open_BT: Tensor) -> Tensor:
    """Scores of a field's values, those of copies added to what would be copied.

    Args:
        logits_BTV: of all values, that of copying among them.
        field: which field.
        told_BT: what would be copied.
        open_BT: where it may be.
    """
    copy_BT1 = logits_BTV[..., COPY[field], None].masked_fill(~open_BT[..., None], -torch.inf)
    both_BT1 = torch.logaddexp(logits_BTV.gather(-1, told_BT[..., None]), copy_BT1)
    merged_BTV = logits_BTV.scatter(-1, told_BT[..., None], both_BT1)
    none = torch.tensor(COPY[field], device=logits_BTV.device)
    return merged_BTV.index_fill(-1, none, -torch.inf)


class Copies:
    """The same for the next event of each candidate, field after field."""

    def __init__(self, echoes: Echoes, copying: bool) -> None:
        """Begin an event.

        Args:
            echoes: of the rows before, shape (candidates, 8).
            copying: whether the network knows of copies at all.
        """
        self._told = echoes[:, -len(FIELDS) :]
        self._open = (echoes[:, 0] > 0) & copying
        self._each = np.arange(len(echoes))

    def merged(self, field: int, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of a field's values, shape (candidates, V), as `with_copies` merges them."""
        told = self._told[:, field]
        copy = np.where(self._open, scores[:, COPY[field]], -np.inf)
        merged = scores.copy()
        merged[self._each, told] = np.logaddexp(scores[self._each, told], copy)
        merged[:, COPY[field]] = -np.inf
        return merged

    def follow(self, field: int, chosen: NDArray[np.int64]) -> None:
        """Take down what was chosen, shape (candidates,)."""
        self._open &= chosen == self._told[:, field]
