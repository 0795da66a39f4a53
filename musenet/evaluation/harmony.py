"""Pitches and keys: which pitch classes a piece uses, in which key it is and how far it strays.

Drums are left out. Definitions and sources stand in docs/measures.md.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from musenet.analysis.arrays import Bars, mean, pitched, sounding
from musenet.key import NO_KEY, keys_of, pitch_class_weights
from musenet.score import Score

WINDOW_BARS = 8
"""Bars in which a key is looked for."""

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))


def harmony(score: Score, bars: Bars) -> dict[str, float]:
    """Pitch-class entropy, scale consistency, clarity of the key and how it moves in 8 bars.

    Args:
        score: any score.
        bars: its bars.
    """
    notes = pitched(score)
    counts = np.bincount(notes.notes["pitch"] % 12, minlength=12)
    clarity = float(keys_of(pitch_class_weights(notes))[1]) if len(notes.notes) else math.nan
    windows = max(1, round(len(bars) / WINDOW_BARS))
    drift = key_drift(notes, np.r_[bars.starts[::WINDOW_BARS][:windows], score.end])
    return {
        "pitch_class_entropy": pitch_class_entropy(counts),
        "scale_consistency": scale_consistency(counts),
        "key_clarity": clarity,
        "key_clarity_8_bars": drift["clarity"],
        "key_drift_8_bars": drift["drift"],
        "key_distance_8_bars": drift["distance"],
    }


def pitch_class_entropy(counts: ArrayLike) -> float:
    """Entropy in bits of notes by pitch class (Wu and Yang, 2020); NaN without notes.

    Args:
        counts: notes of each pitch class, shape (12,).
    """
    notes = np.asarray(counts, dtype=np.float64)
    if not notes.sum():
        return math.nan
    share = notes[notes > 0] / notes.sum()
    return max(0.0, float(-(share * np.log2(share)).sum()))


def scale_consistency(counts: ArrayLike) -> float:
    """Largest share of notes in one major or natural minor scale (Mogren, 2016).

    Args:
        counts: notes of each pitch class, shape (12,).
    """
    notes = np.asarray(counts, dtype=np.float64)
    if not notes.sum():
        return math.nan
    steps = [(np.array(scale) + tonic) % 12 for scale in _SCALES for tonic in range(12)]
    return max(float(notes[step].sum()) for step in steps) / float(notes.sum())


def weights_between(score: Score, edges: ArrayLike) -> NDArray[np.float64]:
    """How long each pitch class sounds between edges in ticks, shape (edges - 1, 12)."""
    notes = pitched(score)
    classes = notes.notes["pitch"] % 12
    parts = [Score(notes.notes[classes == pitch_class]) for pitch_class in range(12)]
    return np.stack([sounding(part, edges) for part in parts], axis=1)


def key_drift(score: Score, edges: ArrayLike) -> dict[str, float]:
    """How windows between edges (ticks) differ in key from the whole piece.

    Returns:
        `clarity`: mean correlation of the windows with the profile of their best key, silent ones
        left out. `drift`: share of the windows in another key, `distance`: their mean distance in
        fifths (0 to 6, a relative minor at 0); of windows that have a key, NaN for none and for a
        piece without a key.
    """
    whole = int(keys_of(pitch_class_weights(score))[0])
    weights = weights_between(score, edges)
    keys, clarity = keys_of(weights[weights.any(axis=1)])
    keys = keys[keys != NO_KEY]
    known = whole != NO_KEY
    return {
        "clarity": mean(clarity),
        "drift": mean(keys != whole) if known else math.nan,
        "distance": mean(fifths(keys, whole)) if known else math.nan,
    }


def fifths(keys: ArrayLike, key: int) -> NDArray[np.int64]:
    """Steps on the circle of fifths between the signatures of keys (0-23) and of one key."""
    steps = (_signature(np.asarray(keys)) - _signature(np.asarray(key))) % 12
    result: NDArray[np.int64] = np.minimum(steps, 12 - steps)
    return result


def _signature(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fifths above C of the major key with the same signature, modulo 12."""
    result: NDArray[np.int64] = 7 * (key % 12 + 3 * (key >= 12)) % 12
    return result
