"""Held-out pieces: prompts after them, and human music to set beside what is composed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from common import parser

from musenet.composing.composer import Composer
from musenet.composing.prompt import condition_of as prompt_condition
from musenet.composing.sampling import Sampling
from musenet.condition import KEYS, Condition
from musenet.corpus.shards import Split
from musenet.errors import UserError
from musenet.evaluation.continuations import condition_of
from musenet.events import Table, decode, encode
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.score import Score, crop, ticks_at
from musenet.styles import STYLES, style_id


def options(
    description: str | None, *, prompts: int, candidates: int, seconds: float
) -> argparse.ArgumentParser:
    """A parser for a benchmark that composes to the prompts of held-out pieces.

    Args:
        description: of the benchmark.
        prompts: how many by default.
        candidates: of each prompt by default.
        seconds: of each piece by default.
    """
    made = parser(description)
    made.add_argument("data", type=Path, help="a corpus")
    made.add_argument("--model", type=Path, help="default: the model that comes with musenet")
    made.add_argument("--split", default="test", help="held-out pieces (default test)")
    for name, default, of in (
        ("prompts", prompts, "how many"), ("candidates", candidates, "of each prompt"),
        ("seconds", seconds, "of each piece"), ("seed", 0, "of prompts and music"),
    ):  # fmt: skip
        made.add_argument(f"--{name}", type=type(default), default=default,
                          help=f"{of} (default {default:g})")  # fmt: skip
    return made


def prompts(split: Split, count: int, seed: int) -> list[dict[str, Any]]:
    """Styles and instruments of random held-out pieces, none of more than 16 instruments."""
    found: list[dict[str, Any]] = []
    for piece in shuffled(split, seed):
        players = np.unique(split.table(piece)[:, 1])
        names = [INSTRUMENTS[player].name for player in players[players <= DRUMS]]
        styles = [STYLES[style].name for style in split.pieces["styles"][piece] if style >= 0]
        if styles and names != ["drums"] and len(names) <= 16:
            found.append({"styles": styles[-1:], "instruments": names})
        if len(found) == count:
            break
    return found


def of_style(split: Split, style: str, count: int, seed: int, shortest: float = 0.0) -> list[int]:
    """The places of random pieces of a style that last at least so many seconds.

    Raises:
        UserError: there is no such style, or no such piece.
    """
    own, pieces = style_id(style), split.pieces
    fit = (pieces["styles"] == own).any(axis=1) & (pieces["seconds"] >= shortest)
    if not fit.any():
        raise UserError(f"none of these held-out pieces is {style}: name another style or --split")
    return list(islice((piece for piece in shuffled(split, seed) if fit[piece]), count))


def composed(
    composer: Composer, split: Split, piece: int, style: str, seconds: float, seed: int,
    temperature: float = Sampling.temperature,
) -> Score:  # fmt: skip
    """A piece in a style for the instruments of a held-out one, without guidance."""
    names = [INSTRUMENTS[player].name for player in condition_of(split, piece).instruments]
    return composer.compose(
        styles=style, instruments=names, minutes=seconds / 60.0, temperature=temperature,
        guidance=1.0, seed=seed,
    )[0].score  # fmt: skip


def told_of(composer: Composer, split: Split, piece: int, style: str) -> Condition:
    """What the network is told of a piece that is `composed`, but for its key."""
    players = condition_of(split, piece).instruments
    return prompt_condition([(style, 1.0)], players, KEYS, composer.facts)


def shuffled(split: Split, seed: int = 0) -> Iterator[int]:
    """The places of all pieces in random order."""
    yield from np.random.default_rng(seed).permutation(len(split)).tolist()


def beginning(table: Table, seconds: float) -> Table:
    """The first seconds of a piece, all of a shorter one."""
    score = decode(table)
    if score.seconds <= seconds:
        return table
    return encode(crop(score, 0, int(ticks_at(score, [seconds])[0])))
