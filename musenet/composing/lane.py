"""Candidates that grow in step on a GPU: their memory, and what goes to the GPU and comes back.

All of it stays where it is for as long as the lane lives, so that steps can be captured
(`capture`). The host writes into pinned memory, copies are queued behind one another, and the
scores of a field are on their way back before they are asked for: the rules work meanwhile.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from musenet.composing.capture import Capture, Work
from musenet.composing.static import Memory, Static
from musenet.echoes import ROW_WIDTH
from musenet.events import FIELDS, SIZES
from musenet.features import COLUMNS, Features
from musenet.model import Cache, Model

LEAST_SPAN = 128
"""Positions that attention reads at least; with longer caches it reads more."""
_ATTENTION = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"""Kernels that take a mask and can be captured at every length."""
_ROW, _TOLD, _MOMENT = len(FIELDS), ROW_WIDTH, len(COLUMNS)
_LINKS = _ROW - 1


def spans(capacity: int) -> list[int]:
    """How many positions attention reads, from few to all: powers of two and the middle between.

    A step takes the first that holds what its cache does, so that a third at most is read in vain.
    """
    powers = [LEAST_SPAN << power for power in range(capacity.bit_length())]
    steps = sorted({size for power in powers for size in (power, power + power // 2)})
    return [*(size for size in steps if size < capacity), capacity]


class Mail:
    """A tensor on the device and its twin on the host."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
        """Reserve both; on a GPU the twin is pinned, so that copies need not be waited for."""
        cuda = device.type == "cuda"
        self.there = torch.zeros(shape, dtype=dtype, device=device)
        self.here = torch.zeros(shape, dtype=dtype, pin_memory=cuda)
        self.array = self.here.numpy()
        self.event = torch.cuda.Event() if cuda else None  # type: ignore[no-untyped-call]

    def send(self) -> None:
        """Queue a copy to the device; `wait` before the twin is written to again."""
        self.there.copy_(self.here, non_blocking=True)
        self._mark()

    def fetch(self) -> None:
        """Queue a copy to the host; `wait` before it is read."""
        self.here.copy_(self.there, non_blocking=True)
        self._mark()

    def wait(self) -> None:
        """Wait until the last copy is there."""
        if self.event is not None:
            self.event.synchronize()

    def _mark(self) -> None:
        if self.event is not None:
            self.event.record()


class Lane:
    """The candidates of one cache.

    Attributes:
        states: the state in front of each field, one tensor (rows, D) a field.
        owner: the cache whose memory this is, while that lives.
    """

    def __init__(
        self, model: Model, static: Static, rows: int, capacity: int, capture: Capture
    ) -> None:
        """Reserve all that `rows` candidates of at most `capacity` positions need."""
        self.rows, self.capacity, self.static, self.capture = rows, capacity, static, capture
        device, width = model.device, model.config.width
        reserved = -(-capacity // LEAST_SPAN) * LEAST_SPAN
        self.spans = spans(reserved)
        self.memory = Memory.empty(model, rows, reserved, static.dtype)
        self.states = [torch.zeros((rows, width), device=device) for _ in FIELDS]
        self.scores = [Mail((rows, size), torch.float32, device) for size in SIZES]
        # a place, a row and its features; then a wait and the features of the moment it leads to
        self.row = Mail((rows, 1 + _ROW + _TOLD), torch.int32, device)
        self.told = [
            Mail((rows, 1 if field else 1 + _MOMENT), torch.int32, device)
            for field in range(_LINKS)
        ]
        self.owner: Callable[[], Cache | None] = lambda: None
        self._works: dict[tuple[str, int], Work] = {}

    def take(self, rows: slice, part: Cache, hidden: Tensor, times: int) -> None:
        """Copy what the model has read into some rows, each of it `times` times in a row.

        Args:
            rows: of this lane.
            part: a cache that holds nothing else.
            hidden: the state behind it, (B, D).
            times: rows a sequence.
        """
        layers = zip(
            [*self.memory.keys, *self.memory.values], [*part.keys, *part.values], strict=True
        )
        for own, read in layers:
            apart = own[rows].view(-1, times, *own.shape[1:])
            apart[:, :, :, : part.length] = read[:, None, :, : part.length].to(own.dtype)
        self.memory.last_tick[rows] = part.last_tick.repeat_interleave(times, dim=0)
        for mine, theirs in ((self.memory.last, part.last[:, 0]), (self.states[0], hidden)):
            mine[rows] = theirs.float().repeat_interleave(times, dim=0)

    def reserve(self) -> Cache:
        """A cache, which holds nothing yet and owns this lane for as long as it lives."""
        memory = self.memory
        cache = Cache(memory.keys, memory.values, memory.last[:, None], memory.last_tick)
        self.owner = weakref.ref(cache)
        return cache

    def begin(self) -> Tensor:
        """The state behind what was taken in, (rows, D)."""
        self._foretell(0)
        self.scores[0].fetch()
        return self.states[0]

    def step(self, ids: NDArray[np.int64], columns: Features, place: int) -> Tensor:
        """As `Network.step`, where `place` positions are held."""
        span = next(size for size in self.spans if size > place)
        self.row.wait()
        self.row.array[:, 0], self.row.array[:, 1 : 1 + _ROW] = place, ids
        self.row.array[:, 1 + _ROW :] = columns
        self.row.send()
        self._do("trunk", span, partial(self._advance, span))
        self.scores[0].fetch()
        return self.states[0]

    def choose(self, field: int, ids: NDArray[np.int64], columns: Features | None) -> Tensor:
        """As `Network.choose` from the state in front of a field; a wait brings features."""
        told = self.told[field]
        told.wait()
        told.array[:, 0] = ids
        if columns is not None:
            told.array[:, 1:] = columns
        told.send()
        self._do("link", field, partial(self._link, field))
        self.scores[field + 1].fetch()
        return self.states[field + 1]

    def logits(self, field: int) -> NDArray[np.float32]:
        """Scores of a field's values, (rows, V); the array is written to at the next step."""
        self.scores[field].wait()
        scores: NDArray[np.float32] = self.scores[field].array
        return scores

    def _advance(self, span: int) -> None:
        """The work of a step."""
        row = self.row.there
        place, ids, columns = row[:1, 0].long(), row[:, 1 : 1 + _ROW], row[:, 1 + _ROW :]
        with sdpa_kernel(_ATTENTION):
            state = self.static.trunk(place, ids, columns, self.memory, span)
        self.states[0].copy_(state)
        self._foretell(0)

    def _link(self, field: int) -> None:
        """The work of a choice."""
        told = self.told[field].there
        columns = None if field else told[:, 1:]
        state = self.static.choose(field, self.states[field], told[:, 0], columns)
        self.states[field + 1].copy_(state)
        self._foretell(field + 1)

    def _foretell(self, field: int) -> None:
        self.scores[field].there.copy_(self.static.logits(field, self.states[field]))

    def _do(self, name: str, which: int, work: Work) -> None:
        """Do work, which is captured the first time."""
        key = name, which
        if key not in self._works:
            moving = (self.memory.last, self.memory.last_tick)
            kept = [own.clone() for own in moving]  # to capture work is to do it, and moves on
            self._works[key] = self.capture(work)
            for own, before in zip(moving, kept, strict=True):
                own.copy_(before)
        self._works[key]()
