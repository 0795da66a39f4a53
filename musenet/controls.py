"""Controls that change in time: chord, density, dynamics, key and style of each moment.

In training they are computed from the music itself and shown in a minority of windows, so that
they are never needed; when composing they come from the user's chords or plan.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.events import Table, is_note
from musenet.features import DENSITIES, DYNAMICS, NOT_TOLD, Moments, moments_of
from musenet.instruments import DRUMS
from musenet.key import keys_in_time, transpose_keys
from musenet.quantise import DURATIONS
from musenet.score import TICKS_PER_BEAT

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
}
"""Semitones above the root of each quality; the id of a chord is 12 · place of quality + root."""
NO_CHORD = 12 * len(QUALITIES)
"""Id of a passage without a clear chord; `NOT_TOLD[0]` is 'not told'."""
LEAST_COVERED = 0.65
"""Share of the sound that a chord must explain."""
_MISSING, _BASS, _EXTENDED = 0.15, 0.1, 0.02
_HEARD = 0.04
_LONGEST = int(DURATIONS[-1])
Controls = NDArray[np.int32]
"""Ids of chord, density, dynamics, key and style, shape (moments, 5)."""


def tones(chord: int) -> tuple[int, ...]:
    """Pitch classes of a chord's id; none for `NO_CHORD` and what is not told."""
    if chord >= NO_CHORD:
        return ()
    quality = tuple(QUALITIES.values())[chord // 12]
    return tuple((chord + step) % 12 for step in quality)


def _templates() -> NDArray[np.float64]:
    """Which pitch classes each chord has, shape (chords, 12)."""
    templates = np.zeros((NO_CHORD, 12))
    for chord in range(NO_CHORD):
        templates[chord, list(tones(chord))] = 1.0
    return templates


_TEMPLATES = _templates()
_SIZES = _TEMPLATES.sum(axis=1)


def chord_starts(moments: Moments) -> NDArray[np.int64]:
    """The tick at which the chord of each moment begins: half a bar of four beats and more, or
    a bar, shape (moments,)."""
    bar = moments.bar_ticks
    halves = (bar % (2 * TICKS_PER_BEAT) == 0) & (bar >= 4 * TICKS_PER_BEAT)
    length = np.where(halves, bar // 2, bar)
    return moments.tick - (moments.tick - moments.bar_start) % length


def bars_of(table: Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where bars that have events begin, rising, and which of them each row is in."""
    return np.unique(bar_starts(moments_of(table)), return_inverse=True)


def bar_starts(moments: Moments) -> NDArray[np.int64]:
    """The tick at which the bar of each moment begins, shape (moments,)."""
    return moments.tick - (moments.tick - moments.bar_start) % moments.bar_ticks


@dataclass(frozen=True)
class Observed:
    """What stands in the bars of a piece.

    Attributes:
        chord_ticks: where chords begin, rising.
        chords: ids, as many.
        bar_ticks: where bars begin, rising.
        bars: ids of density, dynamics, key and style, shape (bars, 4).
    """

    chord_ticks: NDArray[np.int64]
    chords: NDArray[np.int32]
    bar_ticks: NDArray[np.int64]
    bars: NDArray[np.int32]

    def at(self, moments: Moments) -> Controls:
        """The controls at moments; an empty bar has no chord, and key and style as before."""
        found = np.empty((len(moments.tick), len(NOT_TOLD)), dtype=np.int32)
        found[:, 0] = _looked_up(self.chord_ticks, self.chords, chord_starts(moments), NO_CHORD)
        bars = bar_starts(moments)
        found[:, 1] = _looked_up(self.bar_ticks, self.bars[:, 0], bars, 0)
        found[:, 2] = _looked_up(self.bar_ticks, self.bars[:, 1], bars, NOT_TOLD[2])
        last = np.searchsorted(self.bar_ticks, bars, side="right").clip(1) - 1
        found[:, 3:] = self.bars[last, 2:]
        return found


def _looked_up(
    ticks: NDArray[np.int64], values: NDArray[np.int32], wanted: NDArray[np.int64], default: int
) -> NDArray[np.int32]:
    place = np.searchsorted(ticks, wanted).clip(0, len(ticks) - 1)
    return np.where(ticks[place] == wanted, values[place], default).astype(np.int32)


def observed(
    table: Table,
    moved: NDArray[np.int64] | int = 0,
    styles: NDArray[np.int64] | int = NOT_TOLD[4],
) -> Observed:
    """The controls of a piece, from its notes; the table has at least one row.

    Args:
        table: the piece.
        moved: semitones by which each bar that has events was moved to another key, shape (bars,).
        styles: ids of those bars, shape (bars,).
    """
    moments = moments_of(table)
    note = is_note(table)
    chord_ticks, bars = np.unique(chord_starts(moments)), bar_starts(moments)
    bar_ticks, first, bar = np.unique(bars, return_index=True, return_inverse=True)
    count = np.bincount(bar[note], minlength=len(bar_ticks))
    loudness = np.bincount(bar[note], weights=table[note, 4], minlength=len(bar_ticks))
    beats = moments.bar_ticks[first] / TICKS_PER_BEAT
    keys = _keys(_sound(table, moments, bar_ticks)[0], np.broadcast_to(moved, bar_ticks.shape))
    told = [
        _density(count, beats), _dynamics(count, loudness.astype(np.float64)), keys,
        np.broadcast_to(styles, bar_ticks.shape).astype(np.int32),
    ]  # fmt: skip
    chords = _best(*_sound(table, moments, chord_ticks))
    return Observed(chord_ticks, chords, bar_ticks, np.stack(told, axis=1))


def density_id(notes_a_beat: NDArray[np.float64]) -> NDArray[np.int32]:
    """Levels of density: 0 up to 0.3 notes a beat, then two levels each time it doubles."""
    level = np.rint(2.0 * np.log2(np.maximum(notes_a_beat, 1e-9))) + 4
    return level.clip(0, DENSITIES - 1).astype(np.int32)


def dynamics_id(velocity: NDArray[np.float64]) -> NDArray[np.int32]:
    """Levels of dynamics, from ppp to fff, of mean MIDI velocities."""
    return (velocity // (128 // DYNAMICS)).clip(0, DYNAMICS - 1).astype(np.int32)


def _density(count: NDArray[np.int64], beats: NDArray[np.float64]) -> NDArray[np.int32]:
    return density_id(count / beats)


def _dynamics(count: NDArray[np.int64], loudness: NDArray[np.float64]) -> NDArray[np.int32]:
    """From sums of velocity levels, each four MIDI velocities wide and counted from 1."""
    mean = 4.0 * (loudness / np.maximum(count, 1) - 1.0)
    return np.where(count > 0, dynamics_id(mean), NOT_TOLD[2]).astype(np.int32)


def _keys(sound: NDArray[np.float64], moved: NDArray[np.int64]) -> NDArray[np.int32]:
    """The key of each bar, from what sounds in it, shape (bars, 12), but for how it was moved."""
    before = np.take_along_axis(sound, (np.arange(12) + moved[:, None]) % 12, axis=1)
    return transpose_keys(keys_in_time(before), moved).astype(np.int32)


def _sound(
    table: Table, moments: Moments, starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What sounds in the passages that begin at `starts`, rising.

    Returns:
        Ticks that each pitch class sounds, shape (passages, 12), and the lowest pitch, 128 for
        none, shape (passages,).
    """
    pitched = table[:, 1] < DRUMS
    onset = moments.tick[pitched]
    end = onset + DURATIONS[table[pitched, 3].astype(int) - 1]
    pitch = table[pitched, 2].astype(np.int64)
    sound = np.zeros((len(starts), 12))
    bass = np.full(len(starts), 128)
    stops = np.append(starts[1:], np.iinfo(np.int64).max)
    place = np.searchsorted(starts, onset, side="right") - 1
    while len(place):
        begin, stop = starts[place], stops[place]
        heard = np.minimum(end, stop) - np.maximum(onset, begin)
        np.add.at(sound, (place, pitch % 12), heard)
        np.minimum.at(bass, place, pitch)
        lasting = (end > stop) & (place + 1 < len(starts))
        onset, end, pitch, place = onset[lasting], end[lasting], pitch[lasting], place[lasting] + 1
    return sound, bass


def _best(sound: NDArray[np.float64], bass: NDArray[np.int64]) -> NDArray[np.int32]:
    """The likeliest chords of passages, the templates that explain what `_sound` tells best."""
    share = sound / np.maximum(sound.sum(axis=1, keepdims=True), 1e-9)
    covered = share @ _TEMPLATES.T
    heard = (share > _HEARD).astype(np.float64)
    missing = _SIZES - heard @ _TEMPLATES.T
    on_bass = np.arange(NO_CHORD) % 12 == (bass % 12)[:, None]
    value = covered - _MISSING * missing + _BASS * on_bass - _EXTENDED * (_SIZES - 3.0)
    best = value.argmax(axis=1)
    rows = np.arange(len(best))
    clear = (covered[rows, best] >= LEAST_COVERED) & (missing[rows, best] <= 1)
    clear &= (heard.sum(axis=1) >= 2) & (bass < 128)
    return np.where(clear, best, NO_CHORD).astype(np.int32)
