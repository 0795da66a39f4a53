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
from musenet.composing.rules import (
    EVENTS_PER_SECOND,
    LATEST_END,
    SPARE_EVENTS,
    Mask,
    Past,
    Rules,
    Wishes,
)
from musenet.composing.sampling import Sampling, sample
from musenet.condition import Condition
from musenet.events import END, NO_PITCH, PITCH_OFFSET, SIZES, Table
from musenet.features import Features, Moments, features, moments_of
from musenet.model import Model

TOLD_LENGTH = 0.97
"""Share of the length asked for that the model is told: pieces often outlast what it expects."""
END_BIAS = 4.0
"""What is added to the score of the end, growing from the length told to the latest end."""
_FINISHED = (0, END, NO_PITCH, 0, 0)


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
        most = int(wishes.seconds * LATEST_END * EVENTS_PER_SECOND) + SPARE_EVENTS
        self.tables = np.zeros((candidates, len(opening) + most, 5), dtype=np.uint8)
        self.tables[:, : len(opening)] = opening
        self.lengths = np.full(candidates, len(opening))
        self.alive = np.ones(candidates, dtype=bool)
        self.ended = np.zeros(candidates, dtype=bool)
        self.how, self.told = how, wishes.seconds * TOLD_LENGTH
        self.rules = Rules(wishes, self.tables.shape[1])
        self.past = Past.of(opening, earliest, candidates)
        self.moments = _after(opening, candidates)
        self.balance = Balance.of(wishes.instruments, wishes.seconds, candidates)
        self.balance.take_in(opening)
        self.random = [np.random.default_rng([seed, place]) for place in range(candidates)]
        self.heads = model.heads
        self.engine = Engine(model, condition, candidates, context, self.told)
        self.hidden: Tensor = self.engine.begin(opening)

    @torch.inference_mode()
    def run(self, progress: Callable[[float], None] | None = None) -> list[Draft]:
        """Compose until every candidate has ended."""
        while self.alive.any():
            columns = self._next_row()
            if not self.alive.any():
                break
            if progress is not None and self.past.rows % 16 == 0:
                progress(float(self.moments.seconds[self.alive].min()))
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

        def choose(
            field: int, allowed: Mask, bias: NDArray[np.float32] | float = 0.0
        ) -> NDArray[np.int64]:
            scores: NDArray[np.float32] = self.heads.logits(field, x).cpu().numpy()
            rare = END if field == 1 else -1
            return sample(scores + bias, allowed, chance[:, field], self.how, rare)

        def link(field: int, ids: NDArray[np.int64], columns: Features | None = None) -> Tensor:
            told = None if columns is None else torch.from_numpy(columns).to(x.device)
            return self.heads.choose(field, x, torch.from_numpy(ids).to(x.device), told)

        wait = choose(0, self.rules.waits(past, self.moments))
        now = self.moments.after_wait(wait)
        columns = features(now, self.told)
        x = link(0, wait, columns)
        allowed, forced = self._players(now, wait)
        bias = self.balance.bias(now.seconds)
        bias[:, END] = self._overtime(now) * END_BIAS
        instrument = choose(1, allowed, bias)
        x = link(1, instrument)
        pitch = choose(2, self.rules.pitches(past, now, instrument))
        x = link(2, pitch)
        duration = choose(3, self.rules.durations(now, instrument))
        x = link(3, duration)
        velocity = choose(4, self.rules.velocities(instrument))
        self._add(np.stack([wait, instrument, pitch, duration, velocity], axis=1), now, forced)
        return columns

    def _overtime(self, now: Moments) -> NDArray[np.float64]:
        """How much of the time between the length told and the latest end is used up, 0 to 1."""
        latest = self.rules.wishes.seconds * LATEST_END
        over: NDArray[np.float64] = (now.seconds - self.told) / (latest - self.told)
        return over.clip(0.0, 1.0)

    def _players(self, now: Moments, wait: NDArray[np.int64]) -> tuple[Mask, Mask]:
        """Which instruments may come, and for which candidates one is forced."""
        allowed = self.rules.instruments(self.past, now, wait)
        last_call = self.rules.is_last_call(self.past, now)
        must = self.balance.must_play(now.seconds, allowed, last_call)
        forced = must >= 0
        only = np.arange(SIZES[1]) == must[:, None]
        return np.where(forced[:, None], only, allowed), forced & self.alive

    def _add(self, ids: NDArray[np.int64], now: Moments, forced: Mask) -> None:
        """Write the row down for candidates that go on, and see which are finished."""
        row = self.past.rows
        ids[~self.alive] = _FINISHED
        instrument = ids[:, 1]
        values = ids.copy()
        values[:, 2] -= PITCH_OFFSET[instrument]
        self.tables[:, row] = values
        free = self.rules.onsets_left(now) > 0  # else the limit leaves nothing but the end
        self.ended |= self.alive & (instrument == END) & free
        self.balance.add(instrument, now.seconds, self.alive)
        self.balance.forced += forced
        self.past.add(ids, now.tick)
        self.moments = now.after_row(instrument, values[:, 2])
        self.alive &= instrument != END
        self.lengths = np.where(self.alive, row + 1, self.lengths)
        self.alive &= ~self.rules.is_over(self.past, self.moments)


def _after(opening: Table, candidates: int) -> Moments:
    """The state of time behind an opening, for each candidate."""
    if not len(opening):
        return Moments.beginning(candidates)
    last = moments_of(opening).take(np.full(candidates, len(opening) - 1))
    row = np.tile(opening[-1].astype(np.int64), (candidates, 1))
    return last.after_row(row[:, 1], row[:, 2])
