"""Copying: a field of the next event may be what stood there some bars ago.

Spare values of each field stand for "as in the echo", "as eight bars ago" and "as four bars ago",
and what the network gives them is added to what it gives the values that stood there: a pointer
sentinel mixture (Merity et al., 2016), whose pointers go by musical time. A pointer is open while
all fields before were copied from it too. So one score tells whether a passage goes on, or comes
again, whatever its notes are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musenet.echoes import ECHOES, PHRASE_LAGS, Echoes
from musenet.events import FIELDS, REST, SIZES
from musenet.features import COLUMNS, IN_PHRASE, NO_PHRASE

POINTERS = 1 + len(PHRASE_LAGS)
"""The echo, then so many bars ago."""
_SPARE = (SIZES[0], REST, *SIZES[2:])
COPY = tuple(tuple(end - 1 - pointer for pointer in range(POINTERS)) for end in _SPARE)
"""The values of each field that stand for a copy, one a pointer, which no event has."""
TAUGHT = 0.2
"""How much more is learnt from right copies of pitches where passages come again (`comes_again`)
than from their share in the mixture, which is hardly anything while the pitch's own scores foretell
the same: such copies would never come into use."""
_PITCH = FIELDS.index("pitch")
_BAR_BEGINS = [COLUMNS.index(name) for name in ("chord place", "tick in beat", "beat in bar")]
"""Features that are 0 for what first sounds in a bar."""
Columns = TypeVar("Columns", NDArray[Any], Tensor)
_TOLD = len(ECHOES) - len(FIELDS)
"""Column of an echo from which on it tells fields, those of one pointer after the other."""


def comes_again(columns: Columns) -> Columns:
    """Whether rows first sound in every fourth bar, where passages come again more than elsewhere.

    Args:
        columns: features of the rows, shape (…, F).
    """
    bar = columns[..., IN_PHRASE]
    first: Columns = (bar < NO_PHRASE) & (bar % min(PHRASE_LAGS) == 0)
    for column in _BAR_BEGINS:
        first = first & (columns[..., column] == 0)
    return first


@dataclass(frozen=True)
class Told:
    """What pointers say of the events to come.

    Attributes:
        ids: fields of the events that they point to, (B, T, P, 5).
        open: whether they point anywhere, (B, T, P).
        taught: whether copies of their pitches are learnt once more, (B, T).
    """

    ids: Tensor
    open: Tensor
    taught: Tensor

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
        return cls(ids, open_BTP, comes_again(features_BTF))

    def shut(self, logits_BTV: Tensor, field: int) -> Tensor:
        """Scores of a field's values, in which no copy is made by a pointer that is not open."""
        values = torch.tensor(COPY[field], device=logits_BTV.device)
        copies_BTP = logits_BTV[..., values].masked_fill(~self.open, -torch.inf)
        return logits_BTV.index_copy(-1, values, copies_BTP)

    def nats(self, logits_BTV: Tensor, field: int, next_BT: Tensor) -> tuple[Tensor, Told]:
        """Nats of a field of the next events, (B, T), and the pointers that are open after it.

        Where copies are taught their gradient is that of the nats with `TAUGHT` of those of a right
        copy added.

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
        all_BT = logits_BTV.logsumexp(dim=-1)
        nats_BT = all_BT - given_BT
        if field == _PITCH:
            taught_BT = self.taught & same_BTP.any(dim=-1)
            copies_BT = copied_BTP.where(taught_BT[..., None], 0.0).logsumexp(dim=-1)
            more_BT = TAUGHT * (all_BT - copies_BT).where(taught_BT, 0.0)
            nats_BT = nats_BT + (more_BT - more_BT.detach())
        return nats_BT, Told(self.ids, same_BTP, self.taught)


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
