"""The key of a passage, from how much each pitch class sounds.

Correlation with the probe-tone profiles of Krumhansl and Kessler (1982), the key-finding
algorithm of Krumhansl and Schmuckler (Krumhansl, Cognitive Foundations of Musical Pitch, 1990,
chapter 4).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musenet.instruments import DRUMS
from musenet.score import Score

PITCH_CLASSES = ("C", "C#", "D", "E flat", "E", "F", "F#", "G", "A flat", "A", "B flat", "B")
KEYS = (
    *(f"{name} major" for name in PITCH_CLASSES), *(f"{name} minor" for name in PITCH_CLASSES),
    "none",
)  # fmt: skip
"""Names of the key ids: 0-11 major on C and up, 12-23 minor, 24 none."""
NO_KEY = 24
MIN_CORRELATION = 0.6
"""A passage whose best key correlates less than this has none."""
CHANGE = 1.0
"""What a change of key must gain in correlation, summed over the bars that follow."""

_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def _profiles() -> NDArray[np.float64]:
    rows = [np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)]
    return _standard(np.array(rows, dtype=np.float64))


def _standard(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows with mean 0 and length 1; rows that do not vary become 0."""
    centred = rows - rows.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    flat = length <= 1e-9 * np.abs(rows).max(axis=-1, keepdims=True, initial=0.0)
    result: NDArray[np.float64] = np.where(flat, 0.0, centred / np.where(flat, 1.0, length))
    return result


_PROFILES = _profiles()


def pitch_class_weights(score: Score) -> NDArray[np.float64]:
    """How long each pitch class sounds in beats, shape (12,); drums left out."""
    notes = score.notes[score.notes["instrument"] != DRUMS]
    beats = notes["duration"] / score.ticks_per_beat
    weights: NDArray[np.float64] = np.bincount(notes["pitch"] % 12, beats, 12).astype(np.float64)
    return weights


def keys_of(weights: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The key of each row of pitch-class weights.

    Args:
        weights: shape (..., 12), not negative.

    Returns:
        Key ids and confidences (the correlation with the best key's profile, -1 to 1), each of
        shape (...); `NO_KEY` where the confidence is below `MIN_CORRELATION`.
    """
    correlation = _correlations(weights)
    best = correlation.argmax(axis=-1)
    confidence = correlation.max(axis=-1)
    return np.where(confidence < MIN_CORRELATION, NO_KEY, best), confidence


def _correlations(weights: ArrayLike) -> NDArray[np.float64]:
    """With the profile of each key, shape (..., 24)."""
    correlations: NDArray[np.float64] = (
        _standard(np.asarray(weights, dtype=np.float64)) @ _PROFILES.T
    )
    return correlations


def keys_in_time(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """The key of each bar, as what goes before and after lets it be heard.

    The keys that correlate best with each bar and the two on either side of it, where changes are
    few: a change costs `CHANGE` (Temperley, The Cognition of Basic Musical Structures, 2001,
    chapter 7), and the best way through is found by dynamic programming.

    Args:
        weights: how much each pitch class sounds in each bar, shape (bars, 12).

    Returns:
        Key ids, shape (bars,); `NO_KEY` where the best correlates less than `MIN_CORRELATION`.
    """
    bars = np.arange(len(weights))
    sums = np.concatenate([np.zeros((1, 12)), np.cumsum(weights, axis=0)])
    around = sums[np.minimum(bars + 3, len(bars))] - sums[np.maximum(bars - 2, 0)]
    fits = _correlations(around)
    back = np.empty(fits.shape, dtype=np.int64)
    value = np.zeros(fits.shape[1])
    for bar, fit in enumerate(fits):
        other = int(value.argmax())
        stays = value >= value[other] - CHANGE
        back[bar] = np.where(stays, np.arange(len(value)), other)
        value = np.where(stays, value, value[other] - CHANGE) + fit
    keys = np.empty(len(bars), dtype=np.int64)
    key = int(value.argmax()) if len(bars) else NO_KEY
    for bar in bars[::-1]:
        keys[bar], key = key, int(back[bar, key])
    return np.where(fits[bars, keys] < MIN_CORRELATION, NO_KEY, keys)


def key_of(score: Score) -> tuple[int, float]:
    """The key id of a whole score and its confidence, as `keys_of`."""
    key, confidence = keys_of(pitch_class_weights(score))
    return int(key), float(confidence)


def fitting_shift(first: ArrayLike, second: ArrayLike, steps: Iterable[int]) -> int:
    """Semitones by which the second's tones go best with the first's; the smallest of equals.

    Args:
        first: how much each pitch class sounds, shape (12,).
        second: likewise.
        steps: what may be chosen; -6 to 5 reach every pitch class.
    """
    ones, others = np.asarray(first), np.asarray(second)
    return max(sorted(steps, key=abs), key=lambda step: float(ones @ np.roll(others, step)))


def transpose_key(key: int, semitones: int) -> int:
    """The key id after all pitches move by semitones."""
    return int(transpose_keys(np.array(key), np.array(semitones)))


def transpose_keys(keys: NDArray[np.int64], semitones: NDArray[np.int64]) -> NDArray[np.int64]:
    """Key ids after the pitches of each move by semitones, shapes alike."""
    moved = keys // 12 * 12 + (keys + semitones) % 12
    return np.where(keys == NO_KEY, NO_KEY, moved)
