"""The decoding loop: from a prompt to finished event tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musenet.composing.balance import PLAUSIBLE, Balance, probabilities
from musenet.composing.chances import Chances
from musenet.composing.engine import Engine, Marks
from musenet.composing.guidance import Guided, plain
from musenet.composing.network import Network
from musenet.composing.pending import NOTHING, Pending
from musenet.composing.rules import (
    EVENTS_PER_SECOND,
    LATEST_END,
    SPARE_EVENTS,
    Mask,
    Past,
    Rules,
    Wishes,
)
from musenet.composing.sampling import COLDEST, Sampling, sample
from musenet.composing.steering import UNSTEERED, Steering
from musenet.composing.surprise import Floats, Held, HumanSurprise, surprisal
from musenet.composing.threads import one_thread
from musenet.condition import Condition
from musenet.copying import Copies
from musenet.events import END, NO_PITCH, PITCH_OFFSET, REST, SIZES, Table
from musenet.features import Features, Moments, features, moments_of
from musenet.given import Anticipated
from musenet.instruments import DRUMS

TOLD_LENGTH = 0.97
"""Share of the length asked for that the model is told: pieces often outlast what it expects."""
END_BIAS = 4.0
"""What is added to the score of the end, growing from the length told to the latest end."""
Scores = NDArray[np.floating[Any]]
OnRows = Callable[[int, Table], None]
_FINISHED = (0, END, NO_PITCH, 0, 0)


class Stopped(Exception):
    """Composing was given up because the caller wished so."""


@dataclass(frozen=True)
class Draft:
    """One candidate as the model left it.

    Attributes:
        table: all rows, opening included, without the end.
        ended: whether the model ended it (else the limit did).
        forced: notes whose instrument was forced, or raised against the model.
        sure: the chance that the model itself gave the end where it ended it, else 0.
        given: which rows are given notes that stand ahead of time, shape (rows,).
        lead: ticks from where they stand to where they sound, shape (rows,).
    """

    table: Table
    ended: bool
    forced: int
    sure: float
    given: NDArray[np.bool_]
    lead: NDArray[np.int64]


class Decoder:
    """Composes candidates in step, row by row."""

    def __init__(
        self, network: Network, condition: Condition, wishes: Wishes, how: Sampling, *,
        opening: Table, earliest: int, random: Sequence[np.random.Generator], context: int,
        steering: Steering = UNSTEERED, since: float = 0.0, until: float = np.inf,
        heard_by: float | None = None, pending: Pending = NOTHING, ahead: Anticipated | None = None,
        seen: NDArray[np.bool_] | None = None, calm: float = 1.0,
        human: HumanSurprise | None = None,
    ) -> None:  # fmt: skip
        """Take the opening in.

        Args:
            network: the model, laid out for composing.
            condition: the prompt.
            wishes: what the rules keep to.
            how: sampling.
            opening: rows that all candidates begin with, shape (n, 5).
            earliest: first tick at which new notes may begin.
            random: a generator for each candidate.
            context: events that the network sees at once.
            steering: chords, density, dynamics, key and style.
            since: seconds at which the section begins in which instruments are to be heard.
            until: seconds at which the music breaks off, for another section to go on.
            heard_by: seconds by which they are to be heard, by default then.
            pending: given notes, tempi and metres to come.
            ahead: the opening with its marks, where it has given notes.
            seen: which rows of the opening the network sees, shape (n,); by default all.
            calm: what the temperature of pitches is multiplied by.
            human: how surprising human music is to the network, near which the music is held.
        """
        candidates = len(random)
        most = int(wishes.seconds * LATEST_END * EVENTS_PER_SECOND) + SPARE_EVENTS
        self.tables = np.zeros((candidates, len(opening) + most, 5), dtype=np.uint8)
        self.tables[:, : len(opening)] = opening
        self.lengths = np.full(candidates, len(opening))
        self.alive = np.ones(candidates, dtype=bool)
        self.ended, self.sure = np.zeros(candidates, dtype=bool), np.zeros(candidates)
        self.calmer = replace(how, temperature=max(COLDEST, how.temperature * calm))
        self.how, self.told = how, wishes.seconds * TOLD_LENGTH
        usual = None if human is None else human.usual(condition)
        self.held = Held(usual, candidates, how.temperature)
        self.rules = Rules(wishes, self.tables.shape[1])
        self.given = np.zeros(self.tables.shape[:2], dtype=bool)
        self.lead = np.zeros(self.tables.shape[:2], dtype=np.int64)
        if ahead is not None:
            self.given[:, : len(opening)], self.lead[:, : len(opening)] = ahead.given, ahead.lead
        self.pending, self.next = pending, np.zeros(candidates, dtype=np.int64)
        heard = opening.copy()
        heard[self.given[0, : len(opening)], 1] = REST
        self.past = Past.of(heard, earliest, candidates)
        self.moments = after(opening, candidates)
        end = min(wishes.seconds, until if heard_by is None else heard_by)
        self.balance = Balance.of(wishes.instruments, end, candidates, since)
        self.balance.take_in(opening)
        self.chances, self.steering, self.until = Chances(random, len(SIZES)), steering, until
        guided = how.guidance != 1.0 and plain(condition) != condition
        self.network = Guided(network, how.guidance) if guided else network
        self.engine = Engine(
            self.network, condition, candidates, context, self.told, steering,
            None if ahead is None else Marks(self.given, self.lead), guided, seen,
        )  # fmt: skip
        self.hidden: Tensor = self.engine.begin(opening)

    @torch.inference_mode()
    def run(
        self, progress: Callable[[float], None] | None = None, *, on_rows: OnRows | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> list[Draft]:  # fmt: skip
        """Compose until every candidate has ended, with one thread: more wait for one another.

        Args:
            progress: called now and then with the seconds of music that all candidates have.
            on_rows: called with the place of a candidate and rows, shape (n, 5), as soon as they
                are made: first the opening, then a row at a time, together its whole table.
            stop: asked before every row; whether to give up.

        Raises:
            Stopped: `stop` said so.
        """
        if on_rows is not None:
            for place in range(len(self.alive)):
                on_rows(place, self.tables[place, : self.past.rows])
        try:
            with one_thread():
                self._grow(progress, on_rows, stop)
        finally:
            self.chances.settle()
        return [
            Draft(
                self.tables[i, :length].copy(), bool(self.ended[i]), int(self.balance.forced[i]),
                float(self.sure[i] * self.ended[i]), self.given[i, :length].copy(),
                self.lead[i, :length].copy(),
            )
            for i, length in enumerate(self.lengths.tolist())
        ]  # fmt: skip

    def _grow(
        self, progress: Callable[[float], None] | None, on_rows: OnRows | None,
        stop: Callable[[], bool] | None,
    ) -> None:  # fmt: skip
        """Add row after row, as `run` says."""
        while self.alive.any():
            if stop is not None and stop():
                raise Stopped
            columns = self._next_row()
            if on_rows is not None:
                for place in np.flatnonzero(self.lengths == self.past.rows).tolist():
                    on_rows(place, self.tables[place, self.past.rows - 1 : self.past.rows])
            if not self.alive.any():
                break
            if progress is not None and self.past.rows % 16 == 0:
                progress(float(self.moments.seconds[self.alive].min()))
            self.hidden = self.engine.append(self.tables[:, : self.past.rows], columns)

    def _next_row(self) -> Features:
        """Choose the next row of every candidate field by field; its features."""
        chance, held = self.chances.next(), self.held
        x, past, link = self.hidden, self.past, self.network.choose
        bits = np.zeros(len(self.alive))
        copies = Copies(self.engine.echoes, self.network.model.config.copies)

        def foretold(field: int) -> Scores:
            return copies.merged(field, self.network.logits(field, x))

        def choose(
            field: int, allowed: Mask, bias: NDArray[np.float32] | float = 0.0,
            scores: Scores | None = None, warmth: Floats | float | None = None,
        ) -> NDArray[np.int64]:  # fmt: skip
            scores = (foretold(field) if scores is None else scores) + bias
            rare = END if field == 1 else -1
            how = self.calmer if field == 2 else self.how
            warm = held.warmth() if warmth is None else warmth
            sureness = held.sureness if field < 4 else 0.0  # players vary how loud repeats are
            chosen = sample(scores, allowed, chance[:, field], how, rare, warm, sureness)
            if held.aim is not None:
                bits[:] += surprisal(scores, allowed, chosen)
            copies.follow(field, chosen)
            return chosen

        overdue = self.balance.overdue(self.moments.seconds)
        due = self.pending.waits(self.next, self.moments.tick)
        waits, scores = self.rules.waits(past, self.moments), foretold(0)
        sooner = self.balance.sooner(
            overdue, past.instrument, due, lambda: probabilities(scores, waits)
        )
        wait = choose(0, waits, sooner, scores)
        comes = wait >= due
        wait = np.minimum(due, wait)
        now = self.moments.after_wait(wait)
        self.alive &= now.seconds < self.until
        columns = self._columns(now, comes)
        x = link(0, x, wait, columns)
        scores = foretold(1)
        allowed, bias, against = self._players(now, wait, overdue, scores)
        instrument = choose(1, allowed, bias, scores)
        if allowed[:, END].any():
            ends = probabilities(scores, np.ones_like(allowed))[:, END]
            self.sure = np.where(self.alive & (instrument == END), ends, self.sure)
        forced = against[np.arange(len(instrument)), instrument] & self.alive & ~comes
        x = link(1, x, instrument, None)
        harmony = self.steering.harmony(columns, instrument)
        pitches = self.rules.pitches(past, now, instrument)
        warmth = held.warmth(instrument == DRUMS)
        pitch = choose(2, pitches, harmony, warmth=warmth)
        x = link(2, x, pitch, None)
        duration = choose(3, self.rules.durations(now, instrument))
        x = link(3, x, duration, None)
        velocity = choose(4, self.rules.velocities(instrument))
        ids = np.array([wait, instrument, pitch, duration, velocity]).T
        if comes.any():
            ids[comes, 1:] = self.pending.ids[self.next[comes], 1:]
        held.take_in(bits, self.alive & ~comes)
        self._add(ids, now, comes, forced)
        return columns

    def _columns(self, now: Moments, comes: Mask) -> Features:
        """Features of the next row, and the marks of those that are pending."""
        row = self.past.rows
        if not comes.any():
            return features(now, self.told, controls=self.steering.at(now))
        self.given[comes, row] = self.pending.given[self.next[comes]]
        self.lead[comes, row] = self.pending.lead[self.next[comes]]
        given, sounds = self.given[:, row], now.ahead(self.lead[:, row])
        return features(sounds, self.told, controls=self.steering.at(sounds), given=given)

    def _overtime(self, now: Moments) -> NDArray[np.float64]:
        """How much of the time between the length told and the latest end is used up, 0 to 1."""
        latest = self.rules.wishes.seconds * LATEST_END
        over: NDArray[np.float64] = (now.seconds - self.told) / (latest - self.told)
        return np.minimum(np.maximum(over, 0.0), 1.0)

    def _players(
        self, now: Moments, wait: NDArray[np.int64], overdue: NDArray[np.float64], scores: Scores
    ) -> tuple[Mask, NDArray[np.float32], Mask]:
        """Which instruments may come, what is added to their scores, and whose notes are forced.

        Forced is one that nothing else is left for, and one that is raised though the model itself
        gives it less than `PLAUSIBLE`.
        """
        allowed = self.rules.instruments(self.past, now, wait)
        allowed[:, END] &= self.next == len(self.pending)
        last_call = self.rules.is_last_call(self.past, now)
        likely = probabilities(scores, allowed)
        bias = self.balance.bias(overdue, likely)
        against = (bias > 0.0) & (likely < PLAUSIBLE)
        must = self.balance.must_play(now.seconds, allowed, last_call, likely)[:, None]
        if (must >= 0).any():
            allowed = np.where(must >= 0, np.arange(SIZES[1]) == must, allowed)
            against |= must >= 0
        bias[:, END] = self._overtime(now) * END_BIAS
        return allowed, bias, against

    def _add(self, ids: NDArray[np.int64], now: Moments, comes: Mask, forced: Mask) -> None:
        """Write the row down for candidates that go on, and see which are finished."""
        row = self.past.rows
        if not self.alive.all():
            ids[~self.alive] = _FINISHED
        instrument = ids[:, 1]
        values = ids.copy()
        values[:, 2] -= PITCH_OFFSET[instrument]
        self.tables[:, row] = values
        free = self.rules.onsets_left(now) > 0  # else the limit leaves nothing but the end
        self.ended |= self.alive & (instrument == END) & free
        self.balance.add(instrument, now.seconds, self.alive & ~comes)
        self.balance.forced += forced
        self.past.add(ids, now.tick + self.lead[:, row], self.given[:, row])
        self.next += comes
        self.moments = now.after_row(instrument, values[:, 2])
        self.alive &= instrument != END
        self.lengths = np.where(self.alive, row + 1, self.lengths)
        self.alive &= ~self.rules.is_over(self.past, self.moments)


def generators(seed: int, places: Iterable[int]) -> list[np.random.Generator]:
    """A random generator for each candidate, which does not depend on which others there are."""
    return [np.random.default_rng([seed, place]) for place in places]


def after(opening: Table, candidates: int) -> Moments:
    """The state of time behind an opening, for each candidate."""
    if not len(opening):
        return Moments.beginning(candidates)
    last = moments_of(opening).take(np.full(candidates, len(opening) - 1))
    row = np.tile(opening[-1].astype(np.int64), (candidates, 1))
    return last.after_row(row[:, 1], row[:, 2])
