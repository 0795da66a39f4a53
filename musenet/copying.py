"""Copying: a field of the next event may be what stood there some bars ago.

Spare values of each field stand for "as in the echo", "as eight bars ago" and "as four bars ago",
and what the network gives them is added to what it gives the values that stood there: a pointer
sentinel mixture (Merity et al., 2016), whose pointers go by musical time. A pointer is open while
all fields before were copied from it too. So one score tells whether a passage goes on, or comes
again, whatever its notes are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musenet.echoes import ECHOES, PHRASE_LAGS, Echoes
from musenet.events import FIELDS, REST, SIZES
from musenet.features import COLUMNS

POINTERS = 1 + len(PHRASE_LAGS)
"""The echo, then so many bars ago."""
_SPARE = (SIZES[0], REST, *SIZES[2:])
COPY = tuple(tuple(end - 1 - pointer for pointer in range(POINTERS)) for end in _SPARE)
"""The values of each field that stand for a copy, one a pointer, which no event has."""
TAUGHT = 0.1
"""How much more is learnt from right copies than from their share in the mixture, which is hardly
anything while a field's own scores foretell the same: they would never come into use."""
_TOLD = len(ECHOES) - len(FIELDS)
"""Column of an echo from which on it tells fields, those of one pointer after the other."""


@dataclass(frozen=True)
class Told:
    """What pointers say of the events to come.

    Attributes:
        ids: fields of the events that they point to, (B, T, P, 5).
        open: whether they point anywhere, (B, T, P).
    """

    ids: Tensor
    open: Tensor

    @classmethod
    def by(cls, features_BTF: Tensor, pointers: int) -> Told:
        """What the first `pointers` say, by the rows before those that are foretold."""
        echoes_BTE = features_BTF[:, :-1, len(COLUMNS) :]
        none_B1E = torch.zeros_like(features_BTF[:, :1, len(COLUMNS) :])
        before_BTE = torch.cat([none_B1E, echoes_BTE], dim=1)
        shape = (*before_BTE.shape[:2], POINTERS, len(FIELDS))
        ids = before_BTE[..., _TOLD:].long().reshape(shape)
        open_BTP = ids[..., 1] != REST
        open_BTP[..., 0] = before_BTE[..., 0] > 0
        open_BTP[:, 0] = False
        open_BTP[..., pointers:] = False
        return cls(ids, open_BTP)

    def shut(self, logits_BTV: Tensor, field: int) -> Tensor:
        """Scores of a field's values, in which no copy is made by a pointer that is not open."""
        values = torch.tensor(COPY[field], device=logits_BTV.device)
        copies_BTP = logits_BTV[..., values].masked_fill(~self.open, -torch.inf)
        return logits_BTV.index_copy(-1, values, copies_BTP)

    def nats(self, logits_BTV: Tensor, field: int, next_BT: Tensor) -> tuple[Tensor, Told]:
        """Nats of a field of the next events, (B, T), and the pointers that are open after it.

        Their gradient is that of the nats with `TAUGHT` of those of a right copy added.

        Args:
            logits_BTV: scores of the field's values, as `shut` leaves them.
            field: which field.
            next_BT: its values.
        """
        same_BTP = self.open & (self.ids[..., field] == next_BT[..., None])
        values = torch.tensor(COPY[field], device=logits_BTV.device)
        copied_BTP = logits_BTV[..., values].masked_fill(~same_BTP, -torch.inf)
        own_BT1 = logits_BTV.gather(-1, next_BT[..., None])
        given_BT = torch.cat([own_BT1, copied_BTP], dim=-1).logsumexp(dim=-1)
        all_BT, right_BT = logits_BTV.logsumexp(dim=-1), same_BTP.any(dim=-1)
        taught_BT = copied_BTP.where(right_BT[..., None], 0.0).logsumexp(dim=-1) - all_BT
        taught_BT = TAUGHT * taught_BT.where(right_BT, 0.0)
        nats_BT = all_BT - given_BT + (taught_BT.detach() - taught_BT)
        return nats_BT, Told(self.ids, same_BTP)


class Copies:
    """The same for the next event of each candidate, field after field."""

    def __init__(self, echoes: Echoes, pointers: int) -> None:
        """Begin an event.

        Args:
            echoes: of the rows before.
            pointers: how many the network knows.
        """
        self._told = echoes[:, _TOLD:].reshape(len(echoes), POINTERS, len(FIELDS))
        self._open = self._told[..., 1] != REST
        self._open[:, 0] = echoes[:, 0] > 0
        self._open[:, pointers:] = False
        self._each = np.arange(len(echoes))[:, None]

    def merged(self, field: int, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of a field's values, (candidates, V), those of copies added to what is copied."""
        merged = scores.copy()
        merged[:, COPY[field]] = -np.inf
        if self._open.any():
            copies = np.where(self._open, scores[:, COPY[field]], -np.inf)
            np.logaddexp.at(merged, (self._each, self._told[..., field]), copies)
        return merged

    def follow(self, field: int, chosen: NDArray[np.int64]) -> None:
        """Take down what was chosen, shape (candidates,)."""
        self._open &= chosen[:, None] == self._told[..., field]
