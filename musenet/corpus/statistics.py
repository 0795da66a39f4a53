"""What stands behind each style in a split: works, and the ensembles they are written for."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray

from musenet.condition import SOURCES
from musenet.corpus.shards import Split
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.styles import STYLES

ENSEMBLES_KEPT = 16
"""Most frequent ensembles kept of each style."""
LARGEST_ENSEMBLE = 16

Ensembles = dict[str, list[tuple[list[str], int]]]


def style_counts(split: Split) -> dict[str, list[int]]:
    """Real and arranged works of each style, by name; styles without any are left out."""
    arranged = split.pieces["kind"] // 2 == SOURCES.index("arranged")
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


def _players(split: Split, index: int) -> tuple[int, ...]:
    present: NDArray[np.int64] = np.bincount(split.table(index)[:, 1], minlength=DRUMS + 1)
    return tuple(int(player) for player in np.flatnonzero(present[: DRUMS + 1]))


def _commonest(counts: Counter[tuple[int, ...]]) -> list[tuple[list[str], int]]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:ENSEMBLES_KEPT]
    return [([INSTRUMENTS[player].name for player in players], count) for players, count in ranked]
