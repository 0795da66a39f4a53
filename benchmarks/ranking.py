"""Whether the best of four candidates is nearer to human music than any of the four.

    python benchmarks/ranking.py CORPUS [--prompts 40] [--seconds 60]

Prompts are the styles and instruments of random held-out pieces. For each, candidates are
composed and ranked; the musical measures (docs/measures.md) of each are set against those of the
beginnings of held-out pieces for about as many instruments, as long as the candidates.

- distance: |value - median| in interquartile ranges of the human pieces, at most 3, mean over
  measures; less is nearer;
- inside: share of the measures between the human quartiles; more is nearer.

A row compares the candidate that comes first by the critic alone (what is least strange to it), by
how likely the critic takes it for human, by the checks alone, by these and then the critic, and as
ranked, which hears the styles asked for between the two, with the mean of all
candidates of its prompt, which is what a random one has. The interval is a bootstrap's over
prompts. Measures of the ending, and those that tell of minutes, are left out. "measures unknown to
the checks" leaves out what the checks count as well.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from common import parse, run, tell
from held_out import beginning, options, prompts, shuffled
from numpy.typing import NDArray

from musenet.cli.output import say
from musenet.composing.checks import ENSEMBLES, group_of
from musenet.composing.composer import Composer, load
from musenet.composing.finishing import Composition
from musenet.condition import has_beat
from musenet.corpus.shards import Split, open_split
from musenet.evaluation.comparing import Summary, inside, summary
from musenet.evaluation.measures import MEASURES, measures
from musenet.events import decode, encode
from musenet.instruments import DRUMS
from musenet.score import Score

CHECKED = ("out_of_range", "longest_loop", "stuck", "longest_stuck", "empty_bars", "empty_beats",
           "longest_silence", "notes_per_second")  # fmt: skip
KEPT = [name for name in MEASURES if not name.startswith(("ending_", "minute_"))]
FARTHEST = 3.0
REFERENCES = 150
"""Human pieces of each size of ensemble."""

Values = NDArray[np.float64]
Choice = Callable[[Mapping[str, Any]], tuple[float, ...]]


def _points(facts: Mapping[str, Any]) -> int:
    return sum(fault["points"] for fault in facts["faults"])


CHOICES: dict[str, Choice] = {
    "critic": lambda facts: (facts["strangeness"] or 0.0, facts["candidate"]),
    "human or not": lambda facts: (-(facts["critic"] or 0.0), facts["candidate"]),
    "checks": lambda facts: (_points(facts), facts["candidate"]),
    "checks, then critic": lambda facts: (
        _points(facts),
        facts["strangeness"] or 0.0,
        facts["candidate"],
    ),
    "ranking": lambda facts: (facts["rank"],),
}
"""What comes first by each way of choosing has the least of these."""


@dataclass(frozen=True)
class Answer:
    """The candidates to one prompt.

    Attributes:
        facts: of each candidate, as composed.
        distance: from human pieces, by set of measures, shape (candidates,).
        inside: share of the measures inside the human quartiles, likewise.
    """

    facts: Sequence[Mapping[str, Any]]
    distance: Mapping[str, Values]
    inside: Mapping[str, Values]


def main() -> None:
    """Compose, measure and print."""
    made = options(__doc__, prompts=40, candidates=4, seconds=60.0)
    arguments = parse(made)
    composer, split = load(arguments.model), open_split(arguments.data, arguments.split)
    human = _human(split, arguments.seconds)
    answers = []
    for number, wishes in enumerate(prompts(split, arguments.prompts, arguments.seed)):
        answers.append(_answer(composer, wishes, human, arguments, number))
        if not arguments.json:
            best = answers[-1].facts[0]
            say(f"{number + 1}: {', '.join(wishes['instruments'])}: {best['reason']}", stderr=True)
    facts = {
        "model": composer.name, "critic": composer.critic is not None, "prompts": len(answers),
        "candidates": arguments.candidates, "seconds": arguments.seconds,
        "with faults": float(np.mean([bool(f["faults"]) for a in answers for f in a.facts])),
    }  # fmt: skip
    columns = ("chosen by", "measures", "number", "of the chosen", "of all", "difference",
               "95 % from", "to")  # fmt: skip
    tell(arguments, columns, _rows(answers), facts)


def _human(split: Split, seconds: float) -> list[list[Summary]]:
    """Each measure of human beginnings, by group of ensembles."""
    groups: list[list[Values]] = [[] for _ in range(len(ENSEMBLES) + 1)]
    for piece in shuffled(split):
        row = split.pieces[piece]
        group = groups[group_of(int((np.unique(split.table(piece)[:, 1]) <= DRUMS).sum()))]
        if row["seconds"] >= seconds and len(group) < REFERENCES:
            part = decode(beginning(split.table(piece), seconds))
            group.append(
                _values(part, beats=has_beat(int(row["kind"])), tempos=not row["tempo_guessed"])
            )
    everything = [values for group in groups for values in group]
    known = [group if len(group) >= REFERENCES // 5 else everything for group in groups]
    return [[summary(column) for column in np.array(group).T] for group in known]


def _values(score: Score, *, beats: bool = True, tempos: bool = True) -> Values:
    found = measures(decode(encode(score)), beats=beats, tempos=tempos)
    return np.array([found[name] for name in KEPT])


def _answer(
    composer: Composer, wishes: Mapping[str, Any], human: Sequence[Sequence[Summary]],
    arguments: argparse.Namespace, number: int,
) -> Answer:  # fmt: skip
    pieces = composer.compose(
        **wishes, minutes=arguments.seconds / 60.0, candidates=arguments.candidates,
        seed=arguments.seed + number,
    )  # fmt: skip
    reference = human[group_of(len(wishes["instruments"]))]
    distances, within = (_compared(compare, pieces, reference) for compare in (_distance, inside))
    return Answer([piece.facts for piece in pieces], distances, within)


def _compared(
    compare: Callable[[Values, Summary], Values], pieces: Sequence[Composition],
    reference: Sequence[Summary],
) -> dict[str, Values]:  # fmt: skip
    """The mean over measures of what each piece is in comparison, by set of measures."""
    values = np.array([_values(piece.score) for piece in pieces])
    each = np.stack([compare(own, one) for own, one in zip(values.T, reference, strict=True)], 1)
    new = ~np.isin(KEPT, CHECKED)
    return {
        "all": np.nanmean(each, axis=1),
        "unknown to the checks": np.nanmean(each[:, new], axis=1),
    }


def _distance(values: Values, reference: Summary) -> Values:
    low, middle, high = reference.quartiles
    if math.isnan(middle) or high <= low:
        return np.full(len(values), math.nan)
    far: Values = np.minimum(FARTHEST, np.abs(values - middle) / (high - low))
    return far


def _rows(answers: Sequence[Answer]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for name, choice in CHOICES.items():
        first = [_first([choice(facts) for facts in answer.facts]) for answer in answers]
        for number in ("distance", "inside"):
            for kind in ("all", "unknown to the checks"):
                own = [getattr(answer, number)[kind] for answer in answers]
                chosen = np.array([v[place] for v, place in zip(own, first, strict=True)])
                every = np.array([values.mean() for values in own])
                gain = summary(chosen - every)
                rows.append((name, kind, number, float(chosen.mean()), float(every.mean()),
                             gain.mean, gain.low, gain.high))  # fmt: skip
    return rows


def _first(order: Sequence[tuple[float, ...]]) -> int:
    """The place of the least, the first of equal ones."""
    return order.index(min(order))


if __name__ == "__main__":
    run(main)
