"""Checkpoints: safetensors with JSON in their header, written atomically, never pickled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from musenet.errors import UserError
from musenet.files import digest, write_atomically
from musenet.instruments import INSTRUMENTS
from musenet.model import TABLES, Model
from musenet.presets import ModelConfig
from musenet.styles import STYLES

FORMAT = 1
_SCALE = ".scale"


def write_tensors(path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any]) -> None:
    """Write tensors and JSON-able facts into one safetensors file."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomically(path, to_bytes(contiguous, {"musenet": json.dumps(meta, sort_keys=True)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts of a file made by `write_tensors`.

    Raises:
        UserError: the file is missing, damaged or not ours.
    """
    with _opened(path) as (file, meta):
        return {name: file.get_tensor(name) for name in file.keys()}, meta  # noqa: SIM118


def read_meta(path: Path) -> dict[str, Any]:
    """Facts alone of a file made by `write_tensors`.

    Raises:
        UserError: as `read_tensors`.
    """
    with _opened(path) as (_, meta):
        return meta


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    if not path.is_file():
        raise UserError(f"no model at {path}: give a .safetensors file or a run's folder")
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads((file.metadata() or {})["musenet"])
            if not isinstance(meta, dict) or meta.get("format") != FORMAT:
                raise UserError(f"{path} was written by another version of musenet: train it anew")
            yield file, meta
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise UserError(f"{path} is damaged or no musenet model: fetch or train it anew") from error


def to_int8(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Matrices as int8 with a scale a row (a quarter of the size); other tensors unchanged."""
    packed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.ndim != 2:
            packed[name] = tensor
            continue
        scale = tensor.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / 127.0
        packed[name] = (tensor / scale).round().to(torch.int8)
        packed[name + _SCALE] = scale
    return packed


def from_int8(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The fp32 tensors that `to_int8` packed."""
    return {
        name: tensor.float() * packed[name + _SCALE] if name + _SCALE in packed else tensor
        for name, tensor in packed.items()
        if not name.endswith(_SCALE)
    }


def save_model(
    path: Path, model: Model, *, int8: bool = False, facts: Mapping[str, Any] | None = None
) -> None:
    """Write a model with its dimensions, its instruments and styles, and facts of its making."""
    tensors = dict(model.state_dict())
    meta = {
        "format": FORMAT,
        "model": asdict(model.config),
        "instruments": [instrument.name for instrument in INSTRUMENTS],
        "styles": [style.name for style in STYLES],
        "facts": dict(facts or {}),
    }
    write_tensors(path, to_int8(tensors) if int8 else tensors, meta)


def load_model(
    path: Path, *, dtype: torch.dtype = torch.float32, device: str = "cpu"
) -> tuple[Model, dict[str, Any]]:
    """A model ready to evaluate, and the facts stored with it.

    Args:
        path: a file of `save_model`, or the folder of a training run.
        dtype: precision of the activations.
        device: where the weights go.

    Raises:
        UserError: missing or damaged, or made for other instruments or styles.
    """
    file = path / "model.safetensors" if path.is_dir() else path
    packed, meta = read_tensors(file)
    _check_names(file, meta)
    try:
        model = Model(ModelConfig(**meta["model"]), dtype)
        model.load_state_dict(_with_new_features(from_int8(packed), model))
        facts = dict(meta["facts"])
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{file} does not fit this version of musenet: train it anew") from error
    return model.to(device).eval(), facts


def _with_new_features(tensors: dict[str, Tensor], model: Model) -> dict[str, Tensor]:
    """Features that came after a model was trained mean nothing to it: their tables are zero."""
    missing = {
        name: torch.zeros_like(tensor)
        for name, tensor in model.state_dict().items()
        if TABLES in name and name not in tensors
    }
    return {**tensors, **missing}


def _check_names(file: Path, meta: Mapping[str, Any]) -> None:
    """Ids are places in tables that only grow: what the model knew must still stand there."""
    for kind, known in (("instruments", INSTRUMENTS), ("styles", STYLES)):
        names = [item.name for item in known]
        theirs = meta.get(kind)
        if not isinstance(theirs, list) or theirs != names[: len(theirs)]:
            raise UserError(f"{file} was made with other {kind}: train it anew")


def beside(path: Path, name: str, file: str) -> Path | None:
    """A file that stands beside a model and was made for these weights, or None.

    Args:
        path: the model's file, or the folder of its run.
        name: fingerprint of its weights, which such a file has as "model".
        file: its name.

    Raises:
        UserError: it is damaged.
    """
    found = (path if path.is_dir() else path.parent) / file
    return found if found.is_file() and read_meta(found).get("model") == name else None


def fingerprint(path: Path) -> str:
    """The first 16 hex digits of the SHA-256 of a model file."""
    file = path / "model.safetensors" if path.is_dir() else path
    return digest(file.read_bytes())
