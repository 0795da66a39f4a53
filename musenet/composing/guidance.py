"""Guidance: how strongly the styles and the key that are told are followed.

Each candidate is foretold twice, with its styles and key and without them, as training leaves each
of them out at times. What they change is then strengthened (Ho and Salimans, 2022; for language
Sanchez et al., 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from musenet.composing.network import Ids, Network
from musenet.condition import KEYS, Condition
from musenet.features import KEY, NOT_TOLD, STYLE, Features
from musenet.model import Cache, Model

STRONG = 2.0
"""Guidance by which blends and changes of style and key are heard."""
Number = TypeVar("Number", np.int32, np.int64)


def plain(condition: Condition) -> Condition:
    """The same prompt with neither a style nor a key told."""
    return replace(condition, styles=(), key=KEYS)


@dataclass(frozen=True)
class Guided:
    """A network over N candidates with their styles and key, then the same N without.

    States have 2N rows; values, features and scores have N.

    Attributes:
        network: which foretells all 2N.
        strength: of styles and key; 1 is what the network says with them, 0 without.
    """

    network: Network
    strength: float

    @property
    def model(self) -> Model:
        """The network's."""
        return self.network.model

    def read(
        self, x_BTD: Tensor, ticks_BT: Tensor, capacity: int, times: int, before: Cache | None
    ) -> tuple[Tensor, Cache]:
        """As `Network.read`, of 2N rows."""
        return self.network.read(x_BTD, ticks_BT, capacity, times, before)

    def step(self, ids: Ids, columns: Features, caches: Sequence[Cache]) -> Tensor:
        """The states, (2N, D), once rows, (N, 5), of one cache are taken in."""
        return self.network.step(_twice(ids), with_plain(columns), caches)

    def logits(self, field: int, x: Tensor) -> NDArray[np.float32]:
        """Scores of a field's values without what is told, and `strength` of what it changes."""
        told, untold = np.split(self.network.logits(field, x), 2)
        return untold + np.float32(self.strength) * (told - untold)

    def choose(self, field: int, x: Tensor, ids: Ids, columns: Features | None) -> Tensor:
        """The states, (2N, D), once values, (N,), are chosen."""
        moments = None if columns is None else with_plain(columns)
        return self.network.choose(field, x, _twice(ids), moments)


def with_plain(columns: Features) -> Features:
    """Features, (N, ..., F), then the same with neither a style nor a key told, (2N, ..., F)."""
    both = np.concatenate([columns, columns])
    both[len(columns) :, ..., KEY] = NOT_TOLD[3]
    both[len(columns) :, ..., STYLE] = NOT_TOLD[4]
    return both


def _twice(rows: NDArray[Number]) -> NDArray[Number]:
    return np.concatenate([rows, rows])
