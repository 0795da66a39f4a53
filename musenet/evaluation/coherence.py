"""Coherence over minutes: whether key, tempo and balance stay what they are.

A piece is cut into equal parts of about a minute, and each is compared with the whole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.analysis.arrays import mean
from musenet.evaluation.harmony import key_drift, weights_between
from musenet.instruments import INSTRUMENTS
from musenet.key import KEYS, keys_of
from musenet.score import Score, ticks_at


@dataclass(frozen=True)
class Minute:
    """About a minute of a piece.

    Attributes:
        seconds: how long it is.
        key: name of its key, or "none".
        tempo: mean tempo in beats a minute.
        notes: how many begin in it.
        shares: share of these notes by name of the instrument.
    """

    seconds: float
    key: str
    tempo: float
    notes: int
    shares: dict[str, float]


def minute_edges(score: Score) -> NDArray[np.float64]:
    """Ticks that cut a score into equal parts of about a minute, shape (minutes + 1,)."""
    minutes = max(1, round(score.seconds / 60))
    edges = ticks_at(score, np.linspace(0.0, score.seconds, minutes + 1))
    edges[-1] = score.end
    return edges


def coherence(score: Score) -> dict[str, float]:
    """How the minutes of a piece differ from the whole of it; NaN where it has but one.

    Returns:
        `minute_key_clarity`, `minute_key_drift`, `minute_key_distance`: as `key_drift`;
        `minute_tempo_drift`: mean of |ln(tempo of the minute / tempo of the whole)|;
        `minute_balance_drift`: mean total-variation distance between the instruments' shares of
        the notes; `minute_absence`: share of instruments that are silent, mean over minutes.
    """
    edges = minute_edges(score)
    names = "key_clarity", "key_drift", "key_distance", "tempo_drift", "balance_drift", "absence"
    if len(edges) < 3:
        return {f"minute_{name}": math.nan for name in names}
    key = key_drift(score, edges)
    balance = _counts(score, edges)
    shares, whole = _shares(balance), _shares(balance.sum(axis=0))
    drift = 0.5 * np.abs(shares - whole).sum(axis=1)[balance.any(axis=1)]
    absence = (balance == 0)[:, whole > 0].mean(axis=1)
    values = (
        key["clarity"],
        key["drift"],
        key["distance"],
        _tempo_drift(edges),
        mean(drift),
        absence,
    )
    return {f"minute_{n}": mean(value) for n, value in zip(names, values, strict=True)}


def _tempo_drift(edges: NDArray[np.float64]) -> float:
    """Parts are equally long, so that their ticks are as their tempi."""
    ticks = np.diff(edges).round(6)
    return mean(np.abs(np.log(ticks / ticks.mean())))


def _counts(score: Score, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Notes that begin in each minute by instrument, shape (minutes, instruments)."""
    minutes = len(edges) - 1
    minute = np.searchsorted(edges[1:-1], score.notes["onset"], side="right")
    cells = minute * len(INSTRUMENTS) + score.notes["instrument"]
    counts = np.bincount(cells, minlength=minutes * len(INSTRUMENTS))
    return counts.reshape(minutes, len(INSTRUMENTS))


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = counts / np.maximum(1, counts.sum(axis=-1, keepdims=True))
    return result


def by_minute(score: Score) -> list[Minute]:
    """The minutes of a piece: key, tempo, and what each instrument has of the notes."""
    edges = minute_edges(score)
    seconds = score.seconds / (len(edges) - 1)
    keys = keys_of(weights_between(score, edges))[0]
    counts = _counts(score, edges)
    tempos = np.diff(edges) / score.ticks_per_beat * 60 / seconds if seconds else np.zeros(1)
    return [
        Minute(seconds, KEYS[key], float(tempo), int(row.sum()), _named(row))
        for key, tempo, row in zip(keys, tempos, counts, strict=True)
    ]


def _named(counts: NDArray[np.int64]) -> dict[str, float]:
    shares = _shares(counts)
    return {INSTRUMENTS[i].name: float(shares[i]) for i in np.flatnonzero(counts)}
