"""A stand-in for CUDA graphs where there is no GPU: operations recorded, then done again.

As there, no Python runs when work is replayed, tensors made on the way are lost, and what the
host knew during the capture is used for ever.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from musenet.composing.capture import WARM_UPS, Work


class Recorder(TorchDispatchMode):
    """Notes down operations as they are done."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        self.done.append((func, args, kwargs or {}, made))
        return made

    def replay(self) -> None:
        """Do them again: on the tensors that stood there before, and on what is made anew."""
        new: dict[int, torch.Tensor] = {}

        def anew(value: Any) -> Any:
            return new.get(id(value), value)

        for func, args, kwargs, made in self.done:
            again = func(*tree_map(anew, args), **tree_map(anew, kwargs))
            old = made if isinstance(made, tuple | list) else [made]
            for before, after in zip(
                old, again if isinstance(again, tuple | list) else [again], strict=True
            ):
                new[id(before)] = after


class Recorded:
    """Captures work as `capture.CudaGraphs` does; `count` tells how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, work: Work) -> Work:
        self.count += 1
        for _ in range(WARM_UPS):
            work()
        recorder = Recorder()
        with recorder:
            work()
        return recorder.replay
