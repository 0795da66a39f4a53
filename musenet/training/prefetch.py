"""Where a step's batches come from: drawn when asked for, or ahead of time by processes.

What is drawn is a pure function of the order, so that both give the same.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from musenet.corpus.shards import Split, open_split
from musenet.errors import UserError
from musenet.training.augment import Augmentation
from musenet.training.batches import Batch, step_batches
from musenet.training.mixture import piece_weights
from musenet.training.shapes import Shape, shaped_batches


@dataclass(frozen=True)
class Order:
    """What decides the batches of one step.

    Attributes:
        seed: of the run.
        step: the step.
        worker: the process among those that train together.
        events: how many in all.
        context: events of the longest windows.
        augmentation: how pieces are varied.
        passes: the shapes of the batches, or none where any will do.
    """

    seed: int
    step: int
    worker: int
    events: int
    context: int
    augmentation: Augmentation
    passes: tuple[Shape, ...] = ()


class Drawer:
    """Draws batches from the training split of a corpus."""

    def __init__(self, split: Split) -> None:
        """Draw from a split."""
        self.split = split
        self.weights = lru_cache(self._weights)

    def _weights(self, context: int) -> NDArray[np.float64]:
        return piece_weights(self.split, context)

    def __call__(self, order: Order) -> list[Batch]:
        """The batches of a step."""
        draw = (
            partial(shaped_batches, passes=order.passes)
            if order.passes
            else partial(step_batches, context=order.context)
        )
        return draw(
            self.split,
            self.weights(order.context),
            seed=order.seed,
            step=order.step,
            events=order.events,
            augmentation=order.augmentation,
            worker=order.worker,
        )


class Feed(Protocol):
    """Takes orders and gives their batches in the same sequence."""

    ahead: int
    """Orders to give before the first batches are asked for."""

    def order(self, order: Order) -> None:
        """Ask for the batches of a step."""

    def batches(self) -> list[Batch]:
        """Those of the earliest order that has not been answered."""


class Inline:
    """Draws when the batches are asked for: best where training takes all the CPU."""

    ahead = 0

    def __init__(self, drawer: Drawer) -> None:
        """Draw with `drawer`."""
        self.drawer = drawer
        self.orders: deque[Order] = deque()

    def order(self, order: Order) -> None:
        """Ask for the batches of a step."""
        self.orders.append(order)

    def batches(self) -> list[Batch]:
        """Those of the earliest order."""
        return self.drawer(self.orders.popleft())


class Ahead:
    """Processes that draw in turn, and a thread that fetches what they have drawn."""

    def __init__(self, lines: list[Connection], thread: ThreadPoolExecutor) -> None:
        """Talk to a process on each line."""
        self.lines, self.thread = lines, thread
        self.ahead = 2 * len(lines)
        self.given = 0
        self.coming: deque[Future[list[Batch]]] = deque()

    def order(self, order: Order) -> None:
        """Ask for the batches of a step.

        Raises:
            UserError: a process has died.
        """
        line = self.lines[self.given % len(self.lines)]
        self.given += 1
        with _alive():
            line.send(order)
        self.coming.append(self.thread.submit(line.recv))

    def batches(self) -> list[Batch]:
        """Those of the earliest order.

        Raises:
            UserError: a process has died.
        """
        with _alive():
            return self.coming.popleft().result()


@contextmanager
def _alive() -> Iterator[None]:
    """Tells of a process that died, where the block finds that the line to it is cut."""
    try:
        yield
    except (EOFError, OSError) as error:
        raise UserError("a process that draws data has died: free memory, or give "
                        "--loaders 0; then --resume") from error  # fmt: skip


@contextmanager
def feeding(drawer: Drawer, data: str, loaders: int) -> Iterator[Feed]:
    """A feed of batches by so many processes, or by `drawer` itself for none."""
    if not loaders:
        yield Inline(drawer)
        return
    context = get_context("spawn")
    lines, processes = [], []
    for _ in range(loaders):
        own, other = context.Pipe()
        process = context.Process(target=_serve, args=(other, data), daemon=True)
        process.start()
        other.close()
        lines.append(own)
        processes.append(process)
    thread = ThreadPoolExecutor(1)
    try:
        yield Ahead(lines, thread)
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.join()
        thread.shutdown(cancel_futures=True)
        for line in lines:
            line.close()


def _serve(line: Connection, data: str) -> None:
    """Answer orders until the other side is gone.

    Ctrl-C and SIGTERM come to all processes of a group and are for the other side alone, which
    needs one more step's data to end in order.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    drawer = Drawer(open_split(Path(data), "train"))
    while True:
        try:
            line.send(drawer(line.recv()))
        except (EOFError, OSError):
            return
