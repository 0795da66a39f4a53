"""The style judge: which style a piece sounds like, by a small network of its own.

It measures what a composing model makes of the styles asked for, and candidates are ranked by it.
So it shares nothing with that model: it has other weights, sees other inputs, and learns from human
pieces alone. It hears notes and their place in the bar. Velocity and tempo are kept from it,
because in a corpus they tell from which archive a piece is rather than how it is made.

A style's probability is the share of the music that is of that style, if all judged styles were
equally likely: it learns from human pieces and from mixtures of two (`judge_mixing`), so that it
can hear two styles at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
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
"""Notes as the judge hears them, shape (notes, 10), columns as in `COLUMNS`."""

COLUMNS = (
    "instrument", "pitch", "interval", "tune", "bass", "duration", "wait",
    "tick in beat", "beat in bar", "bar",
)  # fmt: skip
WINDOW = 256
"""Notes that are heard at once."""
LEAST_NOTES = 16
"""Notes below which a piece says nothing about its style."""
HALF_BEAT = TICKS_PER_BEAT // 2
_WIDEST, _NO_INTERVAL, _LONGEST_WAIT = 24, 63, 99
_INTERVALS = _NO_INTERVAL + 1
_SIZES = (
    64, 256, _INTERVALS, _INTERVALS, _INTERVALS, 128, _LONGEST_WAIT + 1,
    TICKS_PER_BEAT, BAR_BEATS, 2 * BAR_BEATS,
)  # fmt: skip
_OFFSETS = np.cumsum((0, *_SIZES[:-1]))
_HIDDEN = _SIZES[0] - 1
"""Stands for any pitched instrument where instruments are kept from the judge."""
_STRIDE, _FIRST_REACH, _REACH = 4, 8, 5
_MOST_WINDOWS = 16
_FORMAT = 1
_BUNDLED = "judge.safetensors"


def heard(table: Table, chosen: slice = slice(None)) -> Heard:
    """The notes of a whole piece, or some of them, as the judge hears them, (notes, 10)."""
    places = np.flatnonzero(is_note(table))[chosen]
    moments, rows = moments_of(table).take(places), to_ids(table[places])
    in_bar = (moments.tick - moments.bar_start) % moments.bar_ticks
    return described(rows[:, 1:4], moments.tick, in_bar, moments.bar_ticks)


def described(
    notes: NDArray[np.int64], tick: NDArray[np.int64], in_bar: NDArray[np.int64],
    bar_ticks: NDArray[np.int64],
) -> Heard:  # fmt: skip
    """Notes as the judge hears them, (notes, 10).

    - interval: semitones from the note before, at most two octaves; none to and from drums;
    - tune, bass: of the highest and the lowest note of a moment, semitones from that of the
      moment before; none for all others;
    - wait: ticks since the note before, at most 99;
    - bar: half beats of the bar in force.

    Args:
        notes: ids of instrument, pitch and duration, shape (notes, 3), in order.
        tick: when they begin, shape (notes,).
        in_bar: ticks since the bar began, shape (notes,).
        bar_ticks: length of the bar, shape (notes,).
    """
    instrument, pitch, duration = notes.T
    pitched = instrument != DRUMS
    return np.stack([
        instrument,
        pitch,
        np.where(pitched & np.r_[False, pitched[:-1]][: len(notes)], _steps(pitch), _NO_INTERVAL),
        _line(pitch, outermost(pitch, tick, pitched)),
        _line(pitch, outermost(-pitch, tick, pitched)),
        duration,
        np.diff(tick, prepend=tick[:1]).clip(0, _LONGEST_WAIT),
        in_bar % TICKS_PER_BEAT,
        (in_bar // TICKS_PER_BEAT).clip(0, BAR_BEATS - 1),
        (bar_ticks // HALF_BEAT).clip(0, 2 * BAR_BEATS - 1),
    ], axis=1)  # fmt: skip


def outermost(
    height: NDArray[np.int64], tick: NDArray[np.int64], pitched: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which notes are the highest pitched ones of their moment, shape (notes,)."""
    order = np.lexsort((-height, ~pitched, tick))
    found = np.zeros(len(tick), dtype=bool)
    found[order[np.diff(tick[order], prepend=-1) > 0]] = True
    return found & pitched


def _line(pitch: NDArray[np.int64], chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Intervals within the line of some notes, none for all others."""
    column = np.full(len(pitch), _NO_INTERVAL)
    column[chosen] = _steps(pitch[chosen])
    return column


def _steps(pitch: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.diff(pitch, prepend=pitch[:1]).clip(-_WIDEST, _WIDEST) + _WIDEST


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
    """Windows as one batch, and which of its notes are real.

    Returns:
        Ids, each column in a range of its own, (B, T, 10), T a multiple of four; and (B, T).
    """
    longest = max(len(window) for window in windows)
    steps = _STRIDE * -(-longest // _STRIDE)
    columns = np.zeros((len(windows), steps, len(COLUMNS)), dtype=np.int64)
    real = np.zeros((len(windows), steps), dtype=bool)
    for row, window in enumerate(windows):
        columns[row, : len(window)] = window
        real[row, : len(window)] = True
    return torch.from_numpy(columns + _OFFSETS), torch.from_numpy(real)


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
        """Notes, (B, T, 10), of which some are real, (B, T), to scores of styles, (B, S)."""
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

    def probabilities(self, table: Table, *, instruments: bool = True) -> NDArray[np.float64]:
        """The share of each style in a piece, adding up to 1, shape (styles,).

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
        return self.shares(notes if instruments else without_instruments(notes))

    @torch.inference_mode()
    def shares(self, notes: Heard) -> NDArray[np.float64]:
        """The share of each style in notes, the mean over windows from all over them, (styles,)."""
        scores = self(*stack(windows_of(notes))).double()
        found: NDArray[np.float64] = scores.softmax(dim=1).mean(dim=0).numpy()
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


@cache
def default_judge() -> StyleJudge:
    """The judge that comes with the package, loaded once."""
    return load_judge()[0]


def bundled_judge() -> Path:
    """Where the judge that comes with the package is."""
    return Path(str(resources.files("musenet") / "weights" / _BUNDLED))
