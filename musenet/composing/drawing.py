"""What a prompt leaves open is drawn from the training pieces: players, metre, tempo and key."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musenet.chords import parse_key
from musenet.composing.prompt import NONE_OWN, Prompt, metre_place
from musenet.instruments import instrument_id
from musenet.key import KEYS, NO_KEY, key_of
from musenet.quantise import METRES, TEMPI, tempo_step
from musenet.score import Score
from musenet.styles import STYLES, style_id

_UNHEARD = 0.01
"""Pieces that are added to those of each metre and tempo, so that no style rules one out."""


def choose_instruments(
    prompt: Prompt, given: Score | None, facts: Mapping[str, Any], random: np.random.Generator
) -> tuple[int, ...]:
    """The instruments that may play.

    Those asked for, and those of a given opening; else an ensemble drawn from those that the
    training pieces of the style are written for, as often as they stand there, and of several
    styles that do not share theirs the players of both.
    """
    asked = {instrument_id(name) for name in prompt.instruments}
    if given is not None:
        return tuple(sorted(asked | set(given.instruments)))
    if asked:
        return tuple(sorted(asked))
    known = _ensembles(prompt, facts)
    if not known:
        return (instrument_id("piano"),)
    return tuple(sorted(instrument_id(name) for name in _players(known, random)))


_Ensemble = frozenset[str]


def _ensembles(
    prompt: Prompt, facts: Mapping[str, Any]
) -> list[tuple[float, dict[_Ensemble, float]]]:
    """The weight of each style told, and how likely each ensemble is in it."""
    every: Mapping[str, list[tuple[list[str], int]]] = facts.get("ensembles", {})
    told = _told(prompt, facts)
    listed = [(weight, every[name]) for name, weight in told if every.get(name)]
    return [
        (weight, {
            frozenset(names): count / sum(count for _, count in pieces) for names, count in pieces
        })
        for weight, pieces in listed
    ]  # fmt: skip


def _players(
    known: list[tuple[float, dict[_Ensemble, float]]], random: np.random.Generator
) -> _Ensemble:
    """An ensemble that all styles have, else the players of one of each.

    One that all have is as likely as the geometric mean of the styles says; what is missing to 1,
    which is much where styles have little in common, goes to the players of one of each together.
    """
    total = sum(weight for weight, _ in known)
    common = {
        ensemble: math.prod(
            chances.get(ensemble, 0.0) ** (weight / total) for weight, chances in known
        )
        for ensemble in known[0][1]
    }
    if random.random() < sum(common.values()):
        return _one_of(common, random)
    return frozenset().union(*(_one_of(chances, random) for _, chances in known))


def _one_of(chances: Mapping[_Ensemble, float], random: np.random.Generator) -> _Ensemble:
    choices = sorted(chances, key=sorted)
    weights = np.array([chances[choice] for choice in choices])
    return choices[int(random.choice(len(choices), p=weights / weights.sum()))]


def choose_beginning(
    prompt: Prompt, given: Score | None, facts: Mapping[str, Any], random: np.random.Generator
) -> tuple[int | None, int | None]:
    """The places in `METRES` and `TEMPI` at which new music begins; None leaves it to the model.

    What is not asked for is drawn as often as the training pieces of the style begin so; of
    several styles from the weighted geometric mean, so that a jazz waltz is in 3/4.
    """
    if given is not None:
        return None, None
    if prompt.metre_asked is not None:
        metre: int | None = metre_place(prompt.metre_asked)
    else:
        metre = _drawn(prompt, facts, "metres", len(METRES), metre_place, random)
    if prompt.tempo is not None:
        return metre, int(tempo_step(prompt.tempo))
    return metre, _drawn(prompt, facts, "tempi", len(TEMPI), _tempo_place, random)


def choose_key(
    prompt: Prompt, given: Score | None, facts: Mapping[str, Any], random: np.random.Generator
) -> int:
    """The id of the key that is told, `condition.KEYS` for none.

    That asked for, else that of a given score, else drawn as often as the training pieces of the
    style, or of all styles, are in it. Notes and chords asked for have their own.
    """
    asked = prompt.plan[0].key
    if asked is not None:
        return parse_key(asked)
    if given is not None:
        return key_of(given)[0]
    if prompt.notes or any(section.chords for section in prompt.plan):
        return NO_KEY
    known: Mapping[str, Mapping[str, int]] = facts.get("keys", {})
    everything = sum(map(Counter, known.values()), Counter[str]())
    everywhere = {**facts, "keys": {"": everything, **known}}
    drawn = _drawn(prompt, everywhere, "keys", len(KEYS), KEYS.index, random)
    return NO_KEY if drawn is None else drawn


def _drawn(
    prompt: Prompt, facts: Mapping[str, Any], what: str, size: int, place: Callable[[str], int],
    random: np.random.Generator,
) -> int | None:  # fmt: skip
    """A place drawn from how many pieces of each style have each, or None if that is not known."""
    known: Mapping[str, Mapping[str, int]] = facts.get(what, {})
    told = [(weight, known.get(name)) for name, weight in _told(prompt, facts)]
    shares = [(weight, _shares(counts, size, place)) for weight, counts in told if counts]
    if not shares:
        return None
    weights, each = zip(*shares, strict=True)
    chances = np.exp(np.average(np.log(each), axis=0, weights=weights))
    return int(random.choice(size, p=chances / chances.sum()))


def _shares(
    counts: Mapping[str, int], size: int, place: Callable[[str], int]
) -> NDArray[np.float64]:
    """The share of the pieces at each place."""
    pieces = np.full(size, _UNHEARD)
    for text, count in counts.items():
        pieces[place(text)] += count
    result: NDArray[np.float64] = pieces / pieces.sum()
    return result


def _tempo_place(beats_a_minute: str) -> int:
    return int(tempo_step(float(beats_a_minute)))


def _told(prompt: Prompt, facts: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The styles under the names that facts know them by, weighted; "" where none is told.

    A style of one's own has the name that it was given.
    """
    own = facts.get("own_places", NONE_OWN)
    return [
        (name if name in own else STYLES[style_id(name)].name, weight)
        for name, weight in prompt.styles
    ] or [("", 1.0)]
