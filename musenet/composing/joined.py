"""One network for several decoders that run at the same time, each in a thread of its own.

A decoder that wants a step waits until the others want theirs; the last to come takes the step
for all as one batch, which costs little more than a step of one. Each row of a batch gets the
numbers that it gets alone, so that nobody's notes depend on who else is there.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musenet.composing.network import Ids, Network
from musenet.features import Features
from musenet.model import Cache, Model

MOMENT = 0.03
"""Seconds for which a step waits for those who took part in the last; some have other work."""


@dataclass(frozen=True)
class _Wish:
    """A step that is wanted, and the state that it will lead to."""

    ids: Ids
    columns: Features
    caches: Sequence[Cache]
    who: int = field(default_factory=threading.get_ident)
    state: Future[Tensor] = field(default_factory=Future)


class Joined:
    """A network whose steps are taken together."""

    def __init__(self, network: Network) -> None:
        """Join the steps of a network."""
        self.network = network
        self._lock = threading.Lock()
        self._wishes: list[_Wish] = []
        self._awaited: set[int] = set()

    @property
    def model(self) -> Model:
        """The network's."""
        return self.network.model

    def read(
        self, x_BTD: Tensor, ticks_BT: Tensor, capacity: int, times: int, before: Cache | None
    ) -> tuple[Tensor, Cache]:
        """As `Network.read`; nobody waits for it."""
        return self.network.read(x_BTD, ticks_BT, capacity, times, before)

    def step(self, ids: Ids, columns: Features, caches: Sequence[Cache]) -> Tensor:
        """As `Network.step`, in one batch with the steps that other threads want."""
        wish = _Wish(ids, columns, caches)
        with self._lock:
            self._awaited.discard(wish.who)
            self._wishes.append(wish)
            if not self._awaited:
                self._take()
        try:
            return wish.state.result(MOMENT)
        except TimeoutError:
            with self._lock:
                if not wish.state.done():
                    self._take()
        return wish.state.result()

    def leave(self) -> None:
        """The thread that calls wants no more steps for now: nobody waits for it."""
        with self._lock:
            self._awaited.discard(threading.get_ident())
            if self._wishes and not self._awaited:
                self._take()

    @torch.inference_mode()
    def _take(self) -> None:
        """Take all steps that are wanted; the lock is held."""
        wishes, self._wishes = self._wishes, []
        self._awaited = {wish.who for wish in wishes}
        try:
            states = self.network.step(
                np.concatenate([wish.ids for wish in wishes]),
                np.concatenate([wish.columns for wish in wishes]),
                [cache for wish in wishes for cache in wish.caches],
            )
        except Exception as error:
            for wish in wishes:
                wish.state.set_exception(error)
            return
        parts = torch.split(states, [len(wish.ids) for wish in wishes])
        for wish, state in zip(wishes, parts, strict=True):
            wish.state.set_result(state)

    def logits(self, field: int, x: Tensor) -> NDArray[np.float32]:
        """As `Network.logits`."""
        return self.network.logits(field, x)

    def choose(self, field: int, x: Tensor, ids: Ids, columns: Features | None) -> Tensor:
        """As `Network.choose`."""
        return self.network.choose(field, x, ids, columns)
