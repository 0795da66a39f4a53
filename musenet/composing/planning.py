"""Composing by plan: section after section, each a new prompt over the same past."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musenet.composing.decoding import TOLD_LENGTH, Decoder, Draft, OnRows, after
from musenet.composing.network import Network
from musenet.composing.own import Own
from musenet.composing.prompt import Opening, Prompt, condition_of, players_of, wishes_of
from musenet.composing.rules import Wishes
from musenet.composing.sampling import Sampling
from musenet.composing.sections import Section, Styles
from musenet.composing.steering import Steering
from musenet.composing.surprise import HumanSurprise
from musenet.events import MAX_WAIT, REST, TEMPO_EVENT, Table
from musenet.quantise import tempo_step
from musenet.score import TICKS_PER_BEAT

CLOSING, CALM = 8.0, 0.5
"""Seconds before the end from which several endings are tried, and what the temperature of their
pitches is multiplied by: at a close harmony is least free. Below 0.5 closes get stuck. They are not
held near human surprise, for which calm pitches would be warmed."""


@dataclass(frozen=True)
class Watch:
    """What follows the composing, as in `Decoder.run`.

    Attributes:
        progress: called with the seconds of music so far.
        on_rows: called with the place of a candidate and its new rows.
        stop: asked before every row.
    """

    progress: Callable[[float], None] | None = None
    on_rows: OnRows | None = None
    stop: Callable[[], bool] | None = None


UNWATCHED = Watch()
"""Nothing follows it."""


@dataclass(frozen=True)
class _Part:
    """What stays the same while a section is composed.

    Attributes:
        section: what is asked for.
        players: ids of its instruments.
        wishes: of the whole piece, with the section's tempo.
        steering: chords, density, dynamics, key and style.
        since: seconds of the table at which the section begins in which they are to be heard.
        heard_by: seconds by which they are to be heard, None for the end of the section.
    """

    section: Section
    players: tuple[int, ...]
    wishes: Wishes
    steering: Steering
    since: float
    heard_by: float | None


@dataclass(frozen=True)
class Planner:
    """All that composing to a prompt needs, for any number of candidates.

    Attributes:
        network: the model, laid out for composing.
        own: styles of one's own among those asked for.
        prompt: what is asked for.
        opening: music that stands at the beginning.
        players: instruments of the first section.
        key: of sections that ask for none.
        facts: of the model.
        how: sampling.
        context: events that the network sees at once.
        in_turn: whether sections are the turns of styles that do not go together: each goes on
            from its own turns alone, and instruments are to be heard in the whole piece rather
            than in each section. The metre and tempo of the opening stay, so that turns are bars.
        human: how surprising human music is to the network, near which the music is held.
    """

    network: Network
    own: Own
    prompt: Prompt
    opening: Opening
    players: tuple[int, ...]
    key: int
    facts: Mapping[str, Any]
    how: Sampling
    context: int
    in_turn: bool = False
    human: HumanSurprise | None = None

    def drafts(self, random: Sequence[np.random.Generator], watch: Watch) -> list[Draft]:
        """A draft for each random generator.

        Candidates of one section grow together. Several sections begin at another row in each
        candidate, which are therefore composed one after the other.

        Raises:
            Stopped: `watch.stop` said so.
        """
        if len(self.prompt.plan) == 1:
            part = self._part(self.prompt.plan[0], self.players, self.opening)
            return self._composed(part, self.opening, random, watch)
        seconds = self.opening.in_table(self.prompt.seconds)
        return [
            self._in_sections(generator, _of(place, len(random), seconds, watch))
            for place, generator in enumerate(random)
        ]

    def _in_sections(self, generator: np.random.Generator, watch: Watch) -> Draft:
        """One candidate, section after section."""
        opening, players = self.opening, self.players
        count = len(opening.table)
        owners: list[Styles | None] = [None] * count
        unmarked = np.zeros(count, dtype=bool), np.zeros(count, dtype=np.int64)
        draft = Draft(opening.table, False, 0, 0.0, *unmarked)
        before: _Part | None = None
        tempo = self.prompt.tempo
        for section, until in self._timed():
            own_players = section.instruments != self.prompt.instruments
            players = players_of(section, players) if own_players else self.players
            if until <= self.opening.over:
                continue
            if section.at > 0.0:
                changed = None if section.tempo == tempo else section.tempo
                begins = max(self.opening.over, self.opening.in_table(section.at))
                opening = joined(opening, draft.table, begins, changed)
            tempo = section.tempo
            rows = _behind(0 if before is None else len(draft.table), watch.on_rows)
            seen = np.array([own in (None, section.styles) for own in owners], dtype=np.bool_)
            part = self._part(section, players, opening, until, before)
            made = self._composed(
                part, opening, [generator], replace(watch, on_rows=rows), until,
                seen if self.in_turn else None,
            )[0]  # fmt: skip
            owners += [section.styles] * (len(made.table) - len(owners))
            draft, before = replace(made, forced=made.forced + draft.forced), part
        return draft

    def _timed(self) -> list[tuple[Section, float]]:
        """The sections, and when each is over in seconds of the table."""
        plan = self.prompt.plan
        timed = [(section, self.opening.in_table(later.at)) for section, later in pairwise(plan)]
        return [*timed, (plan[-1], np.inf)]

    def _part(
        self, section: Section, players: tuple[int, ...], opening: Opening, until: float = np.inf,
        before: _Part | None = None,
    ) -> _Part:  # fmt: skip
        """What a section is composed to, after the one before it."""
        whole = wishes_of(self.prompt, players, self.opening, self.facts)
        tempo = None if section.tempo is None else int(tempo_step(section.tempo))
        own_time = not self.in_turn or len(self.opening.table) < 2
        goes_on = before is not None and section.chords == before.section.chords
        bar = before.steering.first_bar if before and goes_on else _first_bar(section, opening)
        steering = Steering.of(section, bar, self.key, self.own.adapters)
        if before is not None:
            steering = steering.after(before.steering, opening.earliest)
        elif opening.given:
            steering = steering.after(steering.unasked(), opening.earliest)
        return _Part(
            section, players, replace(whole, tempo=tempo, own_time=own_time), steering,
            0.0 if self.in_turn or section.at == 0.0 else self.opening.in_table(section.at),
            np.inf if self.in_turn or until == np.inf else None,
        )  # fmt: skip

    def _composed(
        self, part: _Part, opening: Opening, random: Sequence[np.random.Generator], watch: Watch,
        until: float = np.inf, seen: NDArray[np.bool_] | None = None,
    ) -> list[Draft]:  # fmt: skip
        """Drafts of a section, the last of which ends the piece."""
        if until < np.inf or self.how.endings == 1:
            return self._decoded(part, opening, random, watch, until, seen)
        seconds = part.wishes.seconds
        closing = seconds * TOLD_LENGTH - CLOSING
        drafts = self._decoded(part, opening, random, watch, closing, seen)
        closed: list[Draft] = []
        for draft, generator in zip(drafts, random, strict=True):
            ended = self._closed(part, opening, closing, draft, generator, watch, seen)
            if watch.on_rows is not None:
                watch.on_rows(len(closed), ended.table[len(draft.table) :])
            closed.append(ended)
            if watch.progress is not None:
                share = len(closed) / len(drafts)
                watch.progress(closing + share * (seconds - closing))
        return closed

    def _closed(
        self, part: _Part, opening: Opening, begins: float, draft: Draft,
        generator: np.random.Generator, watch: Watch, seen: NDArray[np.bool_] | None,
    ) -> Draft:  # fmt: skip
        """A draft with the ending of several that the model itself is surest of."""
        endings = self._decoded(
            part, joined(opening, draft.table, begins, None),
            generator.spawn(self.how.endings), Watch(stop=watch.stop), np.inf, seen, CALM,
        )  # fmt: skip
        best = max(endings, key=lambda ending: (ending.ended, ending.sure))
        return replace(best, forced=draft.forced + best.forced)

    def _decoded(
        self, part: _Part, opening: Opening, random: Sequence[np.random.Generator], watch: Watch,
        until: float, seen: NDArray[np.bool_] | None, calm: float = 1.0,
    ) -> list[Draft]:  # fmt: skip
        styles = part.section.styles or ()
        decoder = Decoder(
            self.own.network(self.network, styles),
            condition_of(styles, part.players, part.steering.key, self.facts),
            part.wishes, self.how, opening=opening.table, earliest=opening.earliest, random=random,
            context=self.context, steering=part.steering, until=until, since=part.since,
            heard_by=part.heard_by, seen=seen, calm=calm,
            human=self.human if calm == 1.0 else None,
        )  # fmt: skip
        return decoder.run(watch.progress, on_rows=watch.on_rows, stop=watch.stop)


def joined(opening: Opening, table: Table, begins: float, tempo: float | None) -> Opening:
    """What stands before a section.

    Args:
        opening: of the piece.
        table: all rows before the section, shape (n, 5).
        begins: when it begins, in seconds of the table.
        tempo: beats a minute from its first beat on, or None to keep what is in force.
    """
    now = after(table, 1)
    last, left = int(now.tick[0]), begins - float(now.seconds[0])
    tick = last + max(0, int(np.ceil(left / float(now.seconds_per_tick[0]))))
    tick = max(tick, opening.earliest)
    if tempo is None:
        return replace(opening, table=table, earliest=tick)
    tick = max(-(-tick // TICKS_PER_BEAT), last // TICKS_PER_BEAT + 1) * TICKS_PER_BEAT
    rests = max(0, (tick - last - 1) // MAX_WAIT)
    rows = np.zeros((rests + 1, 5), dtype=np.uint8)
    rows[:, 0], rows[:, 1] = MAX_WAIT, REST
    rows[-1, :3] = tick - last - MAX_WAIT * rests, TEMPO_EVENT, tempo_step(tempo)
    return replace(opening, table=np.concatenate([table, rows]), earliest=tick)


def _first_bar(section: Section, opening: Opening) -> int:
    """The bar of the metre in force in which a section's chords begin."""
    if section.at == 0.0 and not opening.given:
        return 0
    now = after(opening.table, 1)
    return int((opening.earliest - now.bar_start[0]) // now.bar_ticks[0])


def _of(place: int, count: int, seconds: float, watch: Watch) -> Watch:
    """Tells of a candidate that is composed alone, of `seconds` of music, by its place among all.

    Progress is the share of all work, in seconds of one.
    """
    on_rows, progress = watch.on_rows, watch.progress

    def done(own: float) -> None:
        if progress is not None:
            progress((place * seconds + own) / count)

    rows = None if on_rows is None else lambda _, rows: on_rows(place, rows)
    return replace(watch, on_rows=rows, progress=done)


def _behind(known: int, on_rows: OnRows | None) -> OnRows | None:
    """Leaves out rows that were told before: the first `known` of the first call."""
    if on_rows is None:
        return None
    left = known

    def tell(place: int, rows: Table) -> None:
        nonlocal left
        fresh, left = rows[left:], max(0, left - len(rows))
        if len(fresh):
            on_rows(place, fresh)

    return tell
