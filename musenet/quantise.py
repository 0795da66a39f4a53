"""The grid: what a score loses when it becomes events, and nothing else.

24 ticks a beat, note lengths exact to 4 beats and in half beats up to 16, velocities in 32
levels, tempo in 64 steps of 4 %, a table of metres. `quantise` is idempotent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from musenet.instruments import DRUMS
from musenet.score import (
    DEFAULT_BPM,
    METRE,
    TEMPO,
    TICKS_PER_BEAT,
    Array,
    Score,
    bar_ticks,
    last_at_tick,
    records,
    resample,
    seconds_at,
    sort_notes,
)

DURATIONS: NDArray[np.int32] = np.r_[1:97, 108:385:12].astype(np.int32)
"""Note lengths in ticks, shape (120,)."""
VELOCITIES: NDArray[np.uint8] = (np.arange(32) * 4 + 2).astype(np.uint8)
"""The velocity that each of the 32 levels plays, shape (32,)."""
TEMPI: NDArray[np.float64] = 24.0 * (300.0 / 24.0) ** (np.arange(64) / 63)
"""Beats a minute, shape (64,): 24 to 300 in steps of 4.1 %."""
METRES: tuple[tuple[int, int], ...] = (
    (4, 4), (3, 4), (2, 4), (6, 8), (2, 2), (3, 8), (9, 8), (12, 8), (6, 4), (5, 4), (3, 2),
    (4, 2), (2, 1), (3, 1), (12, 16), (1, 4), (7, 4), (8, 4), (9, 4), (12, 4), (10, 4), (1, 2),
    (5, 2), (6, 2), (1, 8), (2, 8), (4, 8), (5, 8), (7, 8), (8, 8), (10, 8), (3, 16), (6, 16),
    (9, 16), (4, 1),
)  # fmt: skip
"""Known metres (numerator, denominator); the place is the value in an event: append only."""
DRUM_DURATION = 6
"""Ticks that a drum hit is given; drums carry no length."""

MAX_DRIFT = 0.05
_LONG_STRETCH = 8


def tempo_step(bpm: NDArray[np.float64] | float) -> NDArray[np.int64]:
    """The nearest step in `TEMPI` (by ratio) of each tempo in beats a minute."""
    steps = 63 * np.log(np.asarray(bpm, dtype=np.float64) / 24.0) / np.log(300.0 / 24.0)
    result: NDArray[np.int64] = np.rint(steps).astype(np.int64).clip(0, 63)
    return result


def quantise(score: Score) -> Score:
    """The score on the grid: what the event table can say of it, exactly.

    Tracks of one instrument are one part already; in it unisons become one note (the longest,
    the loudest) and a note struck again ends the earlier one. A tempo and a metre stand at
    tick 0, none at or after the end. Tempo changes at most once a beat and the accumulated
    time at each beat stays within `MAX_DRIFT` of the score's, with tempi that hold for eight
    beats and more rounded first: they would otherwise need corrections for ever.
    """
    coarse = resample(score, TICKS_PER_BEAT)
    notes = settle(coarse.notes)
    on_grid = Score(notes, coarse.tempos, coarse.metres)
    tempos = _quantise_tempos(on_grid)
    metres = _quantise_metres(coarse.metres, on_grid.end)
    return Score(notes, tempos, metres)


def settle(notes: Array) -> Array:
    """Notes with lengths and velocities on the grid, one sounding at a time a pitch and part."""
    if not len(notes):
        return notes
    key = notes["instrument"].astype(np.int64) << 7 | notes["pitch"]
    order = np.lexsort([notes["onset"], key])
    notes, key = notes[order], key[order]
    first = np.flatnonzero(np.r_[True, (np.diff(key) != 0) | (np.diff(notes["onset"]) != 0)])
    merged = notes[first]
    duration = np.maximum.reduceat(notes["duration"], first)
    duration[merged["instrument"] == DRUMS] = DRUM_DURATION
    same_key = np.r_[key[first][1:] == key[first][:-1], False]
    gap = np.r_[np.diff(merged["onset"]), 0]
    duration = np.where(same_key, np.minimum(duration, gap), duration)
    merged["duration"] = DURATIONS[np.searchsorted(DURATIONS, duration, side="right") - 1]
    merged["velocity"] = VELOCITIES[np.maximum.reduceat(notes["velocity"], first) // 4]
    return sort_notes(merged)


def _quantise_metres(metres: Array, end: int) -> Array:
    """Known metres, one a tick, without those that change nothing."""
    changes = last_at_tick(metres)
    rows: list[tuple[int, int, int]] = []
    if not len(changes) or changes["tick"][0] > 0:
        rows.append((0, 4, 4))
    for tick, numerator, denominator in changes.tolist():
        if tick and tick >= end:
            break
        metre = _known_metre(numerator, denominator)
        if not (rows and _changes_nothing(rows[-1], tick, metre)):
            rows.append((tick, *metre))
    return records(METRE, rows)


def _changes_nothing(last: tuple[int, int, int], tick: int, metre: tuple[int, int]) -> bool:
    """Whether the last metre goes on, with a bar beginning here in any case."""
    return last[1:] == metre and (tick - last[0]) % bar_ticks(*metre, TICKS_PER_BEAT) == 0


def _known_metre(numerator: int, denominator: int) -> tuple[int, int]:
    """The metre itself, else a known one whose bar is as long, else 4/4."""
    if (numerator, denominator) in METRES:
        return numerator, denominator
    length = numerator / denominator
    return next((metre for metre in METRES if metre[0] / metre[1] == length), (4, 4))


def _quantise_tempos(score: Score) -> Array:
    tempos = last_at_tick(score.tempos)
    if not len(tempos) or tempos["tick"][0] > 0:
        tempos = np.concatenate([records(TEMPO, [(0, DEFAULT_BPM)]), tempos])
    tempos = tempos[np.r_[True, tempos["tick"][1:] < score.end]]
    if not _on_grid(tempos):
        tempos = _follow(_rounded_where_steady(tempos, score.end), score.end)
    return tempos[np.r_[True, np.diff(tempos["bpm"]) != 0]]


def seconds_to_bpm(seconds: float) -> float:
    """The tempo at which a beat lasts that long, within the grid's range."""
    return float(np.clip(60.0 / max(seconds, 1e-3), TEMPI[0], TEMPI[-1]))


