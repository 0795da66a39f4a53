"""Rows of an arrangement, as they are composed, to notes: what stays first, then the new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musenet import midi
from musenet.composing.arranging import Arrangement, arrangement_of
from musenet.composing.pending import Pending
from musenet.composing.prompt import players_of
from musenet.composing.sections import Section
from musenet.events import Table
from musenet.instruments import DRUMS
from musenet.quantise import DURATIONS, VELOCITIES
from musenet.score import TICKS_PER_BEAT, Score, resample, seconds_at
from musenet.studio.pieces import to_json
from musenet.studio.streaming import told_note


@dataclass(frozen=True, eq=False)
class Stay:
    """What stays of a piece into which is composed.

    Attributes:
        score: its notes, 24 ticks to the beat.
        pending: given rows that take their places among the new ones.
    """

    score: Score
    pending: Pending


def stay_of(
    given: Score, instruments: Sequence[str], bars: tuple[int, int] | None, *, keep: bool
) -> Stay:
    """What stays of a piece, as `Composer.arrange` lays it out.

    Raises:
        UserError: an unknown instrument, or bars that the piece does not have.
    """
    players = players_of(Section(instruments=tuple(instruments)), tuple(given.instruments))
    layout = arrangement_of(given, players, bars, keep=keep)
    left = replace(given, notes=given.notes[~_replaced(given, layout)])
    return Stay(resample(left, TICKS_PER_BEAT), layout.pending)


def _replaced(given: Score, layout: Arrangement) -> NDArray[np.bool_]:
    """Which notes new ones take the place of, shape (notes,)."""
    removal, onset = layout.removal, given.notes["onset"]
    if removal is None:
        return np.zeros(len(onset), dtype=bool)
    inside = (onset >= removal.start) & (onset < (removal.stop or midi.MAX_TICK))
    mine: NDArray[np.bool_] = np.isin(given.notes["instrument"], list(removal.instruments or ()))
    return inside & mine


@dataclass
class Joining:
    """Reads the rows of one candidate, in order, as `streaming.Reader` does.

    A row that stands where the next given row is pending is that one, and no other is: it takes
    its place as soon as nothing new comes before it.

    Attributes:
        stay: what is told first.
        tick: time reached, and the same in `seconds`; the tick is -1 before the opening.
        place: given row that comes next.
        told: what is new since the last `take`, as the event `notes` tells it.
        seen: notes read so far.
    """

    stay: Stay
    tick: int = -1
    seconds: float = 0.0
    place: int = 0
    told: dict[str, Any] = field(default_factory=dict)
    seen: int = 0

    def read(self, rows: Table) -> None:
        """Take rows in, shape (n, 5): the opening first, then what comes behind it."""
        if self.tick < 0:
            self.tick = int(rows[:, 0].sum(dtype=np.int64))
            self.seen = len(self.stay.score.notes)
            whole = to_json(self.stay.score)
            self.told = {name: whole[name] for name in ("notes", "tempos", "metres")}
        else:
            for row in rows.tolist():
                self._read(*row)
        self.seconds = float(seconds_at(self.stay.score, self.tick))

    def _read(self, wait: int, kind: int, pitch: int, duration: int, velocity: int) -> None:
        self.tick += wait
        if self.tick == self.stay.pending.tick[self.place]:
            self.place += 1
        elif kind <= DRUMS:
            ticks = int(DURATIONS[duration - 1]) if duration else 1
            start, stop = seconds_at(self.stay.score, [self.tick, self.tick + ticks]).tolist()
            self.seen += 1
            self.told.setdefault("notes", []).append(
                told_note(kind, pitch, int(VELOCITIES[velocity - 1]), self.tick, ticks, start, stop)
            )

    def take(self) -> dict[str, Any] | None:
        """What is new since the last time, as the event `notes` tells it; None for nothing."""
        if not self.told:
            return None
        told, self.told = self.told, {}
        return {"notes": [], "tempos": [], "metres": [], **told, "seconds": round(self.seconds, 4)}
