"""Events and floating-point operations a second of training steps.

    python benchmarks/training.py [tiny mini small base musenet] [--device cpu|cuda] [--compile]
        [--context EVENTS] [--data CORPUS]

A step is forward, backward and optimiser on random events in full windows. Of each preset: fp32,
bf16, on a GPU with each implementation of attention, with recomputation, and all of these but fp32
compiled. Model FLOPs an event, with P the elements of all matrices that an event is multiplied by
(embedding tables are looked up and do not count), L layers, N heads of width H and windows of T
events of which causal attention sees half on average:

    6 P + 6 L N H T        (forward 2 P + 2 L N H T; backward twice that)

Recomputation does more than that and is not credited. MFU is their rate over the peak: what the
maker states for bf16 (989 TFLOP/s on H100 and H200), what --peak says, else the best matrix
product of that precision measured in the same run. With --data also the rate at which one core
draws batches. What does not fit into memory stands in the table without numbers. `musenet` is for
a GPU alone.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from common import Timing, parse, parser, run, tell, times

from musenet.copying import COPY
from musenet.corpus.shards import open_split
from musenet.echoes import ROW_SIZES
from musenet.model import Model, parameters
from musenet.presets import PRESETS, ModelConfig
from musenet.training.augment import Augmentation
from musenet.training.batches import Batch
from musenet.training.optimise import default_optimiser, optimisers
from musenet.training.passes import BACKENDS, attention, empty, fastest_attention
from musenet.training.prefetch import Drawer, Order
from musenet.training.settings import longest_window
from musenet.training.shapes import Shape, shapes
from musenet.training.stepping import Stepper
from musenet.training.throughput import FORMULA, cost, peak
from musenet.training.workers import Workers


@dataclass(frozen=True)
class Variant:
    """A way to train one preset."""

    preset: str
    dtype: torch.dtype
    attention: str | None = None
    compiled: bool = False
    recomputed: bool = False

    @property
    def config(self) -> ModelConfig:
        """Dimensions of the network."""
        return replace(PRESETS[self.preset](), recompute=self.recomputed)


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("presets", nargs="*", default=["tiny", "mini"], metavar="PRESET",
                      help=f"{', '.join(PRESETS)} (default tiny mini)")  # fmt: skip
    made.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    made.add_argument("--context", type=int, default=1024, help="events a window (default 1024)")
    made.add_argument("--batch-events", type=int, help="default 2048, on a GPU 131072")
    made.add_argument("--micro-events", type=int, help="a pass (default 2048, on a GPU 32768)")
    made.add_argument("--compile", action="store_true", help="also compiled on a CPU (slow start)")
    made.add_argument("--best", action="store_true", help="the usual way of a GPU run alone")
    made.add_argument("--peak", type=float, help="TFLOP/s of the device")
    made.add_argument("--data", type=Path, help="a corpus, to time the drawing of batches")
    arguments = parse(made)
    for preset in set(arguments.presets) - set(PRESETS):
        made.error(f"unknown preset {preset}")
    device = torch.device(arguments.device)
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.set_float32_matmul_precision("high")
    elif "musenet" in arguments.presets:
        made.error("the preset musenet needs a GPU: leave it out")
    arguments.batch_events = arguments.batch_events or (131_072 if on_gpu else 2_048)
    arguments.micro_events = arguments.micro_events or (32_768 if on_gpu else 2_048)
    peaks = {dtype: _peak(device, dtype, arguments)
             for dtype in (torch.float32, torch.bfloat16)}  # fmt: skip
    rows = [_row(variant, arguments, device, peaks) for variant in _variants(arguments, device)]
    facts: dict[str, object] = {
        "device": torch.cuda.get_device_name(device) if on_gpu else "cpu",
        "events a step": arguments.batch_events,
        "events a pass": arguments.micro_events,
        "model FLOPs an event": FORMULA,
        **{f"peak {_name(dtype)}, TFLOP/s": own / 1e12 for dtype, own in peaks.items()},
    }
    if arguments.data:
        facts["events a second drawn from the corpus"] = _drawing(arguments)
    columns = ("preset", "parameters", "precision", "attention", "compiled", "recomputed",
               "window", "events a second", "median", "MFLOPs an event", "TFLOP/s", "MFU",
               "GiB", "first steps, s")  # fmt: skip
    tell(arguments, columns, rows, facts)


def _variants(arguments: argparse.Namespace, device: torch.device) -> Iterator[Variant]:
    """The ways to train each preset."""
    on_gpu = device.type == "cuda"
    compiled = (False, True) if arguments.compile or on_gpu else (False,)
    for preset in arguments.presets:
        if arguments.best or preset == "musenet":
            own = PRESETS[preset]().recompute
            yield Variant(preset, torch.bfloat16, "fastest" if on_gpu else None, on_gpu, own)
            continue
        yield Variant(preset, torch.float32)
        for fast in compiled:
            yield Variant(preset, torch.bfloat16, None, fast)
            yield Variant(preset, torch.bfloat16, None, fast, recomputed=True)
        for name in BACKENDS if on_gpu else ():
            yield Variant(preset, torch.bfloat16, name, on_gpu)


def _row(
    variant: Variant, arguments: argparse.Namespace, device: torch.device,
    peaks: dict[torch.dtype, float],
) -> tuple[object, ...]:  # fmt: skip
    window = min(arguments.context, longest_window(variant.config))
    model = Model(variant.config, variant.dtype).to(device)
    shape = Shape(max(1, arguments.micro_events // window), window)
    passes = max(1, round(arguments.batch_events / (shape.rows * window)))
    events, own_cost = passes * shape.rows * window, cost(model)
    flops, size = own_cost.event + own_cost.pair * window, parameters(model)
    name = variant.attention
    if name == "fastest":
        name = fastest_attention(model, shape)
    about = (variant.preset, size, _name(variant.dtype), name, _yes(variant.compiled),
             _yes(variant.recomputed), window)  # fmt: skip
    try:
        with attention(name):
            own, first, memory = _time(model, variant, [_batch(shape)] * passes, arguments)
    except torch.OutOfMemoryError:
        return (*about, None, None, flops / 1e6, None, None, None, None)
    finally:
        del model
        gc.collect()
        torch._dynamo.reset()
        if device.type == "cuda":
            torch.cuda.empty_cache()
    rate = flops * events / own.best
    return (
        *about, events / own.best, events / own.median, flops / 1e6, rate / 1e12,
        rate / peaks[variant.dtype], memory, first,
    )  # fmt: skip


def _time(
    model: Model, variant: Variant, batches: list[Batch], arguments: argparse.Namespace
) -> tuple[Timing, float, float | None]:
    """Time of a step, of the two before to warm up, and GiB of memory at most on a GPU."""
    on_gpu = model.device.type == "cuda"
    made = optimisers(model, default_optimiser(model.device), 1e-3, 0.05)
    steps = Stepper(model, made, Workers(), seed=0, mixup=0.0, compiled=variant.compiled)
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()

    def step() -> None:
        steps(batches, 0, 1e-3).read()

    first = sum(times({"": step}, arguments, 1)[""].best for _ in range(2))
    own = times({"": step}, arguments)[""]
    return own, first, torch.cuda.max_memory_allocated() / 2**30 if on_gpu else None


def _batch(shape: Shape) -> Batch:
    """Random events and moments."""
    random, made = np.random.default_rng(0), empty(shape)
    for field, copies in enumerate(COPY):
        made.ids[..., field] = random.integers(0, min(copies), made.ids.shape[:2])
    for column, size in enumerate(ROW_SIZES[1:], start=1):
        made.features[..., column] = random.integers(0, size, made.ids.shape[:2])
    made.weights[:] = 1.0
    made.lengths[:] = shape.length
    return made


def _peak(device: torch.device, dtype: torch.dtype, arguments: argparse.Namespace) -> float:
    """Operations a second that the device can do at best."""
    if arguments.peak:
        return float(arguments.peak) * 1e12
    stated = peak(device) if dtype is torch.bfloat16 else None
    return stated or _measured_peak(device, dtype, arguments)


def _measured_peak(
    device: torch.device, dtype: torch.dtype, arguments: argparse.Namespace
) -> float:
    """The best rate of a square matrix product."""
    size = 8192 if device.type == "cuda" else 1536
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))

    def product() -> None:
        torch.mm(a, b)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    product()
    return float(2 * size**3) / times({"": product}, arguments, 10)[""].best


def _drawing(arguments: argparse.Namespace) -> float:
    """Events a second of drawing, varying and padding windows."""
    drawer = Drawer(open_split(arguments.data, "train"))
    passes = shapes(arguments.context, arguments.micro_events)
    order = Order(0, 0, 0, 16 * arguments.micro_events, arguments.context, Augmentation(), passes)
    events = sum(int(batch.lengths.sum()) for batch in drawer(order))
    return events / times({"": lambda: drawer(order)}, arguments)[""].best


def _name(dtype: torch.dtype) -> str:
    return {torch.float32: "fp32", torch.bfloat16: "bf16"}[dtype]


def _yes(value: bool) -> str:
    return "yes" if value else ""


if __name__ == "__main__":
    run(main)
