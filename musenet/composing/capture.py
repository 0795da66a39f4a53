"""CUDA graphs: the kernels of a step recorded once, then started all at once.

A step of a small network is hundreds of kernels of a few microseconds each, which take longer to
start one by one than to run (Gray, 2019, Getting started with CUDA graphs).
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Work = Callable[[], None]
"""Reads and writes tensors that stay where they are, and does the same each time."""
Capture = Callable[[Work], Work]
"""Makes of a piece of work one that is quicker to start."""
WARM_UPS = 3
"""Runs before a capture, in which libraries choose their kernels and reserve memory."""


def as_it_stands(work: Work) -> Work:
    """The work itself, for where there are no CUDA graphs."""
    return work


class CudaGraphs:
    """Captures work as CUDA graphs that share the memory of what they compute on the way.

    That is safe since nothing that is left there is read by another graph, and all are replayed
    on one stream.
    """

    def __init__(self, device: torch.device) -> None:
        """Capture on a stream of its own, as PyTorch asks for."""
        self.device = device
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.pool = torch.cuda.graph_pool_handle()

    def __call__(self, work: Work) -> Work:
        """Warm up, which does the work `WARM_UPS` times, and capture, which does not do it.

        Raises:
            RuntimeError: the work cannot be captured.
        """
        with torch.cuda.device(self.device):
            current = torch.cuda.current_stream()
            try:
                return self._captured(work, current)
            finally:  # a capture that fails leaves its own stream behind
                torch.cuda.set_stream(current)

    def _captured(self, work: Work, current: torch.cuda.Stream) -> Work:
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            for _ in range(WARM_UPS):
                work()
        current.wait_stream(self.stream)
        graph = torch.cuda.CUDAGraph()
        # other threads may go on with work of their own meanwhile
        with torch.cuda.graph(
            graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"
        ):
            work()
        replay: Work = graph.replay
        return replay
