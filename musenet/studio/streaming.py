"""Rows of an event table, as they are composed, to notes as the API tells them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from musenet.events import METRE_EVENT, TEMPO_EVENT, Table
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.quantise import DURATIONS, METRES, TEMPI, VELOCITIES
from musenet.score import DEFAULT_BPM, TICKS_PER_BEAT

_NAMES = tuple(instrument.name for instrument in INSTRUMENTS)


class Telling(Protocol):
    """What reads the rows of one candidate, in order, and tells its notes."""

    @property
    def seen(self) -> int:
        """Notes read so far."""

    def read(self, rows: Table) -> None:
        """Take rows in, shape (n, 5): the opening first, then what comes behind it."""

    def take(self) -> dict[str, Any] | None:
        """What is new since the last time, as the event `notes` tells it; None for nothing."""


@dataclass
class Reader:
    """Reads the rows of one candidate, in order.

    Attributes:
        tick: time reached, and the same in `seconds`.
        per_tick: seconds a tick.
        notes: told since the last `take`; likewise `tempos` and `metres`.
        seen: notes read so far.
    """

    tick: int = 0
    seconds: float = 0.0
    per_tick: float = 60.0 / DEFAULT_BPM / TICKS_PER_BEAT
    notes: list[dict[str, Any]] = field(default_factory=list)
    tempos: list[dict[str, Any]] = field(default_factory=list)
    metres: list[dict[str, Any]] = field(default_factory=list)
    seen: int = 0

    def read(self, rows: Table) -> None:
        """Take rows in, shape (n, 5)."""
        for wait, kind, value, duration, velocity in rows.tolist():
            self.tick += wait
            self.seconds += wait * self.per_tick
            if kind <= DRUMS:
                self._note(kind, value, duration, velocity)
            elif kind == TEMPO_EVENT:
                bpm = float(TEMPI[value])
                self.per_tick = 60.0 / bpm / TICKS_PER_BEAT
                self.tempos.append({"tick": self.tick, "bpm": round(bpm, 4),
                                    "start": round(self.seconds, 4)})  # fmt: skip
            elif kind == METRE_EVENT:
                numerator, denominator = METRES[value]
                self.metres.append({"tick": self.tick, "numerator": numerator,
                                    "denominator": denominator})  # fmt: skip

    def _note(self, instrument: int, pitch: int, duration: int, velocity: int) -> None:
        ticks = int(DURATIONS[duration - 1]) if duration else 1
        self.seen += 1
        stop = self.seconds + ticks * self.per_tick
        level = int(VELOCITIES[velocity - 1])
        self.notes.append(told_note(instrument, pitch, level, self.tick, ticks, self.seconds, stop))

    def take(self) -> dict[str, Any] | None:
        """What is new since the last time, as the event `notes` tells it; None for nothing."""
        if not (self.notes or self.tempos or self.metres):
            return None
        told = {"notes": self.notes, "tempos": self.tempos, "metres": self.metres,
                "seconds": round(self.seconds, 4)}  # fmt: skip
        self.notes, self.tempos, self.metres = [], [], []
        return told


def told_note(
    instrument: int, pitch: int, velocity: int, onset: int, ticks: int, start: float, stop: float
) -> dict[str, Any]:
    """A note as the API tells it; times in ticks and in seconds."""
    return {
        "instrument": _NAMES[instrument], "pitch": pitch, "velocity": velocity, "onset": onset,
        "duration": ticks, "start": round(start, 4), "stop": round(stop, 4),
    }  # fmt: skip


def fresh(readers: Sequence[Telling]) -> Iterator[dict[str, Any]]:
    """The data of an event `notes` for each candidate that has something new."""
    for candidate, reader in enumerate(readers):
        if told := reader.take():
            yield {"candidate": candidate, **told}
