"""The network for composing on a GPU, in batches of hundreds.

A step is one CUDA graph for each length that attention may read, a field is another (`lane`,
`static`, `capture`). Rules and sampling stay on the host: see docs/design.md.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musenet.composing.capture import Capture, CudaGraphs, Work, as_it_stands
from musenet.composing.lane import Lane
from musenet.composing.static import Static
from musenet.features import Features
from musenet.model import Cache, Model

READ_AT_ONCE = 65_536
"""Positions of windows that the model reads in one go, so that its memory is bounded."""
_LOG = logging.getLogger(__name__)


class Graphed:
    """The network on a GPU, steps captured as CUDA graphs; elsewhere the same without graphs.

    States and scores that it gives are written to again at the next step of their cache.
    """

    @torch.inference_mode()
    def __init__(
        self, model: Model, *, dtype: torch.dtype | None = None, capture: Capture | None = None
    ) -> None:
        """Lay a model out.

        Args:
            model: on any device; windows are read by it as it stands.
            dtype: of matrices and cache; by default half precision, or the model's if not fp32.
            capture: how steps are captured; by default as CUDA graphs where there is CUDA.
        """
        own = torch.float16 if model.dtype == torch.float32 else model.dtype
        self.model = model
        self.static = Static(model, dtype or own)
        self.capture = capture or (
            CudaGraphs(model.device) if model.device.type == "cuda" else as_it_stands
        )
        self._lanes: list[Lane] = []
        self._lock = threading.Lock()

    def read(
        self, x_BTD: Tensor, ticks_BT: Tensor, capacity: int, times: int, before: Cache | None
    ) -> tuple[Tensor, Cache]:
        """As `Network.read`."""
        lane, cache = self._reserved(len(x_BTD) * times, capacity, before)
        length = x_BTD.shape[1]
        for begin in range(0, len(x_BTD), at_once := max(1, READ_AT_ONCE // length)):
            part = x_BTD[begin : begin + at_once]
            own = Cache.empty(self.model, len(part), length)
            hidden = self.model.trunk(part, ticks_BT[begin : begin + at_once], own)[:, -1]
            rows = slice(begin * times, (begin + len(part)) * times)
            lane.take(rows, own, hidden, times)
        cache.length = length
        return lane.begin(), cache

    def step(self, ids: NDArray[np.int64], columns: Features, caches: Sequence[Cache]) -> Tensor:
        """As `Network.step`, one cache after the other."""
        states, begin = [], 0
        for cache in caches:
            rows = slice(begin, begin := begin + len(cache.last))
            lane = next(lane for lane in self._lanes if lane.owner() is cache)
            states.append(lane.step(ids[rows], columns[rows], cache.length))
            cache.length += 1
        return states[0] if len(states) == 1 else torch.cat(states)

    def logits(self, field: int, x: Tensor) -> NDArray[np.float32]:
        """As `Network.logits`."""
        lane = self._lane_of(field, x)
        if lane is not None:
            return lane.logits(field)
        scores: NDArray[np.float32] = self.static.logits(field, x).cpu().numpy()
        return scores

    def choose(
        self, field: int, x: Tensor, ids: NDArray[np.int64], columns: Features | None
    ) -> Tensor:
        """As `Network.choose`."""
        lane = self._lane_of(field, x)
        if lane is not None and (columns is not None) == (field == 0):
            return lane.choose(field, ids, columns)
        moment = None if columns is None else torch.from_numpy(columns).to(x.device)
        return self.static.choose(field, x, torch.from_numpy(ids).to(x.device), moment)

    def _lane_of(self, field: int, x: Tensor) -> Lane | None:
        """Whose state in front of a field it is; None for states of several lanes together."""
        place, rows = x.data_ptr(), len(x)
        for lane in self._lanes:
            if lane.rows == rows and lane.states[field].data_ptr() == place:
                return lane
        return None

    def _reserved(self, rows: int, capacity: int, before: Cache | None) -> tuple[Lane, Cache]:
        """A lane that nobody owns any more, or a new one, and the cache that owns it now.

        The lane of the cache before counts as one that nobody owns.
        """
        with self._lock:
            free = [lane for lane in self._lanes if (own := lane.owner()) is None or own is before]
            used = [lane for lane in self._lanes if lane not in free]
            fitting = [lane for lane in free if (lane.rows, lane.capacity) == (rows, capacity)]
            if not fitting:  # then others are let go, whose memory a new one may need
                self._lanes, free = used, []
                fitting = [Lane(self.model, self.static, rows, capacity, self._captured)]
                self._lanes = used + fitting
            return fitting[0], fitting[0].reserve()

    def _captured(self, work: Work) -> Work:
        """Work that is quicker to start, or as it stands where it cannot be captured."""
        with self._lock:
            try:
                return self.capture(work)
            except RuntimeError as error:
                self.capture = as_it_stands
                reason = str(error).partition("\n")[0]
                _LOG.warning("no CUDA graphs here, so composing is slower: %s", reason)
                return work
