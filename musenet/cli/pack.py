"""`musenet pack`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from musenet.cli.options import Json, check_place
from musenet.cli.output import print_json, say
from musenet.errors import UserError


def pack(
    model: Annotated[
        Path,
        typer.Argument(metavar="RUN_OR_MODEL", help="The folder of a run, or a model."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.safetensors", help="The copy.")],
    json: Json = False,
) -> None:
    """Copy a model at a quarter of its size: matrices as int8, without the training's state."""
    from musenet.checkpoint import load_model, save_model

    if out.suffix != ".safetensors":
        raise UserError(f"--out {out}: give a name that ends in .safetensors")
    check_place(out.parent)
    network, facts = load_model(model)
    save_model(out, network, int8=True, facts=_portable(facts))
    size = out.stat().st_size
    if json:
        print_json({"model": str(out), "bytes": size})
    else:
        say(f"{out}: {size / 2**20:.1f} MiB")


def _portable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts that name corpus and first weights without the places where they stood."""
    config = dict(facts.get("config", {}))
    for name in ("data", "weights"):
        if config.get(name) is not None:
            config[name] = Path(config[name]).name
    return {**facts, "config": config} if config else dict(facts)
