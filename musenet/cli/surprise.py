"""`musenet evaluate surprise`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from musenet.cli.options import Corpus, Device, Json, Model, On, check_weights, torch_device
from musenet.cli.output import bar, print_facts, print_json
from musenet.errors import UserError


def surprise(
    data: Corpus,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE.safetensors",
                           help="What is found: composing uses it where it stands beside the "
                           "model as surprise.safetensors.")
    ],
    each: Annotated[
        int, typer.Option("--pieces", metavar="NUMBER", min=1, help="Pieces of each style.")
    ] = 12,
    model: Model = None,
    device: On = Device.AUTO,
    json: Json = False,
) -> None:  # fmt: skip
    """How surprising human music is to a model, by style and ensemble.

    Composing holds what it writes about as surprising.
    """
    import numpy as np
    import torch

    from musenet.checkpoint import fingerprint, load_model
    from musenet.composing.composer import bundled_model
    from musenet.composing.surprise import save_surprise
    from musenet.corpus.shards import open_split
    from musenet.evaluation.surprise import human_surprise, pieces_of_all_styles
    from musenet.training.optimise import default_dtype

    check_weights(out)
    path, place = model or bundled_model(), torch_device(device)
    network, _ = load_model(path, dtype=default_dtype(torch.device(place)), device=place)
    split = open_split(data, "train")
    pieces = pieces_of_all_styles(split, each)
    if not pieces:
        raise UserError(f"{data} has no pieces long enough: build a larger corpus")
    with bar("reading") as shown:
        found = human_surprise(network, split, shown.track(pieces))
    save_surprise(out, found, fingerprint(path))
    shares = {"lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75}
    bits = {name: round(float(np.quantile(found.bits, at)), 2) for name, at in shares.items()}
    facts = {"surprise": str(out), "pieces": len(pieces), "bits_an_event": bits}
    if json:
        print_json(facts)
    else:
        print_facts(facts)
