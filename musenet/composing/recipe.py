"""How a piece was made, as its MIDI file tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musenet import __version__, midi
from musenet.composing.own import check_hashes
from musenet.composing.prompt import Prompt
from musenet.composing.sampling import Sampling
from musenet.composing.sections import Section
from musenet.errors import UserError


@dataclass(frozen=True)
class Recipe:
    """All that makes a piece again, but for the weights and a given file.

    Attributes:
        prompt: what was asked for.
        sampling: how daring.
        seed: of the random numbers.
        candidates: how many were composed together.
        candidate: which of them it is.
        continues: whether it goes on with a given file.
        at: bar of that file from which it does, None for its end.
        given: `files.digest` of what it goes on with, None where the piece does not tell.
    """

    prompt: Prompt
    sampling: Sampling
    seed: int
    candidates: int
    candidate: int
    continues: bool
    at: int | None = None
    given: str | None = None


def recipe_of(piece: Path | str | bytes, model: str, surprise: str | None = None) -> Recipe:
    """The recipe in a MIDI file.

    Args:
        piece: the file.
        model: name of the weights that are at hand.
        surprise: name of what is known beside them of human music (`surprise.HumanSurprise`).

    Raises:
        UserError: there is none, or it needs other weights, another version, or a style of
            one's own that is not at hand.
    """
    told = midi.comment(piece)
    if told is None:
        raise UserError("the file does not tell how it was made: give one that musenet composed")
    try:
        found: Mapping[str, Any] = json.loads(told)
        if "bars" in found["prompt"]:
            raise UserError("it was arranged into a given piece: use 'musenet arrange' again")
        check_hashes(dict(found.get("own_styles", {})))
        recipe = Recipe(
            _prompt(found["prompt"]), Sampling(**found["sampling"]), int(found["seed"]),
            int(found["candidates"]), int(found["candidate"]), bool(found["continues"]),
            None if found["at"] is None else int(found["at"]), found.get("given"),
        )  # fmt: skip
        version, needed = str(found["version"]), str(found["model"])
        held_by = found.get("surprise")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError("the file tells nothing of how musenet made it") from error
    if needed != model:
        raise UserError(f"it was made with the model {needed}, not {model}: give that as --model")
    if version != __version__:
        raise UserError(f"it was made by musenet {version}, not {__version__}: install that")
    if held_by != surprise:
        raise UserError("it was held by another surprise.safetensors: put that beside the model")
    return recipe


def _prompt(told: Mapping[str, Any]) -> Prompt:
    """A prompt from JSON, whose lists are tuples again."""
    return Prompt(**{**_tuples(told), "sections": tuple(_section(s) for s in told["sections"])})


def _section(told: Mapping[str, Any]) -> Section:
    return Section(**_tuples(told))


def _tuples(told: Mapping[str, Any]) -> dict[str, Any]:
    """Styles and instruments as tuples."""
    styles, players = told["styles"], told["instruments"]
    return {
        **told,
        "styles": None if styles is None else tuple((str(n), float(w)) for n, w in styles),
        "instruments": None if players is None else tuple(players),
    }
