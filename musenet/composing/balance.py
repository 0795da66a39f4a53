"""Instruments that were asked for are heard: a bias that grows with the deficit.

An instrument waits for a moment at which the model itself gives it one chance in a hundred or
more, and in short sections waits are raised that lead to one. What comes against the model, raised
or forced as the last resort, is counted as forced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musenet.events import MAX_WAIT, SIZES, Table, is_note
from musenet.features import moments_of
from musenet.instruments import DRUMS

PLAUSIBLE = 0.01
"""Chance that the model itself gives a choice, from which on raising it is no forcing."""
ALLOWANCE = 0.01
"""Share of forced notes up to which, in sections of `SHORT` seconds and more, an instrument is
raised whatever the model gives it: now and then that also frees the music from a loop."""
PATIENCE = 20.0
"""Seconds an instrument may be silent before its score is raised."""
FULL_BIAS_AFTER = 20.0
"""Seconds of further silence until the bias is full."""
FULL_BIAS = 8.0
SHORT = 100.0
"""Seconds of a section below which one that was not heard in it waits less, by the square."""
ROOM = 16.0
"""Seconds of a section for each instrument; for each that is missing its score is raised by one
from the beginning until it is heard."""
HURRY = 3.0
"""By how much waits are raised, at most, after which one that was not heard may come in: from three
quarters of `SHORT` on less, and not at all in longer sections, which it would make too dense."""
SHARE, STEEPNESS = 0.02, 12.0
"""Share of the notes below which an instrument's score is raised, and how steeply."""
FLOOR, FLOOR_BIAS = 0.006, 12.0
"""Share of the notes below which one that was heard is all but sure to come next."""
LENT = 3
"""Notes that each instrument is counted to have played, so that beginnings are left alone."""
LAST_CALL = 24.0
"""Seconds before the end of a minute when the first of those still unheard in it is forced, if
none of the asked was heard; the fewer are left, the later. Not more than half of what the section
has of the minute."""

_SOON = 1e-6
"""A note at the very beginning counts as heard in the first minute."""


