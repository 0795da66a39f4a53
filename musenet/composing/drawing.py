"""What a prompt leaves open is drawn from the training pieces of its styles: players and metre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musenet.composing.prompt import NONE_OWN, Prompt, metre_place
from musenet.instruments import instrument_id
from musenet.quantise import METRES
from musenet.score import Score
from musenet.styles import STYLES, style_id

_UNHEARD = 0.02
"""Pieces that are added to those of each metre, so that no style rules one out."""


def choose_instruments(
    prompt: Prompt, given: Score | None, facts: Mapping[str, Any], random: np.random.Generator
) -> tuple[int, ...]:
    """The instruments that may play.

    Those asked for, and those of a given opening; else an ensemble drawn from those that the
    training pieces of the style are written for, as often as they stand there.
    """
    asked = {instrument_id(name) for name in prompt.instruments}
    if given is not None:
        return tuple(sorted(asked | set(given.instruments)))
    if asked:
        return tuple(sorted(asked))
    ensembles: dict[str, list[tuple[list[str], int]]] = facts.get("ensembles", {})
    counts: dict[tuple[str, ...], float] = {}
    for name, weight in prompt.styles or (("", 1.0),):
        known = ensembles.get(_known_name(name, facts) if name else "", [])
        total = sum(count for _, count in known) or 1
        for names, count in known:
            counts[tuple(names)] = counts.get(tuple(names), 0.0) + weight * count / total
    if not counts:
        return (instrument_id("piano"),)
    choices = sorted(counts)
    chances = np.array([counts[choice] for choice in choices])
    chosen = choices[int(random.choice(len(choices), p=chances / chances.sum()))]
    return tuple(sorted(instrument_id(name) for name in chosen))


def choose_metre(
    prompt: Prompt, given: Score | None, facts: Mapping[str, Any], random: np.random.Generator
) -> int | None:
    """The place in `METRES` in which a piece begins if nothing else says so, or None.

    Drawn as often as the training pieces of the style begin in each; of several styles from
    the weighted geometric mean, so that a jazz waltz is in 3/4.
    """
    if given is not None or prompt.metre_asked is not None:
        return None
    known: Mapping[str, Mapping[str, int]] = facts.get("metres", {})
    told = [(weight, known.get(_known_name(name, facts))) for name, weight in prompt.styles]
    shares = [(weight, _shares(counts)) for weight, counts in told if counts]
    if not shares:
        return None
    weights, each = zip(*shares, strict=True)
    chances = np.exp(np.average(np.log(each), axis=0, weights=weights))
    return int(random.choice(len(METRES), p=chances / chances.sum()))


def _shares(counts: Mapping[str, int]) -> NDArray[np.float64]:
    """Share of the pieces that begin in each of `METRES`."""
    pieces = np.full(len(METRES), _UNHEARD)
    for metre, count in counts.items():
        pieces[metre_place(metre)] += count
    result: NDArray[np.float64] = pieces / pieces.sum()
    return result


def _known_name(name: str, facts: Mapping[str, Any]) -> str:
    """The name under which facts know a style; one's own has that which it was given."""
    return name if name in facts.get("own_places", NONE_OWN) else STYLES[style_id(name)].name
