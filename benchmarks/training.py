"""Events and floating-point operations a second of training steps.

    python benchmarks/training.py [tiny mini small base musenet] [--device cpu|cuda] [--compile]
        [--data CORPUS]

A step is forward, backward and optimiser on random events. Model FLOPs an event, with P the
elements of all matrices that an event is multiplied by (embedding tables are looked up and do
not count), L layers, N heads of width H and windows of T events of which causal attention sees
half on average:

    6 P + 6 L N H T        (forward 2 P + 2 L N H T; backward twice that)

Recomputation does more than that and is not credited. MFU is their rate over the peak: 989
TFLOP/s for bf16 on H100 and H200, what --peak says, else the best matrix product of that
precision measured in the same run. With --data also the rate at which one core draws batches.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from common import Timing, parse, parser, tell, times
from torch import nn

from musenet.condition import Condition, stack
from musenet.corpus.shards import open_split
from musenet.events import FIELDS, SIZES
from musenet.features import COLUMNS
from musenet.model import Model, parameters
from musenet.presets import PRESETS, ModelConfig
from musenet.training.augment import Augmentation
from musenet.training.batches import step_batches
from musenet.training.loop import longest_window
from musenet.training.mixture import piece_weights
from musenet.training.optimise import clip, default_optimiser, optimisers

BF16_PEAKS = {"H100": 989e12, "H200": 989e12}
"""Dense bf16 operations a second that the maker states, by part of the device's name."""


@dataclass(frozen=True)
class Variant:
    """A way to train one preset."""

    preset: str
    dtype: torch.dtype
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
    made.add_argument("--batch-events", type=int, help="default 2048, on a GPU 32768")
    made.add_argument("--compile", action="store_true", help="also compiled on a CPU (slow start)")
    made.add_argument("--peak", type=float, help="TFLOP/s of the device")
    made.add_argument("--data", type=Path, help="a corpus, to time the drawing of batches")
    arguments = parse(made)
    for preset in set(arguments.presets) - set(PRESETS):
        made.error(f"unknown preset {preset}")
    device = torch.device(arguments.device)
    arguments.batch_events = arguments.batch_events or (32_768 if device.type == "cuda" else 2_048)
    peaks = {dtype: _peak(device, dtype, arguments)
             for dtype in (torch.float32, torch.bfloat16)}  # fmt: skip
    rows = [_row(variant, arguments, device, peaks) for variant in _variants(arguments, device)]
    facts: dict[str, object] = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "events a step": arguments.batch_events,
        "model FLOPs an event": "6 P + 6 L N H T",
        **{f"peak {_name(dtype)}, TFLOP/s": peak / 1e12 for dtype, peak in peaks.items()},
    }
    if arguments.data:
        facts["events a second drawn from the corpus"] = _drawing(arguments)
    columns = ("preset", "parameters", "precision", "compiled", "recomputed", "window",
               "events a second", "median", "MFLOPs an event", "TFLOP/s", "MFU", "GiB")  # fmt: skip
    tell(arguments, columns, rows, facts)


def _variants(arguments: argparse.Namespace, device: torch.device) -> Iterator[Variant]:
    """fp32 and bf16, plain, recomputed and compiled."""
    compiled = (False, True) if arguments.compile or device.type == "cuda" else (False,)
    for preset in arguments.presets:
        yield Variant(preset, torch.float32)
        for recomputed in (False, True):
            for fast in compiled:
                yield Variant(preset, torch.bfloat16, fast, recomputed)


def _row(
    variant: Variant, arguments: argparse.Namespace, device: torch.device,
    peaks: dict[torch.dtype, float],
) -> tuple[object, ...]:  # fmt: skip
    config = variant.config
    window = min(arguments.context, longest_window(config))
    model = Model(config, variant.dtype).to(device)
    flops = _flops(model, window)
    events = max(1, arguments.batch_events // window) * window
    size = parameters(model)
    own, memory = _time(model, variant, events // window, window, arguments)
    rate = flops * events / own.best
    return (
        variant.preset, size, _name(variant.dtype), _yes(variant.compiled),
        _yes(variant.recomputed), window, events / own.best, events / own.median, flops / 1e6,
        rate / 1e12, rate / peaks[variant.dtype], memory,
    )  # fmt: skip


def _flops(model: Model, window: int) -> float:
    """Model FLOPs of training on one event, see the head of this file."""
    config = model.config
    matrices = sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Linear))
    attention = config.layers * config.heads * config.head_width * window
    return 6.0 * matrices + 6.0 * attention


def _time(
    model: Model, variant: Variant, rows: int, window: int, arguments: argparse.Namespace
) -> tuple[Timing, float | str]:
    """Time of a step after two to warm up, and GiB of memory that it takes on a GPU."""
    device = model.device
    if variant.compiled:
        model.trunk = torch.compile(model.trunk)  # type: ignore[method-assign]
        model.losses = torch.compile(model.losses)  # type: ignore[method-assign]
    made = optimisers(model, default_optimiser(device), 1e-3, 0.05)
    ids, features = _batch(rows, window, device)
    conditions = stack([Condition()] * rows, [True] * rows)
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)

    def step() -> None:
        model(conditions, ids, features).mean().backward()
        clip(model)
        for optimiser in made:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        if on_gpu:
            torch.cuda.synchronize(device)

    model.train()
    step()
    step()
    own = times({"step": step}, arguments)["step"]
    return own, torch.cuda.max_memory_allocated(device) / 2**30 if on_gpu else ""


def _batch(rows: int, window: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Random events and moments."""
    random = np.random.default_rng(0)
    ids = np.stack([random.integers(0, size, (rows, window)) for size in SIZES], axis=-1)
    assert ids.shape[-1] == len(FIELDS)
    features = random.integers(0, 24, (rows, window, len(COLUMNS)), dtype=np.int32)
    return torch.from_numpy(ids).to(device), torch.from_numpy(features).to(device)


def _peak(device: torch.device, dtype: torch.dtype, arguments: argparse.Namespace) -> float:
    """Operations a second that the device can do at best."""
    if arguments.peak:
        return float(arguments.peak) * 1e12
    if device.type == "cuda" and dtype is torch.bfloat16:
        name = torch.cuda.get_device_name(device)
        for part, peak in BF16_PEAKS.items():
            if part in name:
                return peak
    return _measured_peak(device, dtype, arguments)


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
    split = open_split(arguments.data, "train")
    weights = piece_weights(split, arguments.context)
    events = 50 * arguments.context

    def draw() -> None:
        step_batches(
            split, weights, seed=0, step=0, events=events, context=arguments.context,
            augmentation=Augmentation(),
        )  # fmt: skip

    return events / times({"": draw}, arguments)[""].best


def _name(dtype: torch.dtype) -> str:
    return {torch.float32: "fp32", torch.bfloat16: "bf16"}[dtype]


def _yes(value: bool) -> str:
    return "yes" if value else ""


if __name__ == "__main__":
    main()
