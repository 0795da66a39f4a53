"""Marks over and under the staves: tempo and dynamics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musenet.rendering.notation.bars import Bar
from musenet.score import DEFAULT_BPM, TICKS_PER_BEAT, Array, Score

_LEAST_CHANGE, _SHORTEST = 0.1, 8 * TICKS_PER_BEAT
_LEVELS = ((36, "pp"), (52, "p"), (66, "mp"), (82, "mf"), (98, "f"), (128, "ff"))
_BARS_TOGETHER, _LEAST_STEP = 4, 12.0
_LEAST_VELOCITIES = 4


@dataclass(frozen=True)
class Tempo:
    """A tempo in quarter notes a minute from a tick on; whether it is printed."""

    tick: int
    bpm: float
    is_shown: bool


@dataclass(frozen=True)
class Dynamic:
    """A dynamic mark such as 'mf' at a tick."""

    tick: int
    name: str


def tempos_of(score: Score) -> list[Tempo]:
    """All tempos; those are shown that differ from the last by a tenth and hold eight beats."""
    changes = [(int(tempo["tick"]), float(tempo["bpm"])) for tempo in score.tempos]
    if not changes or changes[0][0] > 0:
        changes.insert(0, (0, DEFAULT_BPM))
    stops = [tick for tick, _ in changes[1:]] + [score.end]
    result: list[Tempo] = []
    shown = 0.0
    for (tick, bpm), stop in zip(changes, stops, strict=True):
        is_new = abs(bpm - shown) > _LEAST_CHANGE * shown
        is_shown = not result or (is_new and stop - tick >= _SHORTEST)
        shown = bpm if is_shown else shown
        result.append(Tempo(tick, bpm, is_shown))
    return result


def dynamics_of(notes: Array, bars: Sequence[Bar]) -> list[Dynamic]:
    """Marks where the mean velocity of four bars leaves that of the last mark clearly.

    A part with fewer than four velocities has none.

    Args:
        notes: array of `NOTE` of one part.
        bars: all bars.
    """
    if len(np.unique(notes["velocity"])) < _LEAST_VELOCITIES:
        return []
    starts = np.array([bar.start for bar in bars[::_BARS_TOGETHER]])
    section = np.searchsorted(starts, notes["onset"], side="right") - 1
    result: list[Dynamic] = []
    last = -np.inf
    for index in np.unique(section):
        inside = notes[section == index]
        mean = float(inside["velocity"].mean())
        name = next(name for limit, name in _LEVELS if mean < limit)
        is_new = not result or (abs(mean - last) >= _LEAST_STEP and name != result[-1].name)
        if is_new:
            result.append(Dynamic(int(inside["onset"][0]), name))
            last = mean
    return result