def _on_grid(tempos: Array) -> bool:
    exact = bool(np.all(TEMPI[tempo_step(tempos["bpm"])] == tempos["bpm"]))
    return exact and not np.any(tempos["tick"] % TICKS_PER_BEAT)


def _rounded_where_steady(tempos: Array, end: int) -> Array:
    """Tempi that hold for at least `_LONG_STRETCH` beats set to the nearest step."""
    lengths = np.diff(np.r_[tempos["tick"], max(end, int(tempos["tick"][-1]))])
    steady = (lengths >= _LONG_STRETCH * TICKS_PER_BEAT) | (len(tempos) == 1)
    rounded = tempos.copy()
    clipped = tempos["bpm"].clip(TEMPI[0], TEMPI[-1])
    rounded["bpm"] = np.where(steady, TEMPI[tempo_step(clipped)], clipped)
    return rounded


def _follow(tempos: Array, end: int) -> Array:
    """Steps, at most one a beat, whose accumulated time keeps to that of the tempos given.

    A step is kept until the drift would pass `MAX_DRIFT`; the next one is aimed to meet the
    reference four beats on, or at the next beat where that is too slow a correction.
    """
    beats = np.arange(0, end + 5 * TICKS_PER_BEAT, TICKS_PER_BEAT)
    reference = seconds_at(Score(tempos=tempos), beats).tolist()
    lasts = (60.0 / TEMPI).tolist()
    step = -1
    now = 0.0
    rows: list[tuple[int, float]] = []
    for beat in range(max(1, -(-end // TICKS_PER_BEAT))):
        ahead = reference[beat + 1]
        if step < 0 or abs(now + lasts[step] - ahead) > MAX_DRIFT:
            step = _step_lasting((reference[beat + 4] - now) / 4)
            if abs(now + lasts[step] - ahead) > MAX_DRIFT:
                step = _step_lasting(ahead - now)
            rows.append((int(beats[beat]), float(TEMPI[step])))
        now += lasts[step]
    return records(TEMPO, rows)


def _step_lasting(seconds: float) -> int:
    return int(tempo_step(seconds_to_bpm(seconds)))
