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
    correlation = _standard(np.asarray(weights, dtype=np.float64)) @ _PROFILES.T
    best = correlation.argmax(axis=-1)
    confidence = correlation.max(axis=-1)
    return np.where(confidence < MIN_CORRELATION, NO_KEY, best), confidence


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
    return key if key == NO_KEY else key // 12 * 12 + (key + semitones) % 12
