"""The prompt: what the user asks for, checked and turned into what the decoder needs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from musenet.composing.notes import parse_notes, pitch_name
from musenet.composing.rules import Wishes
from musenet.composing.sections import Section, in_order
from musenet.condition import KINDS, Condition
from musenet.errors import UserError
from musenet.events import (
    END,
    MAX_WAIT,
    METRE_EVENT,
    REST,
    TEMPO_EVENT,
    Table,
    decode,
    encode,
)
from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.quantise import METRES, TEMPI, tempo_step
from musenet.score import (
    DEFAULT_BPM,
    METRE,
    TEMPO,
    TICKS_PER_BEAT,
    Score,
    records,
    seconds_at,
)
from musenet.styles import STYLES, style_id

_METRE = re.compile(r"(\d{1,2})\s*/\s*(\d{1,2})")
NOTATED_EXPRESSIVE, ARRANGED_EXPRESSIVE = 1, 5
MIN_MINUTES, MAX_MINUTES = 0.1, 60.0
DEFAULT_TEMPO = float(TEMPI[tempo_step(108.0)])
"""Beats a minute of an opening melody for which no tempo is asked."""
HALF_STEP = 0.021
"""How far a tempo may be from the nearest step."""
LONGEST_OPENING = 0.9
"""Share of the piece that an opening may take."""
NONE_OWN: Mapping[str, Any] = {}
"""No styles of one's own."""


@dataclass(frozen=True)
class Prompt:
    """What is asked for.

    Attributes:
        styles: (name, weight) pairs; empty leaves the style to the model.
        instruments: names; empty takes an ensemble that the style's pieces are written for.
        minutes: length of the whole piece, opening included.
        tempo: beats a minute at the beginning, or None.
        metre: such as "3/4", or None; for the whole piece where chords are asked for.
        notes: an opening melody as text (`notes.parse_notes`), or "".
        key: such as "Eb major" (`chords.parse_key`), or None.
        chords: a progression as text (`chords.parse_chords`), or None.
        density: notes a beat, or None.
        dynamics: from "ppp" to "fff", or None.
        sections: what changes in the course of the piece; what one at 0 asks for holds from the
            beginning, and stands in the attributes above.
    """

    styles: tuple[tuple[str, float], ...] = ()
    instruments: tuple[str, ...] = ()
    minutes: float = 4.0
    tempo: float | None = None
    metre: str | None = None
    notes: str = ""
    key: str | None = None
    chords: str | None = None
    density: float | None = None
    dynamics: str | None = None
    sections: tuple[Section, ...] = ()

    def __post_init__(self) -> None:
        """Check what can be checked without a model.

        Raises:
            UserError: an unknown name, or a value out of its range.
        """
        if not MIN_MINUTES <= self.minutes <= MAX_MINUTES:
            raise UserError(
                f"--minutes {self.minutes:g} is not between {MIN_MINUTES:g} and {MAX_MINUTES:g}"
            )
        if self.metre is not None:
            metre_place(self.metre)
        first = [section for section in self.sections if section.at == 0.0]
        if len(first) == 1:
            later = tuple(section for section in self.sections if section.at > 0.0)
            for name, value in (first[0].asked() | {"sections": later}).items():
                object.__setattr__(self, name, value)
        _ = self.plan

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.minutes * 60.0

    @cached_property
    def plan(self) -> list[Section]:
        """All sections, each with what holds in it; the first begins at 0.

        Raises:
            UserError: a section that cannot be.
        """
        first = Section(
            0.0, self.styles, self.instruments, self.tempo, self.density, self.dynamics,
            self.chords, self.key,
        )  # fmt: skip
        return in_order(first, self.sections, self.seconds)

    @property
    def metre_asked(self) -> str | None:
        """The metre that holds: a melody and chords have one even if none is asked for."""
        has_bars = self.notes or any(section.chords for section in self.plan)
        return self.metre or ("4/4" if has_bars else None)


def style_ids(
    styles: Sequence[tuple[str, float]], own: Mapping[str, int] = NONE_OWN
) -> tuple[tuple[int, float], ...]:
    """Ids of styles, their weights adding up to 1.

    Args:
        styles: names with weights.
        own: ids of styles of one's own, by name.
    """
    total = sum(weight for _, weight in styles)
    return tuple(
        (own[name] if name in own else style_id(name), weight / total) for name, weight in styles
    )


