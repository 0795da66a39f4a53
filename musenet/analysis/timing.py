"""Time: the tempo and how it changes, silences, and how a piece ends."""

from __future__ import annotations

import math

import numpy as np

from musenet.analysis.arrays import (
    Bars,
    mean,
    metre_at,
    pitched,
    sounding,
    spread,
    stretches,
)
from musenet.key import NO_KEY, key_of
from musenet.score import Score, note_ends, seconds_at, tempo_map

NEAR_BEAT = 1 / 8
"""Beats by which an onset may miss the strong beat that it stands on."""


def tempo(score: Score) -> dict[str, float]:
    """Mean tempo in beats a minute, standard deviation of its logarithm, changes a minute.

    Mean (geometric) and deviation are over time; all are NaN for a score without length.
    """
    starts, seconds, per_tick = tempo_map(score)
    heard = starts < score.end
    if not heard.any():
        return dict.fromkeys(("tempo", "tempo_spread", "tempo_changes"), math.nan)
    log = np.log(60.0 / (per_tick[heard] * score.ticks_per_beat))
    lasts = np.diff(seconds[heard], append=score.seconds)
    changes = int((np.abs(np.diff(log)) > 1e-9).sum())
    return {
        "tempo": math.exp(mean(log, lasts)),
        "tempo_spread": spread(log, lasts),
        "tempo_changes": 60.0 * changes / score.seconds,
    }


def silence(score: Score, bars: Bars) -> dict[str, float]:
    """Share of bars and of beats in which nothing sounds, and the longest silence in seconds.

    Drums count. Silence before the first note counts, what follows the last does not.
    """
    edges, count = stretches(score)
    lasts = np.diff(seconds_at(score, edges))
    beats = np.arange(0, score.end + score.ticks_per_beat, score.ticks_per_beat)
    return {
        "empty_bars": mean(sounding(score, np.r_[bars.starts, score.end]) == 0),
        "empty_beats": mean(sounding(score, beats) == 0),
        "longest_silence": float(lasts[count == 0].max(initial=0.0)) if len(lasts) else math.nan,
    }


def ending(score: Score, bars: Bars) -> dict[str, float]:
    """How a piece ends: 1 for yes, 0 for no, NaN where it cannot be told.

    The last chord is all pitched notes that sound at or after the last pitched onset.

    Returns:
        `ending_tonic`: the chord holds the tonic of the piece's key; `ending_bass`: its lowest
        note is the tonic; `ending_held`: its longest note is longer than the median note;
        `ending_strong_beat`: the last onset stands on the first beat of a bar or on the middle of
        one of an even number of at least four beats.
    """
    notes = pitched(score).notes
    if not len(notes):
        names = "ending_tonic", "ending_bass", "ending_held", "ending_strong_beat"
        return dict.fromkeys(names, math.nan)
    last = int(notes["onset"][-1])
    chord = notes[note_ends(pitched(score)) > last]
    key = key_of(score)[0]
    tonic = chord["pitch"] % 12 == key % 12
    held = chord["duration"].max() > np.median(notes["duration"])
    return {
        "ending_tonic": math.nan if key == NO_KEY else float(tonic.any()),
        "ending_bass": math.nan if key == NO_KEY else float(tonic[chord["pitch"].argmin()]),
        "ending_held": float(held),
        "ending_strong_beat": float(on_strong_beat(score, bars, last)),
    }


def on_strong_beat(score: Score, bars: Bars, tick: int) -> bool:
    """Whether a tick is within an eighth of a beat of a bar line, or of a strong middle."""
    bar = int(np.searchsorted(bars.starts, tick, side="right")) - 1
    start, length = int(bars.starts[bar]), int(bars.lengths[bar])
    numerator = metre_at(score, start)[0]
    strong = [0.0, float(length)]
    if numerator >= 4 and numerator % 2 == 0:
        strong.append(length / 2)
    nearest = min(abs(tick - start - place) for place in strong)
    return nearest <= NEAR_BEAT * score.ticks_per_beat
