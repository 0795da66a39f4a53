"""Styles that often stand together in one piece, as folk and jig do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from musenet.corpus.shards import Split
from musenet.styles import STYLES

TOGETHER = 0.05
"""Share of the pieces of one of two styles that carry both from which the styles are relatives."""


def carried(split: Split, styles: Sequence[int]) -> NDArray[np.bool_]:
    """Which of some styles each piece carries, shape (pieces, styles)."""
    found: NDArray[np.bool_] = (split.pieces["styles"][:, :, None] == styles).any(axis=1)
    return found


def relatives(split: Split, styles: Sequence[int]) -> NDArray[np.bool_]:
    """Which styles often stand together in one piece, as folk and jig do, (styles, styles).

    Two are relatives where `TOGETHER` of the pieces of either carry both; each is its own.
    """
    own = carried(split, styles).astype(np.float64)
    both = own.T @ own
    share = both / np.maximum(1.0, np.diag(both))
    found: NDArray[np.bool_] = np.maximum(share, share.T) >= TOGETHER
    return found | np.eye(len(styles), dtype=bool)


def relatives_by_name(split: Split) -> dict[str, list[str]]:
    """The relatives of each style that stands in a split, itself left out, by name."""
    styles = list(split.by_style)
    return {
        STYLES[style].name: [
            STYLES[styles[place]].name for place in np.flatnonzero(own) if styles[place] != style
        ]
        for style, own in zip(styles, relatives(split, styles), strict=True)
    }
