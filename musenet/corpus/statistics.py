"""What a split holds: works behind each style, how they are scored and begin, notes at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from musenet.condition import ARRANGED, BEATLESS
from musenet.corpus.shards import Split
from musenet.events import decode
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.key import KEYS
from musenet.quantise import METRES, TEMPI
from musenet.score import note_ends
from musenet.styles import STYLES

ENSEMBLES_KEPT = 16
"""Most frequent ensembles kept of each style."""
LARGEST_ENSEMBLE = 16

VOICES_SHARE = 0.99
"""Share of the moments of an instrument in which no more notes sound than `voices` says."""
_SAMPLED, _ENOUGH = 3_000, 200

Ensembles = dict[str, list[tuple[list[str], int]]]
Counts = dict[str, dict[str, int]]


def style_counts(split: Split) -> dict[str, list[int]]:
    """Real and arranged works of each style, by name; styles without any are left out."""
    arranged = split.pieces["kind"] // 2 == ARRANGED
    works: dict[int, tuple[set[int], set[int]]] = defaultdict(lambda: (set(), set()))
    for styles, work, is_arranged in zip(
        split.pieces["styles"].tolist(), split.pieces["work"].tolist(), arranged.tolist(),
        strict=True,
    ):  # fmt: skip
        for style in styles:
            if style >= 0:
                works[style][int(is_arranged)].add(work)
    return {STYLES[style].name: [len(own) for own in works[style]] for style in sorted(works)}


def ensembles(split: Split) -> Ensembles:
    """The commonest sets of instruments of each style with the number of pieces for them.

    The key "" stands for all styles, each of them weighing the same.
    """
    counts: dict[int, Counter[tuple[int, ...]]] = defaultdict(Counter)
    for index, styles in enumerate(split.pieces["styles"].tolist()):
        players = _players(split, index)
        if 0 < len(players) <= LARGEST_ENSEMBLE:
            for style in styles:
                if style >= 0:
                    counts[style][players] += 1
    kept = {STYLES[style].name: _commonest(counts[style]) for style in sorted(counts)}
    overall: Counter[tuple[int, ...]] = Counter()
    for own in counts.values():
        total = own.total()
        for players, count in own.items():
            overall[players] += round(10_000 * count / total)
    return {"": _commonest(overall)} | kept


def metres(split: Split) -> Counts:
    """How many pieces of each style begin in each metre, the commonest first."""
    return _by_style(split, metres_of)


def tempi(split: Split) -> Counts:
    """How many pieces of each style begin at each tempo in beats a minute, the commonest first."""
    return _by_style(split, tempi_of)


def keys(split: Split) -> Counts:
    """How many pieces of each style are in each of `musenet.key.KEYS`, the commonest first."""
    return _by_style(split, keys_of)


def _by_style(split: Split, count: Callable[[Split, NDArray[np.bool_]], dict[str, int]]) -> Counts:
    """What is counted of the pieces of each style; styles with nothing to count are left out."""
    styles = split.pieces["styles"]
    found = {
        STYLES[style].name: count(split, np.any(styles == style, axis=1))
        for style in np.unique(styles[styles >= 0]).tolist()
    }
    return {name: own for name, own in found.items() if own}


def metres_of(split: Split, chosen: NDArray[np.bool_]) -> dict[str, int]:
    """How many of the chosen pieces, shape (pieces,), begin in each metre, the commonest first.

    Pieces whose beats are not known, which count as 4/4, are left out.
    """
    has_beat = split.pieces["kind"] // 2 != BEATLESS
    first = split.events[split.pieces["offset"][chosen & has_beat], 2]
    common = Counter(first.tolist()).most_common()
    return {f"{METRES[place][0]}/{METRES[place][1]}": count for place, count in common}


def tempi_of(split: Split, chosen: NDArray[np.bool_]) -> dict[str, int]:
    """How many of the chosen pieces, shape (pieces,), begin at each tempo, the commonest first.

    Tempi that are a guess are left out.
    """
    known = chosen & ~split.pieces["tempo_guessed"].astype(np.bool_)
    second = split.events[split.pieces["offset"][known] + 1, 2]
    common = Counter(second.tolist()).most_common()
    return {f"{TEMPI[step]:.1f}": count for step, count in common}


def keys_of(split: Split, chosen: NDArray[np.bool_]) -> dict[str, int]:
    """How many of the chosen pieces, shape (pieces,), are in each key, the commonest first."""
    common = Counter(split.pieces["key"][chosen].tolist()).most_common()
    return {KEYS[key]: count for key, count in common}


def voices(split: Split) -> dict[str, int]:
    """How many notes of each instrument sound at once, by name: a high quantile.

    Counted at the onsets of every n-th piece, some 3,000 in all; instruments with too few
    onsets are left out.
    """
    counts = np.zeros((DRUMS, 129), dtype=np.int64)
    for index in range(0, len(split), max(1, len(split) // _SAMPLED)):
        score = decode(split.table(index))
        ends = note_ends(score)
        for player in score.instruments:
            if player < DRUMS:
                own = score.notes["instrument"] == player
                at_once = _sounding(score.notes["onset"][own], ends[own])
                counts[player] += np.bincount(np.minimum(at_once, 128), minlength=129)
    shares = counts.cumsum(axis=1) / np.maximum(1, counts.sum(axis=1, keepdims=True))
    return {
        INSTRUMENTS[player].name: int(np.searchsorted(shares[player], VOICES_SHARE))
        for player in np.flatnonzero(counts.sum(axis=1) >= _ENOUGH)
    }


def _sounding(onsets: NDArray[np.int32], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Notes that sound at each different onset."""
    moments = np.unique(onsets)
    begun = np.searchsorted(np.sort(onsets), moments, side="right")
    return begun - np.searchsorted(np.sort(ends), moments, side="right")


def _players(split: Split, index: int) -> tuple[int, ...]:
    present: NDArray[np.int64] = np.bincount(split.table(index)[:, 1], minlength=DRUMS + 1)
    return tuple(int(player) for player in np.flatnonzero(present[: DRUMS + 1]))


def _commonest(counts: Counter[tuple[int, ...]]) -> list[tuple[list[str], int]]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:ENSEMBLES_KEPT]
    return [([INSTRUMENTS[player].name for player in players], count) for players, count in ranked]
