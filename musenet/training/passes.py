"""One forward pass of training: a batch on the device, its bits by field, compiled or not."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from musenet.attention import attend
from musenet.condition import Condition, Conditions, stack
from musenet.echoes import ROW_WIDTH
from musenet.errors import UserError
from musenet.events import FIELDS
from musenet.model import PROMPT_ROWS, Model
from musenet.training.batches import Batch
from musenet.training.shapes import Shape

Pass = Callable[..., Tensor]
"""Takes what `placed` gives; gives the bits of each field summed over a batch, shape (5,)."""
MOST_SHAPES = 64
BACKENDS = {
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "math": SDPBackend.MATH,
}
"""Implementations of attention by name."""


def placed(batch: Batch, device: torch.device) -> tuple[Tensor, ...]:
    """The tensors of a batch on the device; the copy to a GPU does not wait for the GPU."""
    told = batch.conditions
    arrays = (told.styles, told.instruments, told.key, told.kind, told.start)
    tensors = [torch.from_numpy(a) for a in (*arrays, batch.ids, batch.features, batch.weights)]
    if device.type != "cuda":
        return tuple(tensors)
    return tuple(tensor.pin_memory().to(device, non_blocking=True) for tensor in tensors)


def field_bits(model: Model, *, compiled: bool) -> Pass:
    """What runs a pass through a model.

    Compiled, each shape is compiled once, as one graph, when it is first met.
    """

    def bits(
        styles: Tensor,
        instruments: Tensor,
        key: Tensor,
        kind: Tensor,
        start: Tensor,
        ids_BT5: Tensor,
        features_BTF: Tensor,
        weights_BT5: Tensor,
    ) -> Tensor:
        conditions = Conditions(styles, instruments, key, kind, start)  # type: ignore[arg-type]
        nats_BT5 = model(conditions, ids_BT5, features_BTF)
        summed: Tensor = (nats_BT5 * weights_BT5).sum(dim=(0, 1)) / math.log(2.0)
        return summed

    if not compiled:
        return bits
    torch._dynamo.config.recompile_limit = MOST_SHAPES
    made: Pass = torch.compile(bits, dynamic=False, fullgraph=True)
    return made


def warm_up(model: Model, run: Pass, shapes: Sequence[Shape], *, compiled: bool) -> float:
    """Run every shape forward and backward once, on nothing; the seconds it took.

    Raises:
        UserError: the device's memory is too small, or the network cannot be compiled or run.
    """
    started = time.monotonic()
    model.train()
    try:
        for shape in reversed(shapes):
            torch.autograd.backward(run(*placed(empty(shape), model.device)).sum())
        if model.device.type == "cuda":
            torch.cuda.synchronize()
    except torch.OutOfMemoryError as error:
        raise too_large(_told(shape)) from error
    except RuntimeError as error:
        first = str(error).strip().split("\n", 1)[0]
        what = "compile the network: give --no-compile" if compiled else "run the network here"
        raise UserError(f"cannot {what} ({first})") from error
    model.zero_grad(set_to_none=True)
    return time.monotonic() - started


def too_large(what: str) -> UserError:
    """What to tell where the device's memory is too small for something."""
    return UserError(f"{what} does not fit into the GPU: lower --micro-events")


def _told(shape: Shape) -> str:
    return f"a pass of {shape.rows * shape.length:,} events"


def empty(shape: Shape) -> Batch:
    """A batch of a shape that weighs nothing."""
    size = (shape.rows, shape.length)
    return Batch(
        np.zeros((*size, len(FIELDS)), dtype=np.int64),
        np.zeros((*size, ROW_WIDTH), dtype=np.int32),
        np.zeros((*size, len(FIELDS)), dtype=np.float32),
        0,
        stack([Condition()] * shape.rows, [True] * shape.rows),
        np.zeros(shape.rows, dtype=np.int64),
    )


def fastest_attention(model: Model, shape: Shape, repeats: int = 5) -> str:
    """The implementation of attention that is fastest forward and backward, by its name.

    Which one it is depends on GPU, width of the heads and length: cuDNN's is made for Hopper,
    FlashAttention 2 for the generation before.

    Raises:
        UserError: the device's memory is too small for any.
    """
    times: dict[str, float] = {}
    for name, backend in BACKENDS.items():
        if name == "math" and times:
            continue
        try:
            with sdpa_kernel(backend):
                _attention_seconds(model, shape, 2)
                times[name] = _attention_seconds(model, shape, repeats)
        except RuntimeError:
            continue
    if not times:
        raise too_large(_told(shape))
    return min(times, key=lambda name: times[name])


def _attention_seconds(model: Model, shape: Shape, repeats: int) -> float:
    config, length = model.config, shape.length + PROMPT_ROWS - 1
    sizes = (
        (config.heads, config.key_width),
        (config.kv_heads, config.key_width),
        (config.kv_heads, config.head_width),
    )
    q, k, v = (
        torch.randn(shape.rows, length, *size, device=model.device)
        .to(model.dtype)
        .transpose(1, 2)
        .requires_grad_()
        for size in sizes
    )
    like = torch.randn_like(q[..., : config.head_width])
    started = time.monotonic()
    for _ in range(repeats):
        torch.autograd.backward(attend(q, k, v, None), like)
    if model.device.type == "cuda":
        torch.cuda.synchronize()
    return time.monotonic() - started


@contextmanager
def attention(name: str | None) -> Iterator[None]:
    """Prefer an implementation of attention in the block; the others serve what it cannot."""
    if name is None:
        yield
        return
    others = [backend for backend in BACKENDS.values() if backend is not BACKENDS[name]]
    with sdpa_kernel([BACKENDS[name], *others], set_priority=True):
        yield


def later(values: Tensor) -> Callable[[], list[float]]:
    """What waits for values of the device and lists them; asking for them does not wait."""
    if values.device.type != "cuda":
        return values.tolist
    copy = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    copy.copy_(values, non_blocking=True)
    ready = torch.cuda.Event()  # type: ignore[no-untyped-call]
    ready.record()

    def read() -> list[float]:
        ready.synchronize()
        listed: list[float] = copy.tolist()
        return listed

    return read
