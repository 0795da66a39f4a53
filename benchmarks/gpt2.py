"""Hugging Face `generate` on a GPT-2 as large as a model of ours, with MuseNet's tokens.

The weights are random: speed does not depend on what they have learned. Positions are 4,096,
as MuseNet had; where a piece is longer, its last tokens are what is kept.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from musenet.openai_encoding import VOCABULARY

POSITIONS = 4096


class Generator(Protocol):
    """What is asked of a model of `transformers`."""

    def num_parameters(self) -> int:
        """How many it has."""

    def generate(self, tokens: Tensor, **how: object) -> Tensor:
        """Tokens with more behind them."""


def gpt2(parameters: int, width: int) -> Generator | None:
    """A GPT-2 of about so many parameters and of that width, or None without `transformers`."""
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    try:
        with warnings.catch_warnings(action="ignore"):
            from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        return None
    layers = max(1, round((parameters - (VOCABULARY + POSITIONS) * width) / (12 * width**2)))
    config = GPT2Config(
        vocab_size=VOCABULARY, n_positions=POSITIONS, n_embd=width, n_layer=layers,
        n_head=max(1, width // 64), bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    made: Generator = GPT2LMHeadModel(config).eval()
    return made


def generate(
    network: Generator, tokens: list[int], candidates: int, new: int
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Two pieces of work: reading tokens and generating one, and generating `new` more."""
    kept = torch.tensor([(tokens or [0])[-(POSITIONS - new - 1) :]]).expand(candidates, -1)

    def work(count: int) -> Callable[[], object]:
        return lambda: network.generate(
            kept, attention_mask=torch.ones_like(kept), do_sample=True, top_p=0.98,
            max_new_tokens=count, min_new_tokens=count, pad_token_id=0,
        )  # fmt: skip

    return work(1), work(1 + new)
