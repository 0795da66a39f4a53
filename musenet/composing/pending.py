"""What is to come whatever is composed: given notes, and the tempi and metres of a given piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.events import END, REST, to_ids
from musenet.given import Anticipated

_NEVER = np.iinfo(np.int64).max // 2


@dataclass(frozen=True)
class Pending:
    """Rows that take their place in the sequence as soon as nothing else comes before them.

    Attributes:
        ids: as the model reads them, shape (rows, 5).
        tick: where each stands, rising, shape (rows + 1,); the last is never reached.
        given: which are given notes, shape (rows,).
        lead: ticks from where each stands to where it sounds, shape (rows,).
    """

    ids: NDArray[np.int64]
    tick: NDArray[np.int64]
    given: NDArray[np.bool_]
    lead: NDArray[np.int64]

    @classmethod
    def of(cls, ahead: Anticipated, start: int) -> Pending:
        """The rows of a piece that stand at tick `start` or later."""
        tick = np.cumsum(ahead.table[:, 0], dtype=np.int64)
        coming = (tick >= start) & ~np.isin(ahead.table[:, 1], (REST, END))
        return cls(
            to_ids(ahead.table[coming]),
            np.append(tick[coming], _NEVER),
            ahead.given[coming],
            ahead.lead[coming],
        )

    def __len__(self) -> int:
        """How many rows."""
        return len(self.ids)

    def waits(self, place: NDArray[np.int64], tick: NDArray[np.int64]) -> NDArray[np.int64]:
        """Ticks from `tick` to the row at each place, shape (candidates,)."""
        return self.tick[place] - tick


NOTHING = Pending(
    np.zeros((0, 5), np.int64), np.array([_NEVER]), np.zeros(0, np.bool_), np.zeros(0, np.int64)
)
"""Nothing is to come."""
