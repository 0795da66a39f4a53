from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from musenet.composing.capture import WARM_UPS, CudaGraphs, as_it_stands


class Cuda:
    """Stands in for `torch.cuda` and notes down what is asked of it."""

    def __init__(self, *, broken: bool = False) -> None:
        self.told: list[str] = []
        self.streams = ["main"]
        self.broken = broken

    def Stream(self, device: torch.device) -> Any:
        return SimpleNamespace(
            name="side", wait_stream=lambda other: self.told.append("side waits")
        )

    def current_stream(self) -> Any:
        return SimpleNamespace(
            name=self.streams[-1], wait_stream=lambda other: self.told.append("main waits")
        )

    def set_stream(self, stream: Any) -> None:
        self.streams = [stream.name]

    def graph_pool_handle(self) -> int:
        return 7

    @contextmanager
    def device(self, device: torch.device) -> Iterator[None]:
        yield

    @contextmanager
    def stream(self, stream: Any) -> Iterator[None]:
        self.streams.append(stream.name)
        yield
        self.streams.pop()

    def CUDAGraph(self) -> Any:
        return SimpleNamespace(replay=lambda: self.told.append("replayed"))

    @contextmanager
    def graph(
        self, graph: Any, *, pool: int, stream: Any, capture_error_mode: str
    ) -> Iterator[None]:
        assert (pool, capture_error_mode) == (7, "thread_local")
        self.streams.append(stream.name)
        self.told.append("captures")
        yield
        if self.broken:  # as `torch.cuda.graph` does, it leaves its stream behind
            raise RuntimeError("operation failed due to a previous error during capture")
        self.streams.pop()


def test_work_is_warmed_up_on_a_side_stream_and_then_captured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = Cuda()
    monkeypatch.setattr(torch, "cuda", cuda)
    replay = CudaGraphs(torch.device("cuda"))(lambda: cuda.told.append(cuda.streams[-1]))
    warm = ["side waits", *["side"] * WARM_UPS, "main waits"]
    assert cuda.told == [*warm, "captures", "side"]
    replay()
    assert cuda.told[-1] == "replayed"
    assert cuda.streams == ["main"]


def test_a_capture_that_fails_leaves_no_stream_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = Cuda(broken=True)
    monkeypatch.setattr(torch, "cuda", cuda)
    with pytest.raises(RuntimeError, match="during capture"):
        CudaGraphs(torch.device("cuda"))(lambda: None)
    assert cuda.streams == ["main"]


def test_without_graphs_work_is_what_it_was() -> None:
    def work() -> None: ...

    assert as_it_stands(work) is work
