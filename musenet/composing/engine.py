"""Decoding with a cache: hidden states of growing pieces, within a sliding context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from musenet.composing.guidance import plain, with_plain
from musenet.composing.network import Network
from musenet.composing.steering import UNSTEERED, Steering
from musenet.condition import Condition, stack
from musenet.echoes import Echoes, Listener, no_echoes
from musenet.events import Table, to_ids
from musenet.features import Features, features
from musenet.model import PROMPT_ROWS, Cache
from musenet.windows import Window, window


@dataclass(frozen=True)
class Marks:
    """Given notes among the rows of candidates.

    Attributes:
        given: which rows they are, shape (candidates, rows).
        lead: ticks from where they stand to where they sound, shape (candidates, rows).
    """

    given: NDArray[np.bool_]
    lead: NDArray[np.int64]


class Engine:
    """Runs the network over candidates that share a prompt and grow in step.

    The cache holds the prompt and up to `context` events. When it is full the window slides:
    the last half is read again as a window of its own, exactly as a crop in training.
    """

    def __init__(
        self, network: Network, condition: Condition, candidates: int, context: int,
        total_seconds: float, steering: Steering = UNSTEERED, marks: Marks | None = None,
        guided: bool = False, seen: NDArray[np.bool_] | None = None,
    ) -> None:  # fmt: skip
        """Prepare for `candidates` pieces of `total_seconds` each.

        Args:
            network: the model, laid out for composing.
            condition: the prompt.
            candidates: how many.
            context: events that it sees at once.
            total_seconds: length that it is told.
            steering: chords, density, dynamics, key and style.
            marks: of given notes, which the caller fills in as rows come; None without any. With
                them no echoes are told.
            guided: whether the states of the candidates are followed by those of plain prompts, as
                a `Guided` network takes them.
            seen: which rows of the opening the network sees, shape (rows,); by default all.
        """
        self.network, self.model = network, network.model
        self.conditions = (condition, plain(condition)) if guided else (condition,)
        self.candidates = candidates
        self.context = context
        self.total_seconds = total_seconds
        self.steering, self.marks = steering, marks
        self.unseen = np.zeros(0, dtype=np.bool_) if seen is None else ~seen
        self._cache: Cache | None = None
        self._listener: Listener | None = None

    @torch.inference_mode()
    def begin(self, opening: Table) -> Tensor:
        """Read a common opening once; the hidden state that foretells the next event.

        Args:
            opening: rows so far, shape (n, 5); may be empty.

        Returns:
            Shape (candidates, D), twice as many if guided.
        """
        if self.marks is None:
            self._listener = Listener(opening, self.candidates, self._seen(len(opening)))
        return self._read([opening], self.candidates)

    @torch.inference_mode()
    def append(self, tables: NDArray[np.uint8], columns: Features) -> Tensor:
        """Take in the last row of each candidate; the hidden state that foretells the next.

        Args:
            tables: all rows so far, shape (candidates, n, 5).
            columns: features of the last rows, shape (candidates, F).

        Returns:
            Shape (candidates, D), twice as many if guided.
        """
        if self._listener is not None:
            self._listener.append(tables[:, -1])
        if self._cache is None or self._cache.length >= PROMPT_ROWS + self.context:
            return self._read(list(tables))
        columns = np.concatenate([columns, self.echoes], axis=1)
        return self.network.step(to_ids(tables[:, -1]), columns, [self._cache])

    @property
    def echoes(self) -> Echoes:
        """Of the last row of each candidate; none where notes are given ahead of time."""
        return no_echoes(self.candidates) if self._listener is None else self._listener.echoes

    def _seen(self, length: int) -> NDArray[np.bool_]:
        """Which of so many rows the network sees."""
        seen = np.ones(length, dtype=np.bool_)
        seen[: len(self.unseen)] = ~self.unseen
        return seen

    def _columns(self, place: int, view: Window, rows: NDArray[np.int64]) -> Features:
        """Features of a window of a candidate that has some of its rows."""
        moments, given = view.moments, np.zeros(len(view.table), dtype=bool)
        if self.marks is not None:
            told = (view.reminders, 0)
            given = np.pad(self.marks.given[place, rows], told)
            moments = moments.ahead(np.pad(self.marks.lead[place, rows], told))
        controls = self.steering.at(moments)
        columns = features(moments, self.total_seconds, controls=controls, given=given)
        heard = view.echoes if self.marks is None else no_echoes(len(columns))
        return np.concatenate([columns, heard], axis=1)

    def _read(self, tables: Sequence[Table], times: int = 1) -> Tensor:
        """Fill the cache with a window over the last rows of one or of all candidates.

        Each then stands `times` times in a row.
        """
        length = len(tables[0])
        seen = self._seen(length)
        rows = np.flatnonzero(seen)
        if len(rows) >= self.context:
            rows = rows[-(self.context // 2) :]
        start = int(rows[0]) if len(rows) else length
        views = [window(table, start, length, seen) for table in tables]
        ids = np.stack([to_ids(view.table) for view in views] * len(self.conditions))
        columns = np.stack([self._columns(place, view, rows) for place, view in enumerate(views)])
        if len(self.conditions) > 1:
            columns = with_plain(columns)
        told = [condition for condition in self.conditions for _ in views]
        begins = [view.begins for view in views] * len(self.conditions)
        device = self.model.device
        x_BTD, ticks_BT = self.model.embed(
            stack(told, begins), torch.from_numpy(ids).to(device),
            torch.from_numpy(columns).to(device),
        )  # fmt: skip
        hidden, self._cache = self.network.read(
            x_BTD, ticks_BT, PROMPT_ROWS + self.context, times, self._cache
        )
        return hidden