@dataclass
class Balance:
    """How much each instrument has played, for each candidate.

    Attributes:
        asked: ids of the instruments that must be heard.
        seconds: when the section ends.
        since: when the section begins.
        notes: shape (candidates, 64).
        last: seconds at which each was last heard, shape (candidates, 64).
        forced: notes whose instrument was forced or raised against the model, shape (candidates,).
    """

    asked: NDArray[np.int64]
    seconds: float
    since: float
    notes: NDArray[np.int64]
    last: NDArray[np.float64]
    forced: NDArray[np.int64]

    @classmethod
    def of(
        cls, asked: tuple[int, ...], seconds: float, candidates: int, since: float = 0.0
    ) -> Balance:
        """Nothing heard yet in a section from `since` to `seconds`."""
        shape = (candidates, SIZES[1])
        notes, forced = np.zeros(shape, np.int64), np.zeros(candidates, np.int64)
        last = np.full(shape, since)
        return cls(np.array(asked, np.int64), seconds, since, notes, last, forced)

    def take_in(self, opening: Table) -> None:
        """Count the section's notes in an opening that all candidates share."""
        seconds = moments_of(opening).seconds
        note = is_note(opening) & (seconds >= self.since)
        players = opening[note, 1]
        self.notes += np.bincount(players, minlength=SIZES[1])
        np.maximum.at(self.last.T, players, seconds[note, None])
        self.last[:, players] = np.maximum(self.last[:, players], _SOON)

    @property
    def _length(self) -> float:
        """Seconds of the section, at least one."""
        return max(1.0, self.seconds - self.since)

    def overdue(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how much to raise the scores of those asked for, shape (candidates, asked)."""
        own = self.notes[:, self.asked]
        pace = np.where(own == 0, min(1.0, self._length / SHORT) ** 2, 1.0)
        silent = seconds[:, None] - self.last[:, self.asked] - PATIENCE * pace
        waiting = silent * (FULL_BIAS / FULL_BIAS_AFTER) / pace
        if len(self.asked) > 1:
            crowd = ROOM - self._length / len(self.asked)
            waiting = np.maximum(waiting, np.where(own == 0, crowd, 0.0))
        waiting[self._unheard(seconds)] = FULL_BIAS
        goal = min(SHARE, 0.5 / len(self.asked))
        total = np.add.reduce(self.notes, axis=1, keepdims=True)
        share = (own + LENT) / (total + LENT / goal)
        lacking = -STEEPNESS * np.log(share / goal)
        raised: NDArray[np.float64] = np.maximum(waiting, lacking).clip(0.0, FULL_BIAS)
        return raised

    def sooner(
        self, overdue: NDArray[np.float64], behind: NDArray[np.int64], due: NDArray[np.int64],
        likely: Callable[[], NDArray[np.float64]],
    ) -> NDArray[np.float32]:  # fmt: skip
        """What to add to the scores of the waits, shape (candidates, wait vocabulary).

        Those are raised after which an instrument that was not heard yet may come in: none, if it
        stands behind the last one in the order within a tick, and all before the next given note.

        Args:
            overdue: as `overdue` returns it.
            behind: instrument of the last row, shape (candidates,).
            due: ticks until the next given note, shape (candidates,).
            likely: tells what the model itself gives each wait, shape (candidates, wait
                vocabulary); asked only where somebody was not heard.
        """
        added = np.zeros((len(due), SIZES[0]), dtype=np.float32)
        most = HURRY * min(1.0, 4.0 * max(0.0, 1.0 - self._length / SHORT))
        never = np.where(self.notes[:, self.asked] == 0, np.minimum(overdue, most), 0.0)
        if not never.any():
            return added
        follows = (self.asked > behind[:, None]) | (behind[:, None] > DRUMS)
        added[:, 0] = (never * follows).max(axis=1)
        before = (np.arange(SIZES[0]) < due[:, None]) & (due[:, None] < MAX_WAIT)
        added = np.where(before, never.max(axis=1, keepdims=True), added)
        return np.where(likely() >= PLAUSIBLE, added, 0.0).astype(np.float32)

    def bias(
        self, overdue: NDArray[np.float64], likely: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """What to add to the scores of the instruments, shape (candidates, 64).

        Of those never heard only the first in the order within a tick is raised: the others can
        still follow it there.

        Args:
            overdue: as `overdue` returns it.
            likely: what the model itself gives each instrument, shape (candidates, 64).
        """
        added = np.zeros(self.notes.shape, dtype=np.float32)
        if len(self.asked) < 2:
            return added
        own = self.notes[:, self.asked]
        total = np.add.reduce(self.notes, axis=1, keepdims=True)
        spare = (self.forced[:, None] + 1 <= ALLOWANCE * total) & (self._length >= SHORT)
        raised = np.where(spare | (likely[:, self.asked] >= PLAUSIBLE), overdue, 0.0)
        first = np.where((own == 0) & (raised > 0.0), self.asked, SIZES[1])
        raised[(own == 0) & (first > first.min(axis=1, keepdims=True))] = 0.0
        raised[(own > 0) & (own < FLOOR * total)] = FLOOR_BIAS
        added[:, self.asked] = raised
        return added

    def must_play(
        self, seconds: NDArray[np.float64], allowed: NDArray[np.bool_],
        last_call: NDArray[np.bool_], likely: NDArray[np.float64],
    ) -> NDArray[np.int64]:  # fmt: skip
        """The instrument to force for each candidate, the likeliest; -1 for none.

        Args:
            seconds: time of the note to come, shape (candidates,).
            allowed: instruments that the rules allow there, shape (candidates, 64).
            last_call: whether each note to come must be by one not yet heard, shape (candidates,).
            likely: what the model itself gives each instrument, shape (candidates, 64).
        """
        unheard = self._unheard(seconds)
        unheard |= (self.notes[:, self.asked] == 0) & last_call[:, None]
        unheard &= allowed[:, self.asked]
        if not unheard.any():
            return np.full(len(seconds), -1)
        chance = np.where(unheard, likely[:, self.asked], -1.0)
        forced = unheard.any(axis=1) & (last_call | (chance.max(axis=1) < PLAUSIBLE))
        result: NDArray[np.int64] = np.where(forced, self.asked[chance.argmax(axis=1)], -1)
        return result

    def _unheard(self, seconds: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Who is to be heard before the minute is over, and time is short."""
        minute = np.floor(seconds / 60.0) * 60.0
        stop = np.minimum(minute + 60.0, self.seconds)
        begin = np.maximum(minute, self.since)
        silent: NDArray[np.bool_] = self.last[:, self.asked] <= begin[:, None]
        left = (np.add.reduce(silent, axis=1, dtype=int) + 2) / (len(self.asked) + 2)
        late = seconds >= stop - np.minimum(LAST_CALL, (stop - begin) / 2.0) * left
        urgent: NDArray[np.bool_] = late & ((minute == 0.0) | (stop - minute >= 30.0))
        return silent & urgent[:, None]

    def add(
        self, instrument: NDArray[np.int64], seconds: NDArray[np.float64], alive: NDArray[np.bool_]
    ) -> None:
        """Note down what each candidate that is not finished plays."""
        rows = ((instrument <= DRUMS) & alive).nonzero()[0]
        players = instrument[rows]
        self.notes[rows, players] += 1
        self.last[rows, players] = np.maximum(seconds[rows], _SOON)


def probabilities(
    scores: NDArray[np.floating[Any]], allowed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """What a model itself gives each value that is allowed, shape (rows, values)."""
    masked = np.where(allowed, scores, np.float64(-1e9))
    masked -= np.maximum.reduce(masked, axis=1, keepdims=True)
    weights = np.exp(masked) * allowed
    total = np.add.reduce(weights, axis=1, keepdims=True)
    return weights / np.where(total > 0.0, total, 1.0)
