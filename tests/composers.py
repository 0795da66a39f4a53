"""Models that have learned nothing: what holds for their music holds for any model's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from musenet.composing.composer import Composer
from musenet.composing.decoding import Decoder, generators
from musenet.composing.drawing import choose_instruments, choose_key
from musenet.composing.network import network_of
from musenet.composing.prompt import (
    Prompt,
    condition_of,
    opening_of,
    wishes_of,
)
from musenet.composing.sampling import Sampling
from musenet.composing.surprise import HumanSurprise
from musenet.model import Model
from musenet.presets import ModelConfig, tiny

NOTHING: Mapping[int, int] = {}


def random_model(
    seed: int = 0, *, longing: Mapping[int, int] = NOTHING, config: ModelConfig | None = None
) -> Model:
    """A tiny model with random values where training starts at zero.

    Args:
        seed: of the values.
        longing: for some fields the value that it wants above all.
        config: other dimensions.
    """
    torch.manual_seed(seed)
    model = Model(config or tiny())
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.2)
    with torch.no_grad():
        for field, value in longing.items():
            model.heads.frequent[field][value] += 12.0
    return model.eval()


def random_composer(seed: int = 0, *, context: int = 64, **facts: Any) -> Composer:
    return Composer(random_model(seed), facts, "random", context)


def decoder_for(
    prompt: Prompt, model: Model | None = None, *, candidates: int = 1, seed: int = 0,
    context: int = 48, how: Sampling | None = None, calm: float = 1.0,
    human: HumanSurprise | None = None, **facts: Any,
) -> Decoder:  # fmt: skip
    """The decoder for a prompt without a given file, with what a model is told of its training."""
    random = np.random.default_rng(seed)
    players = choose_instruments(prompt, None, facts, random)
    opening = opening_of(prompt, None, players)
    key = choose_key(prompt, None, facts, random)
    return Decoder(
        network_of(model or random_model(seed)), condition_of(prompt.styles, players, key, facts),
        wishes_of(prompt, players, opening, facts), how or Sampling(), opening=opening.table,
        earliest=opening.earliest, context=context,
        random=generators(seed, range(candidates)), calm=calm, human=human,
    )  # fmt: skip
