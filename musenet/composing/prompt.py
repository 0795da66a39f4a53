"""The prompt: what the user asks for, checked and turned into what the decoder needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from musenet.composing.notes import parse_notes
from musenet.composing.rules import Wishes
from musenet.condition import KINDS, Condition
from musenet.errors import UserError
from musenet.events import MAX_WAIT, METRE_EVENT, REST, TEMPO_EVENT, Table, encode
from musenet.instruments import INSTRUMENTS, instrument_id
from musenet.quantise import METRES, TEMPI, tempo_step
from musenet.score import METRE, TEMPO, TICKS_PER_BEAT, Score, records
from musenet.styles import STYLES, style_id

NOTATED_EXPRESSIVE, ARRANGED_EXPRESSIVE = 1, 5
MAX_MINUTES = 60.0


@dataclass(frozen=True)
class Prompt:
    """What is asked for.

    Attributes:
        styles: (name, weight) pairs; empty leaves the style to the model.
        instruments: names; empty takes an ensemble that the style's pieces are written for.
        minutes: length of the whole piece, opening included.
        tempo: beats a minute at the beginning, or None.
        metre: such as "3/4", or None.
        notes: an opening melody as text (`notes.parse_notes`), or "".
    """

    styles: tuple[tuple[str, float], ...] = ()
    instruments: tuple[str, ...] = ()
    minutes: float = 4.0
    tempo: float | None = None
    metre: str | None = None
    notes: str = ""

    def __post_init__(self) -> None:
        """Check what can be checked without a model.

        Raises:
            UserError: an unknown name, or a value out of its range.
        """
        for name, weight in self.styles:
            style_id(name)
            if not 0 < weight < float("inf"):
                raise UserError(f"style '{name}' has weight {weight:g}: give one above 0")
        for name in self.instruments:
            instrument_id(name)
        if not 0 < self.minutes <= MAX_MINUTES:
            raise UserError(
                f"--minutes {self.minutes:g} is not more than 0 and at most {MAX_MINUTES:g}"
            )
        if self.tempo is not None and not TEMPI[0] <= self.tempo <= TEMPI[-1]:
            raise UserError(f"--tempo {self.tempo:g} is not between 24 and 300 beats a minute")
        if self.metre is not None:
            metre_place(self.metre)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.minutes * 60.0

    @property
    def style_ids(self) -> tuple[tuple[int, float], ...]:
        """Ids of the styles, their weights adding up to 1."""
        total = sum(weight for _, weight in self.styles)
        return tuple((style_id(name), weight / total) for name, weight in self.styles)


def style_weights(
    styles: Mapping[str, float] | Sequence[str] | str,
) -> tuple[tuple[str, float], ...]:
    """Styles given as one name, names, `name:weight` or a mapping, as pairs.

    Raises:
        UserError: a weight that is no number.
    """
    if isinstance(styles, Mapping):
        return tuple((name, float(weight)) for name, weight in styles.items())
    names = [styles] if isinstance(styles, str) else styles
    return tuple(_style_weight(name) for name in names if name)


def _style_weight(text: str) -> tuple[str, float]:
    name, _, weight = text.partition(":")
    try:
        return name, float(weight or 1.0)
    except ValueError as error:
        raise UserError(f"style '{text}': what follows ':' is a weight such as 0.6") from error


def metre_place(text: str) -> int:
    """The place in `METRES` of a metre written as 3/4.

    Raises:
        UserError: it is not written so, or not among the known ones.
    """
    parts = text.split("/")
    if len(parts) == 2 and all(part.strip().isdigit() for part in parts):
        metre = (int(parts[0]), int(parts[1]))
        if metre in METRES:
            return METRES.index(metre)
    known = ", ".join(f"{top}/{bottom}" for top, bottom in METRES[:11])
    raise UserError(f"--metre {text} is not known: give one such as {known}")


@dataclass(frozen=True)
class Opening:
    """Music that stands at the beginning.

    Attributes:
        table: its rows, without an end; empty if there is none.
        earliest: first tick at which new notes may begin.
    """

    table: Table
    earliest: int


def opening_of(prompt: Prompt, given: Score | None, first_player: int) -> Opening:
    """The opening from a given score, else from the prompt's notes, else none.

    Raises:
        UserError: the opening is as long as the piece asked for.
    """
    score = given
    if score is None and prompt.notes:
        score = _with_tempo(parse_notes(prompt.notes, first_player), prompt)
    if score is None:
        return Opening(np.zeros((0, 5), np.uint8), 0)
    if score.seconds >= 0.9 * prompt.seconds:
        raise UserError(
            f"the opening lasts {score.seconds / 60:.1f} minutes already: "
            f"ask for more than {score.seconds / 54:.1f} --minutes"
        )
    table = encode(score)
    return Opening(*_until(table, score))


def _with_tempo(score: Score, prompt: Prompt) -> Score:
    metre = METRES[metre_place(prompt.metre or "4/4")]
    tempos = records(TEMPO, [(0, prompt.tempo or 108.0)])
    return Score(score.notes, tempos, records(METRE, [(0, *metre)]))


def _until(table: Table, score: Score) -> tuple[Table, int]:
    """Rows without the end, with rests so that one wait leads to the end of the music."""
    end = -(-score.end * TICKS_PER_BEAT // score.ticks_per_beat)
    rows = table[:-1]
    last = int(np.flatnonzero(rows[:, 1] != REST)[-1])
    rows = rows[: last + 1]
    gap = end - int(rows[:, 0].astype(np.int64).sum())
    rests = np.zeros((max(0, (gap - 1) // MAX_WAIT), 5), dtype=np.uint8)
    rests[:, 0], rests[:, 1] = MAX_WAIT, REST
    return np.concatenate([rows, rests]), end


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
        known = ensembles.get(STYLES[style_id(name)].name if name else "", [])
        total = sum(count for _, count in known) or 1
        for names, count in known:
            counts[tuple(names)] = counts.get(tuple(names), 0.0) + weight * count / total
    if not counts:
        return (instrument_id("piano"),)
    choices = sorted(counts)
    chances = np.array([counts[choice] for choice in choices])
    chosen = choices[int(random.choice(len(choices), p=chances / chances.sum()))]
    return tuple(sorted(instrument_id(name) for name in chosen))


def condition_of(
    prompt: Prompt, players: Sequence[int], key: int, facts: Mapping[str, Any]
) -> Condition:
    """What is told to the model: expressive velocities are always asked for."""
    return Condition(prompt.style_ids, tuple(players), key, _kind(prompt, facts))


def _kind(prompt: Prompt, facts: Mapping[str, Any]) -> int:
    """Notated, or arranged where nearly all that is known of the styles asked for is so."""
    counts: dict[str, list[int]] = facts.get("style_counts", {})
    if not counts:
        return NOTATED_EXPRESSIVE if prompt.styles else KINDS
    known = [counts.get(STYLES[style].name, [1, 0]) for style, _ in prompt.style_ids]
    real, arranged = (sum(count[place] for count in known) for place in (0, 1))
    return ARRANGED_EXPRESSIVE if arranged > 3 * real else NOTATED_EXPRESSIVE


def wishes_of(prompt: Prompt, players: Sequence[int], opening: Opening) -> Wishes:
    """The prompt as ids; an opening's own tempo and metre hold until the model changes them."""
    tempo = None if prompt.tempo is None else int(tempo_step(prompt.tempo))
    metre = None if prompt.metre is None else metre_place(prompt.metre)
    if metre is None and len(opening.table) and prompt.notes:
        metre = int(opening.table[opening.table[:, 1] == METRE_EVENT][0, 2])
    return Wishes(tuple(players), prompt.seconds, tempo, metre)


def opening_tempo(table: Table) -> float:
    """Beats a minute of the last tempo event of a table."""
    steps = table[table[:, 1] == TEMPO_EVENT, 2]
    return float(TEMPI[int(steps[-1])]) if len(steps) else 120.0


def instrument_names(players: Sequence[int]) -> list[str]:
    """Names of instruments by id."""
    return [INSTRUMENTS[player].name for player in players]
