"""Dimensions of the network, and the presets that have a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

SPANS = (8, 12, 24, 36, 48, 72, 96, 144, 192, 288, 384, 576, 768, 1152, 1536, 2304)
"""Ticks in which each pair of a head turns once: parts of a beat, beats, bars and phrases."""
TIME_WIDTH = 2 * len(SPANS)
"""Size of the part of a head that turns with musical time."""


@dataclass(frozen=True)
class ModelConfig:
    """Dimensions of the network.

    Attributes:
        layers: Transformer blocks.
        width: size of the residual stream.
        heads: query heads.
        kv_heads: key-value heads, a divisor of `heads`.
        head_width: size of a head.
        context: positions that the model was made for, prompt included.
        positions: rotary, or learned as published for MuseNet.
        activation: of the feed-forward layers, four times as wide as the stream.
        recompute: whether training recomputes activations to save memory.
        qk_norm: whether queries and keys are normalised (Henry et al., 2020).
        token_shift: whether each row gets a matrix of the row before it (Peng et al., 2023).
        musical_time: whether queries and keys also have rotary positions in beats (`positions`).
        value_embeddings: whether each layer's values get a matrix of the embedded row, after
            the value residual (Zhou et al., 2024).
        copies: of how many pointers fields may be foretold as copies (`copying.POINTERS`).
        blind: features (`echoes.ROW_COLUMNS`) that the network does not see, for ablations.
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    head_width: int = 64
    context: int = 4096
    positions: Literal["rotary", "learned"] = "rotary"
    activation: Literal["relu2", "gelu"] = "relu2"
    recompute: bool = False
    qk_norm: bool = True
    token_shift: bool = True
    musical_time: bool = False
    copies: int = 0
    value_embeddings: bool = False
    blind: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Take lists, as JSON has them, for tuples.

        Raises:
            ValueError: musical time beside learned positions.
        """
        if self.musical_time and self.positions != "rotary":
            raise ValueError("musical time goes with rotary positions")
        object.__setattr__(self, "blind", tuple(self.blind))

    @property
    def key_width(self) -> int:
        """Size of the queries and keys of a head."""
        return self.head_width + (TIME_WIDTH if self.musical_time else 0)


def tiny() -> ModelConfig:
    """For tests: trains on a CPU in seconds."""
    return ModelConfig(
        layers=2, width=64, heads=2, kv_heads=1, head_width=32, context=512,
        musical_time=True, copies=3,
    )  # fmt: skip


def mini() -> ModelConfig:
    """About 12 M parameters: what a CPU trains in two hours."""
    return ModelConfig(
        layers=6, width=384, heads=4, kv_heads=2, context=2048, musical_time=True, copies=3
    )


def small() -> ModelConfig:
    """About 30 M parameters: composes faster than real time on one CPU core."""
    return ModelConfig(layers=9, width=512, heads=8, kv_heads=2, musical_time=True, copies=3)


def base() -> ModelConfig:
    """About 150 M parameters, for a GPU."""
    return ModelConfig(layers=16, width=832, heads=13, kv_heads=13, musical_time=True, copies=3)


def musenet() -> ModelConfig:
    """As published: 72 layers, 24 heads, full attention over 4,096 positions."""
    return ModelConfig(
        layers=72,
        width=1536,
        heads=24,
        kv_heads=24,
        positions="learned",
        activation="gelu",
        recompute=True,
    )


PRESETS: dict[str, Callable[[], ModelConfig]] = {
    "tiny": tiny,
    "mini": mini,
    "small": small,
    "base": base,
    "musenet": musenet,
}
