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
    network grew between them, those with fewer layers grow first.
    """
    from musenet.checkpoint import load_model, save_model
    from musenet.training.averaging import mean_of
    from musenet.training.growing import deepened

    if out.suffix != ".safetensors":
        raise UserError(f"--out {out}: give a name that ends in .safetensors")
    check_place(out.parent)
    loaded = [load_model(model) for model in models]
    network, known = max(loaded, key=lambda pair: pair[0].config.layers)
    facts = _portable(known)
    if len(models) > 1:
        grown = [deepened(each, network.config.layers) for each, _ in loaded]
        network = grown[0]
        try:
            mean_of(grown)
        except ValueError as error:
            raise UserError("the models differ in size: their mean would be none") from error
        facts["mean_of"] = [model.name for model in models]
    save_model(out, network, int8=True, facts=facts)
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
