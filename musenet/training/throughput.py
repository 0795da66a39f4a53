"""What a step costs: floating-point operations, and their share of what the device can do.

Model FLOPs of training on one event, with P the elements of all matrices that an event is
multiplied by (embedding tables are looked up and do not count), L layers, N heads of width H (the
mean of that of queries and that of values) and a window of T events, of which causal attention sees
half in the mean:

    6 P + 6 L N H T        (forward 2 P + 2 L N H T; backward twice that)

as in PaLM (Chowdhery et al., 2022, appendix B) but for the half of attention that is masked.
Padding and recomputation are work that is not counted. MFU is the rate over the device's peak.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from musenet.model import Model

FORMULA = "6 P + 6 L N H T"
PEAKS = {
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H200": 989e12,
    "A100": 312e12,
}
"""Dense bf16 operations a second that the maker states, by part of the device's name."""


@dataclass(frozen=True)
class Cost:
    """Model FLOPs of training.

    Attributes:
        event: of each event, whatever its window.
        pair: of each event for each event of its window.
    """

    event: float
    pair: float

    def of(self, lengths: Iterable[NDArray[np.int64]]) -> float:
        """FLOPs of windows of so many events."""
        return sum(
            float(self.event * own.sum() + self.pair * np.square(own.astype(np.float64)).sum())
            for own in lengths
        )


def cost(model: Model) -> Cost:
    """What a model costs, see the head of this module."""
    config = model.config
    matrices = sum(m.weight.numel() for m in model.modules() if isinstance(m, nn.Linear))
    width = (config.key_width + config.head_width) / 2
    return Cost(6.0 * matrices, 6.0 * config.layers * config.heads * width)


def peak(device: torch.device) -> float | None:
    """Operations a second in bf16 that the maker states, None where it is not known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((own for part, own in PEAKS.items() if part in name), None)


def rates(flops: float, events: int, seconds: float, best: float | None) -> dict[str, float]:
    """Events and TFLOPs a second, and where the device's peak is known `mfu`."""
    speed = {"events_per_second": events / seconds, "tflops": flops / seconds / 1e12}
    return speed if best is None else {**speed, "mfu": flops / seconds / best}


def told(facts: dict[str, float]) -> str:
    """What `rates` gave, to be read."""
    line = f"{facts['events_per_second']:,.0f} events/s  {facts['tflops']:.3g} TFLOP/s"
    return f"{line}  MFU {facts['mfu']:.1%}" if "mfu" in facts else line
