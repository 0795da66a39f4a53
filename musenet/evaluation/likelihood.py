"""Held-out likelihood in bits a note, and the baselines beside it.

Bits a note = -log2 p of all fields of all events after the prompt (rests, tempi, metres and
the end included), divided by the number of notes. The quantisation is that of the event table.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from musenet.condition import SOURCES, Condition
from musenet.corpus.shards import Split
from musenet.events import FIELDS, SIZES, Table, is_note, to_ids
from musenet.features import moments_of
from musenet.instruments import DRUMS
from musenet.model import PROMPT_ROWS, Model
from musenet.training.batches import Batch, Sample, collate, sample
from musenet.windows import window


@dataclass(frozen=True)
class Likelihood:
    """Bits summed over events, by field.

    Attributes:
        bits: shape (5,), in the order of `events.FIELDS`.
        notes: notes among the events.
        seconds: length of the music.
    """

    bits: NDArray[np.float64]
    notes: int
    seconds: float = 0.0

    def __add__(self, other: Likelihood) -> Likelihood:
        """The sum over both."""
        seconds = self.seconds + other.seconds
        return Likelihood(self.bits + other.bits, self.notes + other.notes, seconds)

    @property
    def bits_per_note(self) -> float:
        """All fields together."""
        return float(self.bits.sum() / max(1, self.notes))

    @property
    def by_field(self) -> dict[str, float]:
        """Bits a note of each field."""
        each = self.bits / max(1, self.notes)
        return {field: float(value) for field, value in zip(FIELDS, each, strict=True)}


NOTHING = Likelihood(np.zeros(len(FIELDS)), 0)


def batch_bits(model: Model, batch: Batch) -> torch.Tensor:
    """Bits of each field of each event of a batch, (B, T, 5), zero where it does not count."""
    ids = torch.as_tensor(batch.ids, device=model.device)
    columns = torch.as_tensor(batch.features, device=model.device)
    weights = torch.as_tensor(batch.weights, device=model.device)
    result: torch.Tensor = model(batch.conditions, ids, columns) * weights / np.log(2.0)
    return result


def piece_samples(
    table: Table, condition: Condition, context: int, *, told_length: bool, beat_known: bool = True
) -> Iterable[Sample]:
    """Windows that score every event of a piece once, half a context before those after the first.

    Args:
        table: the whole piece.
        condition: the prompt.
        context: events a window, reminders included; at least 4.
        told_length: whether part and countdown are told.
        beat_known: as in `features`.
    """
    seconds = float(moments_of(table).seconds[-1]) if told_length else np.nan
    first = 0
    while first < len(table):
        start = 0 if first == 0 else first - (context - 2) // 2
        start = start if start >= 2 else 0
        stop = min(len(table), start + context - (2 if start else 0))
        item = sample(window(table, start, stop), condition, seconds, beat_known=beat_known)
        fresh = stop - first
        item.weights[: len(item.ids) - fresh] = 0.0
        notes = int(is_note(table[first:stop]).sum())
        yield replace(item, notes=notes)
        first = stop


def split_samples(
    split: Split, pieces: Sequence[int], context: int, *, prompted: bool = False
) -> list[list[Sample]]:
    """The windows of chosen pieces, with their whole prompt or with none."""
    made = []
    for piece in pieces:
        row, table = split.pieces[piece], split.table(piece)
        condition = _whole_prompt(row, table) if prompted else Condition()
        beat_known = int(row["kind"]) // 2 != SOURCES.index("beatless")
        windows = piece_samples(
            table, condition, context, told_length=prompted, beat_known=beat_known
        )
        made.append(list(windows))
    return made


def _whole_prompt(row: np.void, table: Table) -> Condition:
    styles = [int(style) for style in row["styles"] if style >= 0]
    instruments = tuple(int(i) for i in np.unique(table[:, 1]) if i <= DRUMS)
    weighted = tuple((style, 1.0 / len(styles)) for style in styles)
    return Condition(weighted, instruments, int(row["key"]), int(row["kind"]))


@torch.inference_mode()
def score(model: Model, pieces: Sequence[Sequence[Sample]], batch_events: int) -> list[Likelihood]:
    """The likelihood of each piece given as windows; `batch_events` bounds memory alone."""
    flat = [(piece, item) for piece, items in enumerate(pieces) for item in items]
    flat.sort(key=lambda pair: len(pair[1].ids))
    results = [NOTHING] * len(pieces)
    while flat:
        longest = len(flat[-1][1].ids) + PROMPT_ROWS
        taken = [flat.pop() for _ in range(min(len(flat), max(1, batch_events // longest)))]
        bits = batch_bits(model, collate([item for _, item in taken])).sum(dim=1)
        for (piece, item), row in zip(taken, bits.double().cpu().numpy(), strict=True):
            results[piece] = results[piece] + Likelihood(row, item.notes)
    return results


def lzma_bits_per_note(tables: Iterable[Table]) -> float:
    """LZMA of the five-byte events, file by file."""
    bits = notes = 0
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]
    for table in tables:
        data = np.ascontiguousarray(table).tobytes()
        bits += 8 * len(lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters))
        notes += int(is_note(table).sum())
    return bits / max(1, notes)


def unigram_bits(train: Iterable[Table], tables: Iterable[Table]) -> Likelihood:
    """A model that knows only how often each value of each field stands in `train`."""
    counts = [np.ones(size) for size in SIZES]
    for table in train:
        for field, ids in enumerate(to_ids(table).T):
            counts[field] += np.bincount(ids, minlength=SIZES[field])
    cost = [-np.log2(count / count.sum()) for count in counts]
    total = NOTHING
    for table in tables:
        bits = [float(cost[field][ids].sum()) for field, ids in enumerate(to_ids(table).T)]
        total = total + Likelihood(np.array(bits), int(is_note(table).sum()))
    return total
