"""How often each piece is drawn: the mixture of sources."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from musenet.condition import ARRANGED
from musenet.corpus.shards import Split
from musenet.styles import style_id

STYLE_POWER = 0.75
"""How a style's share within its source grows with its notes: 1 in proportion, 0 not at all."""
LIMITS = {"polish": 0.20, "arranged": 0.15, "folk": 0.10, "drums": 0.02}
"""Largest share of the notes that a group may have in the mixture."""


def piece_weights(split: Split, window_events: int) -> NDArray[np.float64]:
    """Probability of drawing a window from each piece, shape (pieces,), adding up to 1.

    A source's share of the notes drawn is as the square root of its notes, so that small
    sources are learnt and large ones do not drown them; the groups of `LIMITS` count as one
    source and are capped. Within a source a style's share is as a power of its notes
    (`STYLE_POWER`), so that rare composers and genres are learnt.
    """
    groups = _groups(split)
    names, index = np.unique(groups, return_inverse=True)
    notes = split.pieces["notes"].astype(np.float64)
    share = np.sqrt(np.bincount(index, weights=notes))
    caps = np.array([LIMITS.get(str(name), 1.0) for name in names])
    share = _capped(share / share.sum(), caps)
    windows: NDArray[np.float64] = np.maximum(1.0, split.pieces["events"] / window_events)
    wanted: NDArray[np.float64] = windows * _rarity(index, _finest_style(split), windows)
    wanted_of_group = np.bincount(index, weights=wanted)
    notes_a_window = np.bincount(index, weights=wanted * notes / windows) / wanted_of_group
    draws = (share / notes_a_window)[index] * wanted / wanted_of_group[index]
    weights: NDArray[np.float64] = draws / draws.sum()
    return weights


def _finest_style(split: Split) -> NDArray[np.int64]:
    """The last style of each piece, which is the narrowest, -1 for none, shape (pieces,)."""
    styles = split.pieces["styles"].astype(np.int64)
    known = np.maximum(0, (styles >= 0).sum(axis=1) - 1)
    narrowest: NDArray[np.int64] = styles[np.arange(len(styles)), known]
    return narrowest


def _rarity(
    group: NDArray[np.int64], style: NDArray[np.int64], windows: NDArray[np.float64]
) -> NDArray[np.float64]:
    """By how much each piece is drawn more often because its style is rare, shape (pieces,)."""
    _, both = np.unique(np.stack([group, style]), axis=1, return_inverse=True)
    amount = np.bincount(both.ravel(), weights=windows)[both.ravel()]
    return np.power(amount, STYLE_POWER - 1.0).astype(np.float64)


def _groups(split: Split) -> NDArray[np.str_]:
    """The group of each piece: one of `LIMITS`, else the archive or folder it came from."""
    pieces = split.pieces
    names = np.array([name.split("/", 1)[0] for name in split.names], dtype="U64")
    polish = np.char.find(names, "polish-scores") >= 0
    names[np.any(pieces["styles"] == style_id("folk"), axis=1)] = "folk"
    names[np.any(pieces["styles"] == style_id("drums"), axis=1)] = "drums"
    names[polish] = "polish"
    names[pieces["kind"] // 2 == ARRANGED] = "arranged"
    return names


def _capped(share: NDArray[np.float64], caps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares with caps kept, what is cut off spread over the others in proportion."""
    if caps.sum() <= 1.0:
        return share
    for _ in share:
        over = share > caps
        free = ~over & (share < caps)
        excess = float((share - caps)[over].sum())
        share = np.minimum(share, caps)
        room = share[free].sum()
        if excess <= 1e-12 or room <= 0:
            break
        share = share + excess * np.where(free, share, 0) / room
    result: NDArray[np.float64] = share / share.sum()
    return result
