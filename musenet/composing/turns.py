"""Blends of styles that do not go together: each in its turn, as long as its weight says.

Told at once, two styles that hardly ever stand together in the corpus give music of one of them, or
of neither, and over the same past the one that began prevails. So they take turns, in one key,
metre and tempo, each going on from its own turns, with an ensemble of its own unless instruments
are asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from musenet.composing.decoding import after
from musenet.composing.prompt import Opening, Prompt
from musenet.composing.sections import Section, Styles
from musenet.instruments import INSTRUMENTS
from musenet.styles import STYLES, find_style

CYCLE = 16
"""Bars in which each has its turn, or all bars of a shorter piece."""
LEAST = 2
"""Bars of the shortest turn."""
ALIKE = 0.25
"""Cosine of the sets of relatives of two styles from which on they go together: it is 0.3 to 1 for
composers of one tradition and for kinds of dances, 0 to 0.2 for styles of different worlds."""
_SOONER = 0.005
"""Seconds that a turn begins before its bar line, so that the first beat is in it."""


def groups_of(prompt: Prompt, facts: Mapping[str, Any]) -> list[Styles]:
    """The styles of a prompt, those together that go together.

    These are relatives in the training pieces, as jazz and ragtime, and styles with the same
    relatives, as two composers of one time. All are in one group where sections are asked for, or
    nothing is known of one of them.
    """
    relatives: Mapping[str, Sequence[str]] = facts.get("relatives", {})
    found = [find_style(name) for name, _ in prompt.styles]
    names = ["" if style is None else STYLES[style].name for style in found]
    if not names or prompt.sections or any(name not in relatives for name in names):
        return [prompt.styles]
    groups: list[list[int]] = []
    for place, name in enumerate(names):
        kin = [
            group
            for group in groups
            if any(_go_together(name, names[other], relatives) for other in group)
        ]
        merged = sorted([place, *(other for group in kin for other in group)])
        groups = [group for group in groups if group not in kin] + [merged]
    return [tuple(prompt.styles[place] for place in group) for group in sorted(groups)]


def _go_together(one: str, other: str, relatives: Mapping[str, Sequence[str]]) -> bool:
    """Whether two styles are one, are relatives, or have enough relatives in common."""
    ones, others = set(relatives[one]), set(relatives[other])
    likeness = len(ones & others) / math.sqrt(max(1, len(ones) * len(others)))
    return one == other or other in ones or likeness >= ALIKE


def in_turn(
    prompt: Prompt, groups: Sequence[Styles], ensembles: Sequence[tuple[int, ...]], opening: Opening
) -> Prompt:
    """The prompt with a section for each turn of several groups of styles; of one, itself.

    Args:
        prompt: what is asked for.
        groups: of its styles (`groups_of`), in the order of their turns.
        ensembles: ids of the instruments of each, where the prompt asks for none.
        opening: where metre and tempo stand.
    """
    if len(groups) == 1:
        return prompt
    now = after(opening.table, 1)
    bar = float(now.bar_ticks[0] * now.seconds_per_tick[0]) / opening.pace
    cycle = min(CYCLE, prompt.seconds / bar)
    weights = np.array([sum(weight for _, weight in styles) for styles in groups])
    bars = np.maximum(LEAST, np.rint(cycle * weights / weights.sum())).astype(int)
    players = [prompt.instruments or _names(ensemble) for ensemble in ensembles]
    sections: list[Section] = []
    at = 0.0
    while not sections or at < prompt.seconds - LEAST * bar:
        turn = len(sections) % len(groups)
        sections.append(Section(max(0.0, at - _SOONER), groups[turn], players[turn]))
        at += float(bars[turn]) * bar
    first, *later = sections
    return replace(
        prompt, styles=groups[0], instruments=first.instruments or (), sections=tuple(later)
    )


def _names(players: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(INSTRUMENTS[player].name for player in players)
