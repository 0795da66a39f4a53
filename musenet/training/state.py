"""The state of a run between two steps: all that resuming needs, in one atomic file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from musenet.checkpoint import FORMAT, read_meta, read_tensors, write_tensors
from musenet.errors import UserError
from musenet.model import Model
from musenet.training.averaging import Average

STATE_FILE = "state.safetensors"


@dataclass(frozen=True)
class TrainingState:
    """Where a run stands; the data of a step follow from the seed and `step` alone.

    Attributes:
        step: optimiser steps done.
        seconds: time spent training.
        events: events trained on.
        flops: model FLOPs spent.
        fresh: names of the tables that were new to the weights it began from.
    """

    step: int = 0
    seconds: float = 0.0
    events: int = 0
    flops: float = 0.0
    fresh: tuple[str, ...] = ()


def write_state(
    folder: Path,
    state: TrainingState,
    model: Model,
    optimisers: Sequence[Optimizer],
    average: Average | None = None,
) -> None:
    """Write weights, their average, optimisers and position into `folder / STATE_FILE`."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for number, optimiser in enumerate(optimisers):
        for index, values in optimiser.state_dict()["state"].items():
            for key, value in values.items():
                tensors[f"optimiser.{number}.{index}.{key}"] = torch.as_tensor(value)
    for name, tensor in average.values.items() if average else ():
        tensors[f"average.{name}"] = tensor
    write_tensors(folder / STATE_FILE, tensors, {"format": FORMAT, **asdict(state)})


def read_state(
    folder: Path, model: Model, optimisers: Sequence[Optimizer], average: Average | None = None
) -> TrainingState:
    """Put the weights, average and optimisers of `folder` in place and give the position.

    Raises:
        UserError: there is no state, or it does not fit the model.
    """
    if not (folder / STATE_FILE).is_file():
        raise UserError(f"no run to resume in {folder}: start one, or give the folder of one")
    tensors, meta = read_tensors(folder / STATE_FILE)
    try:
        model.load_state_dict(_named(tensors, "model."))
        if average:
            average.load(_named(tensors, "average."))
        for number, optimiser in enumerate(optimisers):
            values = _values(tensors, f"optimiser.{number}.")
            _check_fit(values, optimiser, started=meta["step"] > 0)
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict({"state": values, "param_groups": groups})
        return _state(meta)
    except (RuntimeError, ValueError, KeyError) as error:
        message = f"{folder} holds a run with other settings: resume it with its own"
        raise UserError(message) from error


def fresh_tables(folder: Path) -> tuple[str, ...]:
    """Names of the tables that were new to the weights that a begun run began from.

    Raises:
        UserError: there is no state, or it is damaged.
    """
    return _state(read_meta(folder / STATE_FILE)).fresh


def _state(meta: dict[str, Any]) -> TrainingState:
    known = {key: meta[key] for key in asdict(TrainingState()) if key in meta}
    return TrainingState(**{**known, "fresh": tuple(known.get("fresh", ()))})


def _check_fit(
    values: dict[int, dict[str, Tensor]], optimiser: Optimizer, *, started: bool
) -> None:
    """Raise ValueError where the values are not those of this optimiser's parameters."""
    shapes = [parameter.shape for group in optimiser.param_groups for parameter in group["params"]]
    if set(values) != (set(range(len(shapes))) if started else set()):
        raise ValueError("other parameters")
    for index, named in values.items():
        if any(value.ndim and value.shape != shapes[index] for value in named.values()):
            raise ValueError("other shapes")


def _named(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, by the rest of their names."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _values(tensors: dict[str, Tensor], prefix: str) -> dict[int, dict[str, Any]]:
    values: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            index, key = name.removeprefix(prefix).split(".", 1)
            values.setdefault(int(index), {})[key] = tensor
    return values
