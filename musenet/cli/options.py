"""Options that several commands share, and the checks of their values."""

from __future__ import annotations

import math
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from musenet.errors import UserError


class Device(StrEnum):
    """Where a network runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def positive(value: float | None) -> float | None:
    """A number that is finite and more than 0, or None.

    Raises:
        typer.BadParameter: it is not.
    """
    if value is not None and not 0 < value < math.inf:
        raise typer.BadParameter(f"{value:g} is not a number above 0")
    return value


Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model", metavar="PATH", show_default="the bundled one",
        help="A .safetensors model or the folder of a training run.",
    ),
]  # fmt: skip
On = Annotated[
    Device,
    typer.Option("--device", metavar="auto|cpu|cuda", help="Where the network runs; "
                 "auto takes a GPU where there is one."),
]  # fmt: skip
Corpus = Annotated[
    Path, typer.Option("--data", metavar="CORPUS", exists=True, file_okay=False,
                       help="The corpus that the model learnt from.")
]  # fmt: skip
SoundFont = Annotated[
    Path | None,
    typer.Option(
        "--soundfont", metavar="FILE.sf2", exists=True, dir_okay=False,
        show_default="the one that comes with the installation",
        help="SoundFont that audio is made with.",
    ),
]  # fmt: skip


def torch_device(device: Device) -> str:
    """The name of the device that is meant, as torch calls it.

    Raises:
        UserError: CUDA is asked for and not to be had.
    """
    import torch

    available = torch.cuda.is_available()
    if device is Device.CUDA and not available:
        raise UserError("no CUDA GPU can be used here: leave --device out, or give cpu")
    return "cuda" if available and device is not Device.CPU else "cpu"


def check_place(folder: Path) -> None:
    """Check before the work that a folder can be written to, or made.

    Raises:
        UserError: it cannot.
    """
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise UserError(f"cannot write into {folder}: {nearest} is a file; choose another folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UserError(f"cannot write into {folder}: no permission; choose another folder")


def check_weights(out: Path) -> None:
    """Check before the work that weights can be written to a file.

    Raises:
        UserError: its name does not end in .safetensors, or its folder cannot be written to.
    """
    if out.suffix != ".safetensors":
        raise UserError(f"--out {out}: give a name that ends in .safetensors")
    check_place(out.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        UserError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {folder}: {error.strerror}; choose another") from error
