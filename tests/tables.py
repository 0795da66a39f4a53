"""Hypothesis strategies and helpers for event tables and small corpora."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from musenet.corpus.shards import PIECE, write_header, write_split
from musenet.events import END, METRE_EVENT, REST, TEMPO_EVENT, Table, encode, is_note
from musenet.features import moments_of
from musenet.instruments import DRUMS
from musenet.quantise import DURATIONS, METRES, TEMPI, VELOCITIES

WAITS = st.one_of(st.just(0), st.integers(0, 96))
LEVELS = st.integers(1, len(VELOCITIES))
ROWS = st.one_of(
    st.tuples(
        WAITS, st.integers(0, DRUMS - 1), st.integers(0, 127), st.integers(1, len(DURATIONS)), LEVELS
    ),
    st.tuples(WAITS, st.just(DRUMS), st.integers(0, 127), st.just(0), LEVELS),
    st.tuples(WAITS, st.just(TEMPO_EVENT), st.integers(0, len(TEMPI) - 1), st.just(0), st.just(0)),
    st.tuples(
        WAITS, st.just(METRE_EVENT), st.integers(0, len(METRES) - 1), st.just(0), st.just(0)
    ),
    st.just((96, REST, 0, 0, 0)),
    st.tuples(WAITS, st.just(END), st.just(0), st.just(0), st.just(0)),
)
"""Any valid row."""


def tables(min_rows: int = 0, max_rows: int = 40) -> st.SearchStrategy[Table]:
    """Any table of valid rows, in any order."""
    return st.lists(ROWS, min_size=min_rows, max_size=max_rows).map(
        lambda rows: np.array(rows, dtype=np.uint8).reshape(-1, 5)
    )