def metre_place(text: str) -> int:
    """The place in `METRES` of a metre written as 3/4.

    Raises:
        UserError: it is not written so, or not among the known ones.
    """
    match = _METRE.fullmatch(text.strip())
    metre = (int(match[1]), int(match[2])) if match else (0, 0)
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
        cut: that tick in a given file's own ticks.
        seconds: time of that tick.
        pace: how much faster than by the steps of the table the new music is to be played.
        given: whether it was there before, so that what is asked for holds behind it.
    """

    table: Table
    earliest: int = 0
    cut: int = 0
    seconds: float = 0.0
    pace: float = 1.0
    given: bool = False

    @cached_property
    def over(self) -> float:
        """When it is over, in seconds of the table."""
        rows = len(self.table)
        return float(seconds_at(decode(self.table), self.earliest)) if rows else 0.0

    def in_table(self, seconds: float) -> float:
        """A time behind it in seconds of the table, which the file plays at its pace."""
        return self.over + (seconds - self.seconds) * self.pace


def opening_of(
    prompt: Prompt, given: Score | None, players: Sequence[int], cut: int = 0,
    begins: tuple[int | None, int | None] = (None, None),
) -> Opening:  # fmt: skip
    """The opening from a given score, else from the prompt's notes, else metre and tempo alone.

    Args:
        prompt: what is asked for.
        given: music to go on with, or None.
        players: instruments that may play.
        cut: tick of the given score before which nothing new may begin, by default its end.
        begins: places in `METRES` and `TEMPI` at which new music begins; None leaves it to the
            model, both if the metre is None.

    Raises:
        UserError: it is nearly as long as the piece asked for, or no player has its pitches.
    """
    if given is None and not prompt.notes:
        return Opening(_beginning(*begins), pace=_pace_asked(prompt))
    score, end = _melody(prompt, players) if given is None else (given, max(given.end, cut))
    table = encode(score)
    ticks = max(-(-end * TICKS_PER_BEAT // score.ticks_per_beat), int(table[:, 0].sum(dtype=int)))
    cut = -(-ticks * score.ticks_per_beat // TICKS_PER_BEAT)
    seconds = float(seconds_at(score, cut))
    if seconds >= LONGEST_OPENING * prompt.seconds:
        least = math.ceil(seconds / LONGEST_OPENING / 6.0 + 0.1) / 10
        enough = f"--minutes {least} or more" if least <= MAX_MINUTES else "a shorter one, or --at"
        raise UserError(f"the opening lasts {seconds:.0f} seconds: give {enough}")
    pace = _pace_asked(prompt) if given is None else _pace_given(given, table)
    return Opening(_until(table, ticks), ticks, cut, seconds, pace, given is not None)


def _beginning(metre: int | None, tempo: int | None) -> Table:
    """The rows of a metre, then of a tempo, before any music."""
    both = ((METRE_EVENT, metre), (TEMPO_EVENT, None if metre is None else tempo))
    rows = [(0, event, place, 0, 0) for event, place in both if place is not None]
    return np.array(rows, dtype=np.uint8).reshape(-1, 5)


def _pace_asked(prompt: Prompt) -> float:
    """From the nearest step to the tempo asked for."""
    return 1.0 if prompt.tempo is None else prompt.tempo / float(TEMPI[tempo_step(prompt.tempo)])


def _pace_given(given: Score, table: Table) -> float:
    """From the step in force at the end to a given file's own tempo, where one stands for it."""
    step = float(TEMPI[table[table[:, 1] == TEMPO_EVENT, 2][-1]])
    own = given.tempos[given.tempos["tick"] < given.end]["bpm"]
    pace = (float(own[-1]) if len(own) else DEFAULT_BPM) / step
    return pace if len(own) <= 1 or abs(pace - 1.0) <= HALF_STEP else 1.0


