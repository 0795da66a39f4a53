"""Styles of one's own that have learnt nothing, but change all that a model does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from composers import random_model

from musenet.adapters import Adapter, save_adapter
from musenet.training.lowrank import LowRank, factors, with_low_rank


def make(path: Path, *, seed: int = 0, base: str = "random", **facts: Any) -> Path:
    """A style that changes all matrices a lot."""
    changing = with_low_rank(random_model(), 2, seed)
    with torch.no_grad():
        for module in changing.modules():
            if isinstance(module, LowRank):
                module.up.normal_(std=0.5)
    told = {"kind": 3, "ensembles": [[["flute", "harp"], 5]], **facts}
    embedding = torch.randn(changing.config.width)
    save_adapter(path, Adapter(path.stem, base, embedding, factors(changing), told))
    return path
