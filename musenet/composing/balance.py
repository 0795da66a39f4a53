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
SHORT = 100.0
"""Seconds of a section below which one that was not heard in it waits less, in proportion."""
SHARE, STEEPNESS = 0.012, 6.0
"""Share of the notes below which an instrument's score is raised, and how steeply."""
FLOOR, FLOOR_BIAS = 0.0065, 12.0
"""Share of the notes below which one that was heard is all but sure to come next."""
LENT = 3
"""Notes that each instrument is counted to have played, so that beginnings are left alone."""
LAST_CALL = 8.0
"""Seconds before the end of a minute when an instrument still unheard in it is forced; not more
than half of the section."""

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

    @property
    def _length(self) -> float:
        """Seconds of the section, at least one."""
        return max(1.0, self.seconds - self.since)

    def bias(self, seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        """What to add to the scores of the instruments, shape (candidates, 64)."""
        added = np.zeros(self.notes.shape, dtype=np.float32)
        if len(self.asked) < 2:
            return added
        own = self.notes[:, self.asked]
        pace = np.where(own == 0, min(1.0, self._length / SHORT), 1.0)
        silent = seconds[:, None] - self.last[:, self.asked] - PATIENCE * pace
        waiting = np.minimum(silent * (FULL_BIAS / FULL_BIAS_AFTER) / pace, FULL_BIAS)
        goal = min(SHARE, 0.5 / len(self.asked))
        total = np.add.reduce(self.notes, axis=1, keepdims=True)
        share = (own + LENT) / (total + LENT / goal)
        lacking = np.minimum(-STEEPNESS * np.log(share / goal), FULL_BIAS)
        lacking[(own > 0) & (own < FLOOR * total)] = FLOOR_BIAS
        added[:, self.asked] = np.maximum(np.maximum(waiting, lacking), 0.0)
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
        last = min(LAST_CALL, self._length / 2.0)
        urgent = (seconds >= stop - last) & ((minute == 0.0) | (stop - minute >= 30.0))
        if not (urgent | last_call).any():
            return np.full(len(seconds), -1)
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
        rows = ((instrument <= DRUMS) & alive).nonzero()[0]
        players = instrument[rows]
        self.notes[rows, players] += 1
        self.last[rows, players] = np.maximum(seconds[rows], _SOON)
