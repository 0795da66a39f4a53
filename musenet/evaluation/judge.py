"""The style judge: which style a piece sounds like, by a small network of its own.

It measures what a composing model makes of the styles asked for, so it shares nothing with that
model: it has other weights, sees other inputs, and learns from human pieces alone. It hears notes
and their place in the bar. Velocity and tempo are kept from it, because in a corpus they tell from
which archive a piece is rather than how it is made.

A style's probability is that of the piece having been drawn from that style, if all judged styles
were equally likely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from musenet.checkpoint import read_tensors, write_tensors
from musenet.errors import UserError
from musenet.events import Table, is_note, to_ids
from musenet.features import BAR_BEATS, moments_of
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.score import TICKS_PER_BEAT
from musenet.styles import STYLES, style_id

Heard = NDArray[np.int64]
"""Notes as the judge hears them, shape (notes, 8), columns as in `COLUMNS`."""

COLUMNS = (
    "instrument", "pitch", "interval", "duration", "wait", "tick in beat", "beat in bar", "bar",
)  # fmt: skip
WINDOW = 256
"""Notes that are heard at once."""
LEAST_NOTES = 16
"""Notes below which a piece says nothing about its style."""
_SIZES = (64, 256, 64, 128, 100, TICKS_PER_BEAT, BAR_BEATS, 2 * BAR_BEATS)
_OFFSETS = np.cumsum((0, *_SIZES[:-1]))
_WIDEST, _NO_INTERVAL, _LONGEST_WAIT = 24, 63, 99
_HIDDEN = _SIZES[0] - 1
"""Stands for any pitched instrument where instruments are kept from the judge."""
_STRIDE, _FIRST_REACH, _REACH = 4, 8, 5
_MOST_WINDOWS = 16
_FORMAT = 1
_BUNDLED = "judge.safetensors"


def heard(table: Table) -> Heard:
    """The notes of a whole piece as ids, each column in a range of its own, (notes, 8).

    - interval: semitones from the note before, at most two octaves; none to and from drums;
    - wait: ticks since the note before, at most 99;
    - bar: half beats of the bar in force.
    """
    note = is_note(table)
    moments, rows = moments_of(table).take(np.flatnonzero(note)), to_ids(table[note])
    in_bar = (moments.tick - moments.bar_start) % moments.bar_ticks
    columns = np.stack([
        rows[:, 1],
        rows[:, 2],
        _intervals(rows),
        rows[:, 3],
        np.diff(moments.tick, prepend=moments.tick[:1]).clip(0, _LONGEST_WAIT),
        in_bar % TICKS_PER_BEAT,
        (in_bar // TICKS_PER_BEAT).clip(0, BAR_BEATS - 1),
        (2 * moments.bar_ticks // TICKS_PER_BEAT).clip(0, 2 * BAR_BEATS - 1),
    ], axis=1)  # fmt: skip
    ids: Heard = columns + _OFFSETS
    return ids


def _intervals(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    steps = np.diff(rows[:, 2], prepend=rows[:1, 2]).clip(-_WIDEST, _WIDEST) + _WIDEST
    drums = rows[:, 1] == DRUMS
    return np.where(drums | np.r_[True, drums[:-1]][: len(rows)], _NO_INTERVAL, steps)


def without_instruments(notes: Heard) -> Heard:
    """The same notes, all pitched ones of one unknown instrument."""
    hidden = np.array(notes)
    hidden[notes[:, 0] != DRUMS, 0] = _HIDDEN
    return hidden


def windows_of(notes: Heard) -> list[Heard]:
    """Windows of at most `WINDOW` notes, nearly alike in length, from all over a piece."""
    count = max(1, -(-len(notes) // WINDOW))
    edges = np.linspace(0, len(notes), count + 1).astype(int)
    chosen = np.unique(np.linspace(0, count - 1, min(count, _MOST_WINDOWS)).round().astype(int))
    return [notes[edges[place] : edges[place + 1]] for place in chosen]


def stack(windows: Sequence[Heard]) -> tuple[Tensor, Tensor]:
    """Windows as one batch, (B, T, 8), T a multiple of four, and which of its notes are real."""
    longest = max(len(window) for window in windows)
    steps = _STRIDE * -(-longest // _STRIDE)
    ids = np.tile(_OFFSETS, (len(windows), steps, 1))
    real = np.zeros((len(windows), steps), dtype=bool)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = window
        real[row, : len(window)] = True
    return torch.from_numpy(ids), torch.from_numpy(real)


class StyleJudge(nn.Module):
    """Convolutions over notes, pooled to log odds of styles."""

    def __init__(self, styles: Sequence[int], width: int = 96, dropout: float = 0.2) -> None:
        """Judge among styles, given by id.

        Args:
            styles: what can be told apart, at least two.
            width: channels.
            dropout: share of the pooled channels that are left out in training.
        """
        super().__init__()
        self.styles = tuple(styles)
        self.width = width
        self.notes = nn.EmbeddingBag(sum(_SIZES), width, mode="sum")
        nn.init.normal_(self.notes.weight, std=len(_SIZES) ** -0.5)
        self.first = nn.Conv1d(width, width, _FIRST_REACH, _STRIDE, padding=_STRIDE // 2)
        self.later = nn.ModuleList(
            nn.Conv1d(width, width, _REACH, padding=_REACH // 2) for _ in range(2)
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, len(self.styles))

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:
        """Notes, (B, T, 8), of which some are real, (B, T), to scores of styles, (B, S)."""
        batch, steps, _ = ids.shape
        embedded = self.notes(ids.flatten(0, 1)).view(batch, steps, self.width)
        states = F.relu(self.first((embedded * real[..., None]).transpose(1, 2)))
        real = real[:, None, ::_STRIDE]
        for layer in self.later:
            states = states + F.relu(layer(states * real))
        mean = (states * real).sum(dim=2) / real.sum(dim=2)
        peak = states.masked_fill(~real, 0.0).amax(dim=2)
        scores: Tensor = self.head(self.dropout(torch.cat([mean, peak], dim=1)))
        return scores

    @torch.inference_mode()
    def probabilities(self, table: Table, *, instruments: bool = True) -> NDArray[np.float64]:
        """How likely a piece is of each style, adding up to 1, shape (styles,).

        Scores of windows from all over the piece are averaged.

        Args:
            table: the whole piece.
            instruments: whether the judge may hear which instruments play; without, it judges by
                the notes alone.

        Raises:
            UserError: the piece has fewer than `LEAST_NOTES` notes.
        """
        notes = heard(table)
        if len(notes) < LEAST_NOTES:
            raise UserError(f"{len(notes)} notes are too few to tell a style by: {LEAST_NOTES} are")
        windows = windows_of(notes if instruments else without_instruments(notes))
        scores = self(*stack(windows)).double().mean(dim=0)
        found: NDArray[np.float64] = scores.softmax(dim=0).numpy()
        return found


def save_judge(path: Path, judge: StyleJudge, facts: Mapping[str, Any]) -> None:
    """Write a judge with half-precision weights, and facts of its training."""
    tensors = {name: tensor.half() for name, tensor in judge.state_dict().items()}
    meta = {
        "format": _FORMAT, "judge": {"width": judge.width}, "facts": dict(facts),
        "styles": [STYLES[style].name for style in judge.styles],
        "instruments": [instrument.name for instrument in INSTRUMENTS],
    }  # fmt: skip
    write_tensors(path, tensors, meta)


def load_judge(path: Path | None = None) -> tuple[StyleJudge, dict[str, Any]]:
    """A judge ready to hear, and the facts of its training.

    Args:
        path: a file of `save_judge`; the one that comes with the package by default.

    Raises:
        UserError: missing, damaged, or made for other styles or instruments.
    """
    file = path or bundled_judge()
    tensors, meta = read_tensors(file)
    try:
        judge = StyleJudge([style_id(name) for name in meta["styles"]], meta["judge"]["width"])
        judge.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
        instruments, facts = meta["instruments"], dict(meta["facts"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise UserError(f"{file} is no judge: make one with 'musenet judge train'") from error
    if instruments != [known.name for known in INSTRUMENTS[: len(instruments)]]:
        raise UserError(f"{file} was made with other instruments: run 'musenet judge train'")
    return judge.eval(), facts


def bundled_judge() -> Path:
    """Where the judge that comes with the package is."""
    return Path(str(resources.files("musenet") / "weights" / _BUNDLED))
