"""Held-out likelihood in bits a note, and the baselines beside it.

Bits a note = -log2 p of all fields of all events after the prompt (rests, tempi, metres and
the end included), divided by the number of notes. The quantisation is that of the event table.
A long piece is scored in windows; `overlap` events before each window's own are told and not
scored, so that every event has at least so many before it where the piece does.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from musenet.condition import Condition, has_beat
from musenet.corpus.shards import Split
from musenet.events import FIELDS, SIZES, Table, is_note, to_ids
from musenet.features import moments_of
from musenet.instruments import DRUMS
from musenet.model import PROMPT_ROWS, Model
from musenet.training.batches import Batch, Sample, collate, sample
from musenet.windows import window

ENOUGH = 1024
"""Events before each scored one, where piece and model have them."""
_REMINDERS = 2


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
    def bits_per_second(self) -> float:
        """All fields together, by the length of the music; 0 for none."""
        return float(self.bits.sum() / self.seconds) if self.seconds else 0.0

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


def default_overlap(context: int) -> int:
    """`ENOUGH` where a window leaves half as many to score, else half the window."""
    return ENOUGH if context >= 3 * ENOUGH // 2 else (context - _REMINDERS) // 2


def piece_samples(
    table: Table,
    condition: Condition,
    context: int,
    *,
    told_length: bool,
    beat_known: bool = True,
    overlap: int | None = None,
) -> Iterable[Sample]:
    """Windows that score every event of a piece once.

    Args:
        table: the whole piece.
        condition: the prompt.
        context: events a window, reminders included; at least 4.
        told_length: whether part and countdown are told.
        beat_known: as in `features`.
        overlap: events of the piece told again before those that a window scores, less than
            `context` - 2; None for half a window.
    """
    seconds = float(moments_of(table).seconds[-1]) if told_length else np.nan
    before = (context - _REMINDERS) // 2 if overlap is None else overlap
    first = 0
    while first < len(table):
        start = 0 if first == 0 else first - before
        start = start if start >= _REMINDERS else 0
        stop = min(len(table), start + context - (_REMINDERS if start else 0))
        item = sample(window(table, start, stop), condition, seconds, beat_known=beat_known)
        fresh = stop - first
        item.weights[: len(item.ids) - fresh] = 0.0
        notes = int(is_note(table[first:stop]).sum())
        yield replace(item, notes=notes)
        first = stop


def split_samples(
    split: Split,
    pieces: Sequence[int],
    context: int,
    *,
    prompted: bool = False,
    overlap: int | None = None,
) -> list[list[Sample]]:
    """The windows of chosen pieces, as `piece_samples`, with their whole prompt or with none."""
    made = []
    for piece in pieces:
        row, table = split.pieces[piece], split.table(piece)
        condition = _whole_prompt(row, table) if prompted else Condition()
        beat_known = has_beat(int(row["kind"]))
        windows = piece_samples(
            table,
            condition,
            context,
            told_length=prompted,
            beat_known=beat_known,
            overlap=overlap,
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
        bits = batch_bits(model, collate([item for _, item in taken]))
        rows = bits.double().sum(dim=1).cpu().numpy()
        for (piece, item), row in zip(taken, rows, strict=True):
            results[piece] = results[piece] + Likelihood(row, item.notes)
    return results


def lzma_bits(table: Table) -> int:
    """Bits of LZMA of the five-byte events of one piece."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]
    data = np.ascontiguousarray(table).tobytes()
    return 8 * len(lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters))


def unigram_bits(train: Iterable[Table], tables: Iterable[Table]) -> list[Likelihood]:
    """Each table by a model that knows only how often each value of each field is in `train`."""
    counts = [np.ones(size) for size in SIZES]
    for table in train:
        for field, ids in enumerate(to_ids(table).T):
            counts[field] += np.bincount(ids, minlength=SIZES[field])
    cost = [-np.log2(count / count.sum()) for count in counts]
    results = []
    for table in tables:
        bits = [float(cost[field][ids].sum()) for field, ids in enumerate(to_ids(table).T)]
        results.append(Likelihood(np.array(bits), int(is_note(table).sum())))
    return results


@dataclass(frozen=True)
class Scores:
    """What pieces cost, each list with one entry a piece.

    Attributes:
        by_model: likelihoods by the name of what scored them.
        lzma: bits of LZMA.
        seconds: lengths of the pieces.
    """

    by_model: Mapping[str, Sequence[Likelihood]]
    lzma: Sequence[int]
    seconds: Sequence[float]

    def summary(self, pieces: Sequence[int]) -> dict[str, Any]:
        """Counts, bits a note by field and bits a second of chosen pieces, by place in the lists.

        Sums are taken over all the pieces before they are divided: long pieces weigh more.
        """
        seconds = sum(self.seconds[piece] for piece in pieces)
        totals = {
            name: replace(sum((each[piece] for piece in pieces), NOTHING), seconds=seconds)
            for name, each in self.by_model.items()
        }
        notes = max((total.notes for total in totals.values()), default=0)
        lzma = Likelihood(
            np.array([sum(self.lzma[piece] for piece in pieces)], float), notes, seconds
        )
        return {
            "pieces": len(pieces),
            "notes": notes,
            "seconds": round(seconds, 3),
            "bits_per_note": {
                **{
                    name: {"all": own.bits_per_note, **own.by_field} for name, own in totals.items()
                },
                "LZMA": {"all": lzma.bits_per_note},
            },
            "bits_per_second": {
                name: own.bits_per_second for name, own in {**totals, "LZMA": lzma}.items()
            },
        }


def grouped(labels: Iterable[Sequence[str]]) -> dict[str, list[int]]:
    """Places by label, in the order of the labels' names; a place stands under each of its own."""
    groups: dict[str, list[int]] = {}
    for place, own in enumerate(labels):
        for label in own:
            groups.setdefault(label, []).append(place)
    return dict(sorted(groups.items()))
