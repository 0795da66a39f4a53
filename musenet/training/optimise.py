"""Optimisers and the learning-rate schedule."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import AdamW, Optimizer

from musenet.model import Model, MomentEmbedding
from musenet.training.muon import Muon
from musenet.training.workers import Workers

OptimiserName = Literal["muon", "adamw"]
FRESH_SCALE = 6.0
"""How much faster tables learn that are new to weights that training goes on from."""
_MATRICES = ("previous.", "blocks.", "heads.links.")
"""What the names of the matrices that Muon takes begin with."""
TABLE_SCALE = 2.0
"""How much faster tables and output matrices learn under AdamW than matrices under Muon."""


def optimisers(
    model: Model,
    name: OptimiserName,
    learning_rate: float,
    weight_decay: float,
    fresh: Collection[str] = (),
    workers: Workers | None = None,
) -> list[Optimizer]:
    """Muon for the matrices of the blocks and AdamW for the rest, or AdamW for all.

    Muon: Jordan et al., 2024, with the update scaled to AdamW's (Liu et al., 2025), so that
    one learning rate serves both but for `TABLE_SCALE`.

    Args:
        model: what learns.
        name: which optimisers.
        learning_rate: at its peak.
        weight_decay: of matrices under Muon.
        fresh: names of the parameters that learn `FRESH_SCALE` times as fast, under AdamW.
        workers: processes that share Muon's work.
    """
    idle = _idle(model)
    learning = {own: weight for own, weight in model.named_parameters() if own not in idle}
    fast = [parameter for own, parameter in learning.items() if own in fresh]
    matrices = [
        parameter
        for own, parameter in learning.items()
        if own.startswith(_MATRICES) and parameter.ndim == 2 and own not in fresh
    ]
    if name == "adamw":
        matrices = []
    chosen = {id(parameter) for parameter in (*matrices, *fast)}
    rest = [parameter for parameter in learning.values() if id(parameter) not in chosen]
    scale = TABLE_SCALE if matrices else 1.0
    groups: list[dict[str, Any]] = [{"params": rest, "scale": scale}]
    if fast:
        groups.append({"params": fast, "scale": scale * FRESH_SCALE})
    made: list[Optimizer] = [
        AdamW(
            groups,
            lr=learning_rate,
            betas=(0.9, 0.95),
            eps=1e-8,
            weight_decay=0.0,
            fused=model.device.type == "cuda",
        )
    ]
    if matrices:
        made.append(Muon(matrices, learning_rate, weight_decay=weight_decay, workers=workers))
    return made


def _idle(model: Model) -> set[str]:
    """Names of the tables of features that the network is blind to.

    They never get a gradient, and what an optimiser keeps of them would not be there to resume.
    """
    return {
        f"{name}.tables.{column - 1}.weight"
        for name, module in model.named_modules()
        if isinstance(module, MomentEmbedding)
        for column in range(1, len(module.tables) + 1)
        if column not in module.seen
    }


def default_optimiser(device: torch.device) -> OptimiserName:
    """Muon where bf16 is fast, since its orthogonalisation runs in bf16; else AdamW."""
    return "muon" if default_dtype(device) is torch.bfloat16 else "adamw"


def default_dtype(device: torch.device) -> torch.dtype:
    """bf16 where the hardware multiplies it, else fp32."""
    if device.type == "cuda":
        return torch.bfloat16
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32


def trapezoid(progress: float, *, warm_up: float = 0.02, cool_down: float = 0.4) -> float:
    """The share of the peak learning rate at a progress of 0 to 1: up, level, linearly down."""
    return max(0.0, min(1.0, progress / warm_up, (1.0 - progress) / cool_down))


def set_learning_rate(made: list[Optimizer], learning_rate: float) -> None:
    """Give every parameter group this learning rate."""
    for optimiser in made:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate * group.get("scale", 1.0)


def clip(model: nn.Module, largest: float = 1.0) -> torch.Tensor:
    """Scale gradients so that their norm is at most `largest`; the norm before, not waited for."""
    return torch.nn.utils.clip_grad_norm_(model.parameters(), largest)
