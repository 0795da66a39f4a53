"""Composing in large batches, and where its time goes; `composing.py --device` prints it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musenet.composing.decoding import Decoder
from musenet.composing.lane import Mail
from musenet.composing.network import Ids, Network
from musenet.events import SIZES, Table, is_note
from musenet.features import Features
from musenet.model import Cache, Model

COLUMNS = ("events before", "events after", "candidates", "notes a second", "ms a step",
           "rules and sampling", "starting the network", "waiting for it", "reading windows",
           "ms to copy the scores", "peak GPU memory, MiB")  # fmt: skip
WARM = 8
"""Rows before the clock starts."""
Begin = Callable[[Network, Table, int], Decoder]
"""A decoder behind an opening, for so many candidates."""


class Enough(Exception):
    """Ends a run that has composed as much as is measured."""


@dataclass
class Timed:
    """A network that sums up the seconds spent in it."""

    network: Network
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """The network's."""
        return self.network.model

    @contextmanager
    def _spent(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun

    def read(
        self, x_BTD: Tensor, ticks_BT: Tensor, capacity: int, times: int, before: Cache | None
    ) -> tuple[Tensor, Cache]:
        """As `Network.read`, until it is done."""
        with self._spent("read"):
            made = self.network.read(x_BTD, ticks_BT, capacity, times, before)
            if x_BTD.is_cuda:
                torch.cuda.synchronize()
        return made

    def step(self, ids: Ids, columns: Features, caches: Sequence[Cache]) -> Tensor:
        """As `Network.step`."""
        with self._spent("start"):
            return self.network.step(ids, columns, caches)

    def logits(self, field: int, x: Tensor) -> NDArray[np.float32]:
        """As `Network.logits`."""
        with self._spent("wait"):
            return self.network.logits(field, x)

    def choose(self, field: int, x: Tensor, ids: Ids, columns: Features | None) -> Tensor:
        """As `Network.choose`."""
        with self._spent("start"):
            return self.network.choose(field, x, ids, columns)


def rows(
    network: Network, begin: Begin, openings: Sequence[Table], batches: Sequence[int], steps: int,
    repeats: int, context: int,
) -> Iterator[tuple[object, ...]]:  # fmt: skip
    """A row of the table for each opening and each number of candidates."""
    cuda = network.model.device.type == "cuda"
    for opening in openings:
        taken = max(steps, context // 2) if len(opening) >= context else steps  # one slide
        for count in batches:
            if cuda:
                torch.cuda.reset_peak_memory_stats()
            # at first graphs are captured
            runs = [_run(network, begin, opening, count, taken) for _ in range(repeats + 1)][1:]
            best = min(runs, key=lambda run: run[1])
            notes, seconds, spent = best
            shares = [spent.get(name, 0.0) / seconds for name in ("start", "wait", "read")]
            peak = torch.cuda.max_memory_allocated() / 2**20 if cuda else ""
            yield (
                len(opening), len(opening) + taken, count, notes / seconds,
                1000 * seconds / (taken - WARM), 1.0 - sum(shares), *shares,
                1000 * _copies(count, network.model.device), peak,
            )  # fmt: skip


def _run(
    network: Network, begin: Begin, opening: Table, count: int, steps: int
) -> tuple[int, float, dict[str, float]]:
    """Notes composed behind the first rows, seconds for them, and those spent in the network."""
    timed = Timed(network)
    made = begin(timed, opening, count)
    first, last = len(opening) + WARM, len(opening) + steps
    begun = 0.0

    def enough() -> bool:
        nonlocal begun
        if made.past.rows == first:
            timed.seconds.clear()
            begun = time.perf_counter()
        if made.past.rows >= last:
            raise Enough
        return False

    with suppress(Enough):
        made.run(stop=enough)
    seconds = time.perf_counter() - begun
    return int(is_note(made.tables[:, first:last]).sum()), seconds, dict(timed.seconds)


@torch.inference_mode()
def _copies(count: int, device: torch.device, times: int = 50) -> float:
    """Seconds in which the scores of all fields are fetched and the values chosen sent."""
    scores = [Mail((count, size), torch.float32, device) for size in SIZES]
    chosen = Mail((count, 1), torch.int32, device)
    begun = time.perf_counter()
    for _ in range(times):
        for mail in scores:
            mail.fetch()
            mail.wait()
            chosen.send()
            chosen.wait()
    return (time.perf_counter() - begun) / times