def _melody(prompt: Prompt, players: Sequence[int]) -> tuple[Score, int]:
    """The prompt's notes, for the first player that has them all; drums only if alone."""
    pitches = parse_notes(prompt.notes)[0].notes["pitch"]
    asked = [instrument_id(name) for name in prompt.instruments] or list(players)
    for player in sorted(asked, key=lambda player: player == DRUMS):
        if INSTRUMENTS[player].low <= pitches.min() and pitches.max() <= INSTRUMENTS[player].high:
            score, end = parse_notes(prompt.notes, player)
            tempos = records(TEMPO, [(0, prompt.tempo or DEFAULT_TEMPO)])
            metre = METRES[metre_place(prompt.metre or "4/4")]
            return Score(score.notes, tempos, records(METRE, [(0, *metre)])), end
    names = ", ".join(INSTRUMENTS[player].name for player in asked)
    lowest, highest = pitch_name(int(pitches.min())), pitch_name(int(pitches.max()))
    raise UserError(f"no instrument can play {lowest} to {highest}, asked for: {names}")


def _until(table: Table, ticks: int) -> Table:
    """Rows without the end, with rests so that one wait leads to the tick where it is over."""
    rows = table[: int(np.flatnonzero(~np.isin(table[:, 1], (REST, END)))[-1]) + 1]
    gap = ticks - int(rows[:, 0].sum(dtype=int))
    rests = np.zeros((max(0, (gap - 1) // MAX_WAIT), 5), dtype=np.uint8)
    rests[:, 0], rests[:, 1] = MAX_WAIT, REST
    return np.concatenate([rows, rests])


def players_of(section: Section, before: tuple[int, ...]) -> tuple[int, ...]:
    """The instruments of a section, by default those of the one before."""
    return tuple(sorted({instrument_id(name) for name in section.instruments or ()})) or before


def condition_of(
    styles: Sequence[tuple[str, float]], players: Sequence[int], key: int, facts: Mapping[str, Any]
) -> Condition:
    """What is told to the model: expressive velocities are always asked for."""
    ids = style_ids(styles, facts.get("own_places", NONE_OWN))
    return Condition(ids, tuple(players), key, _kind(styles, facts))


def _kind(styles: Sequence[tuple[str, float]], facts: Mapping[str, Any]) -> int:
    """Notated, or arranged where nearly all that is known of the styles asked for is so.

    Where a style of one's own weighs most, as most of its pieces are.
    """
    own = facts.get("own_kinds", NONE_OWN)
    heaviest = max(styles, key=lambda style: style[1], default=("", 0.0))[0]
    if heaviest in own:
        return int(own[heaviest])
    styles = [(name, weight) for name, weight in styles if name not in own]
    counts: dict[str, list[int]] = facts.get("style_counts", {})
    if not counts:
        return NOTATED_EXPRESSIVE if styles else KINDS
    known = [counts.get(STYLES[style].name, [1, 0]) for style, _ in style_ids(styles)]
    real, arranged = (sum(count[place] for count in known) for place in (0, 1))
    return ARRANGED_EXPRESSIVE if arranged > 3 * real else NOTATED_EXPRESSIVE


def wishes_of(
    prompt: Prompt, players: Sequence[int], opening: Opening, facts: Mapping[str, Any]
) -> Wishes:
    """The prompt as ids; the metre of a melody or of chords holds for the piece.

    No instrument sounds more notes at once than it does in nearly all of the training pieces.

    The length is in seconds of the table.
    """
    step = None if prompt.tempo is None else int(tempo_step(prompt.tempo))
    metre = None if prompt.metre_asked is None else metre_place(prompt.metre_asked)
    seconds = opening.in_table(prompt.seconds)
    return Wishes(tuple(players), seconds, step, metre, _voices(players, facts))


def limits(players: Sequence[int], seconds: float, facts: Mapping[str, Any]) -> Wishes:
    """What new parts in a given piece keep to; tempo and metre are the piece's."""
    return Wishes(tuple(players), seconds, voices=_voices(players, facts), own_time=False)


def _voices(players: Sequence[int], facts: Mapping[str, Any]) -> tuple[int, ...]:
    known: Mapping[str, int] = facts.get("voices", {})
    return tuple(known.get(INSTRUMENTS[player].name, 128) for player in players)
