"""Instruments that were asked for are heard: a bias that grows with the deficit.

Forcing an instrument is the last resort, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.events import SIZES, Table, is_note
from musenet.features import moments_of
from musenet.instruments import DRUMS

PATIENCE = 20.0
"""Seconds an instrument may be silent before its score is raised."""
FULL_BIAS_AFTER = 20.0
"""Seconds of further silence until the bias is full."""
FULL_BIAS = 8.0
SHARE, STEEPNESS = 0.012, 6.0
"""Share of the notes below which an instrument's score is raised, and how steeply."""
LENT = 3
"""Notes that each instrument is counted to have played, so that beginnings are left alone."""
LAST_CALL = 8.0
"""Seconds before the end of a minute when an instrument still unheard in it is forced."""

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
        forced: notes whose instrument was forced, shape (candidates,).
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

    def bias(self, seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        """What to add to the scores of the instruments, shape (candidates, 64)."""
        added = np.zeros(self.notes.shape, dtype=np.float32)
        if len(self.asked) < 2:
            return added
        silent = seconds[:, None] - self.last[:, self.asked]
        waiting = ((silent - PATIENCE) / FULL_BIAS_AFTER).clip(0.0, 1.0) * FULL_BIAS
        goal = min(SHARE, 0.5 / len(self.asked))
        total = self.notes.sum(axis=1, keepdims=True)
        share = (self.notes[:, self.asked] + LENT) / (total + LENT / goal)
        lacking = (-STEEPNESS * np.log(share / goal)).clip(0.0, FULL_BIAS)
        added[:, self.asked] = np.maximum(waiting, lacking)
        return added

    def must_play(
        self, seconds: NDArray[np.float64], allowed: NDArray[np.bool_], last_call: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """The instrument to force for each candidate, -1 for none.

        Args:
            seconds: time of the note to come, shape (candidates,).
            allowed: instruments that the rules allow there, shape (candidates, 64).
            last_call: whether each note to come must be by one not yet heard, shape (candidates,).
        """
        minute = np.floor(seconds / 60.0) * 60.0
        stop = np.minimum(minute + 60.0, self.seconds)
        urgent = (seconds >= stop - LAST_CALL) & ((minute == 0.0) | (stop - minute >= 30.0))
        silent = self.last[:, self.asked] <= np.maximum(minute, self.since)[:, None]
        never = self.notes[:, self.asked] == 0
        unheard = (silent & urgent[:, None]) | (never & last_call[:, None])
        unheard &= allowed[:, self.asked]
        result: NDArray[np.int64] = np.where(
            unheard.any(axis=1), self.asked[unheard.argmax(axis=1)], -1
        )
        return result

    def add(
        self, instrument: NDArray[np.int64], seconds: NDArray[np.float64], alive: NDArray[np.bool_]
    ) -> None:
        """Note down what each candidate that is not finished plays."""
        rows = np.flatnonzero((instrument <= DRUMS) & alive)
        self.notes[rows, instrument[rows]] += 1
        self.last[rows, instrument[rows]] = np.maximum(seconds[rows], _SOON)
