"""`musenet pack`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from musenet.cli.options import Json, check_place
from musenet.cli.output import print_json, say
from musenet.errors import UserError

if TYPE_CHECKING:
    from musenet.presets import ModelConfig


def pack(
    models: Annotated[
        list[Path],
        typer.Argument(metavar="RUN_OR_MODEL...", help="The folder of a run, or a model; of "
                       "several the mean, where one that is named twice counts twice."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.safetensors", help="The copy.")],
    json: Json = False,
) -> None:  # fmt: skip
    """Copy a model at a quarter of its size: matrices as int8, without the training's state.

    The mean of the weights of stretches of one training, each from the end of the one before, is
    often better than the last (Wortsman et al., 2022, https://arxiv.org/abs/2203.05482). Where the
    network grew between them, those with fewer layers, or without musical time, grow first.
    """
    from musenet.checkpoint import load_model, save_model
    from musenet.training.averaging import mean_of
    from musenet.training.growing import grown

    if out.suffix != ".safetensors":
        raise UserError(f"--out {out}: give a name that ends in .safetensors")
    check_place(out.parent)
    loaded = [load_model(model) for model in models]
    network, known = max(loaded, key=lambda pair: _size(pair[0].config))
    facts = _portable(known)
    if len(models) > 1:
        try:
            alike = [grown(each, network) for each, _ in loaded]
            mean_of(alike)
        except (RuntimeError, ValueError) as error:
            raise UserError("the models differ in size: their mean would be none") from error
        network = alike[0]
        facts["mean_of"] = [model.name for model in models]
    save_model(out, network, int8=True, facts=facts)
    size = out.stat().st_size
    if json:
        print_json({"model": str(out), "bytes": size})
    else:
        say(f"{out}: {size / 2**20:.1f} MiB")


def _size(config: ModelConfig) -> tuple[int, bool, int]:
    return config.layers, config.musical_time, config.copies


def _portable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts that name corpus and first weights without the places where they stood."""
    config = dict(facts.get("config", {}))
    for name in ("data", "weights"):
        if config.get(name) is not None:
            config[name] = Path(config[name]).name
    return {**facts, "config": config} if config else dict(facts)
