"""Texture: how many notes sound, how long, how high and how loud."""

from __future__ import annotations

import math

import numpy as np

from musenet.analysis.arrays import mean, pitched, spread, stretches
from musenet.score import Score, note_ends, out_of_range, seconds_at

POLYPHONIC = 2
"""More pitches at once than this count for the polyphony rate."""


def texture(score: Score) -> dict[str, float]:
    """Polyphony, density, note lengths, register and velocity; drums count where it says so.

    Instruments, notes a second, velocity and range violations count drums, the others do not.
    """
    seconds = score.seconds
    return {
        **polyphony(score),
        "instruments": float(len(score.instruments)),
        "notes_per_second": len(score.notes) / seconds if seconds > 0 else math.nan,
        **note_lengths(score),
        **register(score),
        "velocity_mean": mean(score.notes["velocity"]),
        "velocity_spread": spread(score.notes["velocity"]),
    }


def polyphony(score: Score) -> dict[str, float]:
    """Distinct pitches at once while any sound, and share of all time with more than two.

    Time is in ticks. As Dong et al. (MuseGAN, 2018; MusPy, 2020); drums are left out.
    """
    edges, count = stretches(pitched(score))
    lasts, end = np.diff(edges), score.end
    return {
        "polyphony": mean(count[count > 0], lasts[count > 0]),
        "polyphony_rate": float(lasts[count > POLYPHONIC].sum()) / end if end else math.nan,
    }


def note_lengths(score: Score) -> dict[str, float]:
    """Mean and median length of notes in beats and in seconds; drums are left out."""
    notes = pitched(score)
    beats = notes.notes["duration"] / score.ticks_per_beat
    seconds = seconds_at(score, note_ends(notes)) - seconds_at(score, notes.notes["onset"])
    some = len(beats) > 0
    return {
        "note_beats_mean": mean(beats),
        "note_beats_median": float(np.median(beats)) if some else math.nan,
        "note_seconds_mean": mean(seconds),
        "note_seconds_median": float(np.median(seconds)) if some else math.nan,
    }


def register(score: Score) -> dict[str, float]:
    """Mean pitch, mean range of an instrument, and share of notes that it cannot play."""
    notes = pitched(score).notes
    lowest, highest = np.full(256, 255), np.zeros(256, dtype=np.int64)
    np.minimum.at(lowest, notes["instrument"], notes["pitch"])
    np.maximum.at(highest, notes["instrument"], notes["pitch"])
    playing = lowest <= highest
    return {
        "pitch_mean": mean(notes["pitch"]),
        "pitch_range": mean((highest - lowest)[playing]),
        "out_of_range": mean(out_of_range(score)),
    }
