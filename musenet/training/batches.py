"""Batches: the windows of a step, as a pure function of seed and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musenet.condition import Condition, Conditions, has_beat, stack
from musenet.controls import Controls, Observed, bars_of, observed
from musenet.copying import comes_again
from musenet.corpus.shards import Split, styles_of
from musenet.echoes import ROW_WIDTH, no_echoes
from musenet.events import END, TEMPO_EVENT, is_note, to_ids
from musenet.features import NOT_TOLD, Features, Moments, features, moments_of
from musenet.given import Anticipated, anticipated, drawn
from musenet.instruments import DRUMS
from musenet.key import transpose_key
from musenet.training.augment import (
    Augmentation,
    mixed,
    modulated,
    shown_controls,
    styles_of_bars,
    told,
    varied,
    weighted,
)
from musenet.training.orchestrating import orchestrated
from musenet.training.splicing import spliced
from musenet.windows import Window, window

LENGTH_STEP = 64
"""Batches are padded to a multiple of this many events."""
FADE = 8.0
"""Events over which the greater weight of openings and endings falls to 1 / e."""


@dataclass(frozen=True)
class Sample:
    """One window ready for the network.

    Attributes:
        ids: shape (T, 5).
        features: of the moment, then the echo, shape (T, F).
        weights: how much each field counts in the loss, mostly 0 or 1, shape (T, 5).
        notes: notes among the rows that count.
        condition: the prompt.
        begins: whether it starts its piece.
    """

    ids: NDArray[np.int64]
    features: Features
    weights: NDArray[np.float32]
    notes: int
    condition: Condition
    begins: bool


@dataclass(frozen=True)
class Batch:
    """Samples padded to one length; shapes (B, T, …) as in `Sample`, `lengths` (B,) unpadded."""

    ids: NDArray[np.int64]
    features: Features
    weights: NDArray[np.float32]
    notes: int
    conditions: Conditions
    lengths: NDArray[np.int64]

    @property
    def events(self) -> int:
        """Rows that count in the loss."""
        return int((self.weights[..., 0] > 0).sum())


def draw(
    split: Split, piece: int, context: int, augmentation: Augmentation, rng: np.random.Generator
) -> Sample:
    """A window of at most `context` events of a piece, varied, or of it in turn with another.

    Of two pieces in turn either both are told, or one, and only its rows count in the loss.

    One window in five begins its piece and one in six ends it, so that openings and endings
    are learnt.
    """
    row = split.pieces[piece]
    blend = spliced(split, piece, rng) if rng.random() < augmentation.splice else None
    whole = split.table(piece) if blend is None else blend.table
    pieces = split.pieces[[piece] if blend is None else list(blend.pieces)]
    styles = [weighted(styles_of(each), rng) for each in pieces]
    table, semitones = varied(whole, augmentation, rng)
    if rng.random() < augmentation.orchestrate:
        table, augmentation = orchestrated(table, rng), replace(augmentation, drop_instruments=0.0)
    shown = shown_controls(augmentation, rng)
    moved: NDArray[np.int64] | int = 0
    if shown[3] and rng.random() < augmentation.modulate:
        table, moved = modulated(table, rng)
        augmentation = replace(augmentation, drop_key=1.0)
    total = _length_told(float(moments_of(table).seconds[-1]), augmentation, rng)
    ahead = anticipated(table, drawn(table, rng)) if rng.random() < augmentation.give else None
    rows = table if ahead is None else ahead.table
    start, stop = _crop(len(rows), context, rng)
    view = window(rows, start, stop)
    bar_ticks = bars_of(table)[0]
    turns = np.zeros(len(bar_ticks), dtype=np.int64) if blend is None else blend.turn(bar_ticks)
    about, counted, playing = row, np.ones(len(view.table), dtype=bool), table[:, 1]
    asked = styles[0]
    if blend is not None:
        augmentation = replace(augmentation, drop_styles=0.0)
        if rng.random() < augmentation.both:
            asked = mixed(styles, turns)
        else:
            heard = blend.turn(view.moments.tick)
            turn = int(rng.choice(heard[view.reminders :]))
            about, asked, counted = pieces[turn], styles[turn], heard == turn
            playing = playing[blend.turn(moments_of(table).tick) == turn]
    kind = int(about["kind"])
    shown[2] &= kind % 2 == 1  # flat music has no dynamics
    seen = observed(table, moved, styles_of_bars(styles, turns, rng)) if shown.any() else None
    condition = told(
        asked,
        [int(i) for i in np.unique(playing) if i <= DRUMS],
        transpose_key(int(row["key"]), semitones),
        kind,
        augmentation,
        rng,
    )
    made = sample(
        view,
        condition,
        total,
        beat_known=has_beat(int(row["kind"])),
        tempo_known=not row["tempo_guessed"],
        seen=None if seen is None else Seen(seen, shown),
        ahead=None if ahead is None else ahead.take(start, stop),
    )
    return _weighed(_part(made, counted), augmentation)


def _length_told(seconds: float, augmentation: Augmentation, rng: np.random.Generator) -> float:
    """The seconds of a piece as they are told, not finite where they are not."""
    told_at_all = rng.random() >= augmentation.drop_length
    jitter = 1.0 + augmentation.length_jitter * float(rng.normal())
    return seconds * jitter if told_at_all else np.nan


def _part(made: Sample, counted: NDArray[np.bool_]) -> Sample:
    """A sample of which some rows, shape (T,), do not count."""
    weights = made.weights * counted[:, None]
    notes = (made.ids[:, 1] <= DRUMS) & (weights[:, 1] > 0.0)
    return replace(made, weights=weights, notes=int(notes.sum()))


def _weighed(made: Sample, augmentation: Augmentation) -> Sample:
    """The true beginning and end of a piece count more, and where its passages may come again."""
    fading = np.exp(-np.arange(len(made.ids)) / FADE)
    more = np.ones(len(made.ids))
    if made.begins:
        more += augmentation.openings * fading
    if made.ids[-1, 1] == END:
        more += augmentation.endings * fading[::-1]
    weights = made.weights * more[:, None].astype(np.float32)
    weights[comes_again(made.features), 1:] *= 1.0 + augmentation.phrases
    return replace(made, weights=weights)


def _crop(length: int, context: int, rng: np.random.Generator) -> tuple[int, int]:
    where = rng.random()
    last = length - context + 2
    if length <= context or where < 0.2:
        return 0, min(length, context)
    start = last if where > 0.84 else int(rng.integers(2, last + 1))
    return start, start + context - 2


@dataclass(frozen=True)
class Seen:
    """Controls of a piece, and which of the five are shown, shape (5,)."""

    controls: Observed
    shown: NDArray[np.bool_]

    def at(self, moments: Moments) -> Controls:
        """Those that are shown, at moments."""
        return np.where(self.shown, self.controls.at(moments), NOT_TOLD).astype(np.int32)


def sample(
    view: Window,
    condition: Condition,
    total_seconds: float,
    *,
    beat_known: bool = True,
    tempo_known: bool = True,
    seen: Seen | None = None,
    ahead: Anticipated | None = None,
) -> Sample:
    """A window with its features; what is told does not count in the loss.

    That is reminders, guessed tempi, and all of given notes but that nothing came before them.
    Where there are given notes, echoes are not told.

    Args:
        view: the window.
        condition: the prompt.
        total_seconds: length of the piece, or not finite where it is not told.
        beat_known: as in `features`.
        tempo_known: whether its tempi are more than a guess.
        seen: controls to show.
        ahead: which of its rows after the reminders are given, and how far ahead.
    """
    count, moments = len(view.table), view.moments
    given = np.zeros(count, dtype=bool)
    if ahead is not None:
        given[view.reminders :] = ahead.given
        moments = moments.ahead(np.r_[np.zeros(view.reminders, np.int64), ahead.lead])
    weights = np.ones((count, 5), dtype=np.float32)
    weights[: view.reminders] = 0.0
    weights[given, 1:] = 0.0
    if not tempo_known:
        weights[view.table[:, 1] == TEMPO_EVENT, 2] = 0.0
    controls = NOT_TOLD if seen is None else seen.at(moments)
    columns = features(
        moments, total_seconds, beat_known=beat_known, controls=controls, given=given
    )
    notes = int((is_note(view.table) & ~given)[view.reminders :].sum())
    echoes = view.echoes if ahead is None else no_echoes(count)
    columns = np.concatenate([columns, echoes], axis=1)
    return Sample(to_ids(view.table), columns, weights, notes, condition, view.begins)


def collate(samples: Sequence[Sample], length: int | None = None) -> Batch:
    """Samples padded to `length`, or to the longest in steps of `LENGTH_STEP`."""
    lengths = np.array([len(item.ids) for item in samples])
    if length is None:
        length = -(-int(lengths.max()) // LENGTH_STEP) * LENGTH_STEP
    ids = np.zeros((len(samples), length, 5), dtype=np.int64)
    columns = np.zeros((len(samples), length, ROW_WIDTH), dtype=np.int32)
    weights = np.zeros((len(samples), length, 5), dtype=np.float32)
    for row, item in enumerate(samples):
        ids[row, : len(item.ids)] = item.ids
        columns[row, : len(item.ids)] = item.features
        weights[row, : len(item.ids)] = item.weights
    conditions = stack([item.condition for item in samples], [item.begins for item in samples])
    notes = sum(item.notes for item in samples)
    return Batch(ids, columns, weights, notes, conditions, lengths)


def step_batches(
    split: Split,
    weights: NDArray[np.float64],
    *,
    seed: int,
    step: int,
    events: int,
    context: int,
    augmentation: Augmentation,
    worker: int = 0,
) -> list[Batch]:
    """The batches of one optimiser step of one worker, of about `events` events in all.

    Windows of similar length share a batch, so that little is padding, and no window holds
    more than one piece.
    """
    rng = np.random.default_rng([seed, step, worker] if worker else [seed, step])
    cumulative = np.cumsum(weights)
    up_to = cumulative / cumulative[-1]
    samples: list[Sample] = []
    while sum(len(item.ids) for item in samples) < events:
        piece = int(np.searchsorted(up_to, rng.random(), side="right"))
        samples.append(draw(split, piece, context, augmentation, rng))
    return _grouped(samples)


def _grouped(samples: Sequence[Sample]) -> list[Batch]:
    """Batches of windows of which the longest is not much longer than the shortest."""
    groups: list[list[Sample]] = [[]]
    for item in sorted(samples, key=lambda item: len(item.ids)):
        if groups[-1] and len(item.ids) > 1.5 * len(groups[-1][0].ids) + LENGTH_STEP:
            groups.append([])
        groups[-1].append(item)
    return [collate(group) for group in groups]
