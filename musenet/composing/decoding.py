"""The decoding loop: from a prompt to finished event tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musenet.composing.balance import Balance
from musenet.composing.engine import Engine
from musenet.composing.rules import LATEST_END, Mask, Past, Rules, Wishes
from musenet.composing.sampling import Sampling, sample
from musenet.condition import Condition
from musenet.events import END, NO_PITCH, PITCH_OFFSET, REST, Table, is_note, to_ids
from musenet.features import Features, Moments, features, moments_of
from musenet.model import Model

_FINISHED = (0, END, NO_PITCH, 0, 0)
MAX_EVENTS_PER_SECOND = 80
"""More than this a piece cannot grow; it bounds memory."""


@dataclass(frozen=True)
class Draft:
    """One candidate as the model left it.

    Attributes:
        table: all rows, opening included, without the end.
        ended: whether the model ended it (else the limit did).
        forced: notes whose instrument was forced.
    """

    table: Table
    ended: bool
    forced: int


class Decoder:
    """Composes candidates in step, row by row."""

    def __init__(
        self, model: Model, condition: Condition, wishes: Wishes, how: Sampling, *,
        opening: Table, earliest: int, seed: int, candidates: int, context: int,
    ) -> None:  # fmt: skip
        """Take the opening in; `earliest` is the first tick at which new notes may begin."""
        self.how, self.wishes, self.rules = how, wishes, Rules(wishes)
        self.engine = Engine(model, condition, candidates, context, wishes.seconds)
        self.heads = model.heads
        self.random = [np.random.default_rng([seed, place]) for place in range(candidates)]
        self.past = Past.nothing(candidates)
        self.past.earliest[:] = earliest
        self.balance = Balance.of(wishes.instruments, wishes.seconds, candidates)
        self.alive = np.ones(candidates, dtype=bool)
        self.ended = np.zeros(candidates, dtype=bool)
        self.moments = Moments.beginning(candidates)
        most = int(wishes.seconds * LATEST_END * MAX_EVENTS_PER_SECOND) + 1_000
        self.tables = np.zeros((candidates, len(opening) + most, 5), dtype=np.uint8)
        self.lengths = np.full(candidates, len(opening))
        self._remember(opening)
        self.hidden: Tensor = self.engine.begin(opening)

    def _remember(self, opening: Table) -> None:
        count = len(self.alive)
        self.tables[:, : len(opening)] = opening
        ids, states = to_ids(opening), moments_of(opening)
        for row in range(len(opening)):
            tick = np.repeat(states.tick[row], count)
            self.past.add(np.repeat(ids[row : row + 1], count, axis=0), tick)
            instrument, seconds = ids[row, 1].repeat(count), states.seconds[row].repeat(count)
            self.balance.add(instrument, seconds, self.alive)
        if len(opening):
            last = states.take(np.repeat(len(opening) - 1, count))
            rows = np.repeat(opening[-1:].astype(np.int64), count, axis=0)
            self.moments = last.after_row(rows[:, 1], rows[:, 2])

    @torch.inference_mode()
    def run(self, progress: Callable[[float], None] | None = None) -> list[Draft]:
        """Compose until every candidate has ended."""
        while self.alive.any():
            columns = self._next_row()
            if progress is not None and self.past.rows % 16 == 0:
                progress(float(self.moments.seconds[self.alive].min(initial=self.wishes.seconds)))
            if not self.alive.any() or self.past.rows >= self.tables.shape[1]:
                break
            self.hidden = self.engine.append(self.tables[:, : self.past.rows], columns)
        return [
            Draft(self.tables[i, : self.lengths[i]].copy(), bool(self.ended[i]),
                  int(self.balance.forced[i]))
            for i in range(len(self.alive))
        ]  # fmt: skip

    def _next_row(self) -> Features:
        """Choose the next row of every candidate field by field; its features."""
        chance = np.stack([generator.random(5) for generator in self.random])
        x, past = self.hidden, self.past

        def choose(field: int, allowed: Mask, bias: NDArray[np.float32] | None) -> NDArray[np.int64]:
            scores = self.heads.logits(field, x).cpu().numpy()
            if bias is not None:
                scores = scores + bias
            return sample(scores, allowed, chance[:, field], self.how)

        def link(field: int, ids: NDArray[np.int64], columns: Features | None = None) -> Tensor:
            told = None if columns is None else torch.from_numpy(columns).to(x.device)
            return self.heads.choose(field, x, torch.from_numpy(ids).to(x.device), told)

        wait = choose(0, self.rules.waits(past, self.moments), None)
        now = self.moments.after_wait(wait)
        columns = features(now, self.wishes.seconds)
        x = link(0, wait, columns)
        allowed, forced = self._players(now, wait)
        instrument = choose(1, allowed, self.balance.bias(now.seconds))
        x = link(1, instrument)
        pitch = choose(2, self.rules.pitches(past, now, instrument), None)
        x = link(2, pitch)
        duration = choose(3, self.rules.durations(now, instrument), None)
        x = link(3, duration)
        velocity = choose(4, self.rules.velocities(instrument), None)
        self._add(np.stack([wait, instrument, pitch, duration, velocity], axis=1), now, forced)
        return columns

    def _players(self, now: Moments, wait: NDArray[np.int64]) -> tuple[Mask, Mask]:
        """Which instruments may come, and for which candidates one is forced."""
        allowed = np.array(self.rules.instruments(self.past, now, wait))
        must = self.balance.must_play(now.seconds, allowed)
        forced = (must >= 0) & (self.past.rows >= 2)
        for row in np.flatnonzero(forced):
            allowed[row] = False
            allowed[row, must[row]] = True
        return allowed, forced & self.alive

    def _add(self, ids: NDArray[np.int64], now: Moments, forced: Mask) -> None:
        """Write the row down for candidates that go on, and see which are finished."""
        row = self.past.rows
        ids[~self.alive] = _FINISHED
        instrument = ids[:, 1]
        values = ids.copy()
        values[:, 2] -= PITCH_OFFSET[instrument]
        self.tables[:, row] = values
        self.ended |= self.alive & (instrument == END)
        self.balance.add(instrument, now.seconds, self.alive)
        self.balance.forced += forced
        self.past.add(ids, now.tick)
        self.moments = now.after_row(instrument, values[:, 2])
        self.alive &= instrument != END
        self.lengths = np.where(self.alive, row + 1, self.lengths)
        self.alive &= self.rules.ticks_left(self.moments) > 0


def without_end(table: Table) -> Table:
    """A table up to its last note, tempo or metre: an opening that can be carried on."""
    useful = np.flatnonzero((table[:, 1] != END) & (table[:, 1] != REST))
    return table[: int(useful[-1]) + 1 if len(useful) else 0]


def notes_in(table: Table) -> int:
    """Notes among the rows."""
    return int(is_note(table).sum())
