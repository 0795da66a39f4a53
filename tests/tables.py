"""Hypothesis strategies for event tables."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from musenet.events import END, METRE_EVENT, REST, TEMPO_EVENT, Table
from musenet.instruments import DRUMS
from musenet.quantise import DURATIONS, METRES, TEMPI, VELOCITIES

WAITS = st.one_of(st.just(0), st.integers(0, 96))
NONE = st.just(0)
PITCHES = st.integers(0, 127)
LENGTHS = st.integers(1, len(DURATIONS))
LEVELS = st.integers(1, len(VELOCITIES))
ROWS = st.one_of(
    st.tuples(WAITS, st.integers(0, DRUMS - 1), PITCHES, LENGTHS, LEVELS),
    st.tuples(WAITS, st.just(DRUMS), PITCHES, NONE, LEVELS),
    st.tuples(WAITS, st.just(TEMPO_EVENT), st.integers(0, len(TEMPI) - 1), NONE, NONE),
    st.tuples(WAITS, st.just(METRE_EVENT), st.integers(0, len(METRES) - 1), NONE, NONE),
    st.tuples(WAITS, st.just(END), NONE, NONE, NONE),
    st.just((96, REST, 0, 0, 0)),
)
"""Any valid row."""


def tables(min_rows: int = 0, max_rows: int = 40) -> st.SearchStrategy[Table]:
    """Any table of valid rows, in any order."""
    return st.lists(ROWS, min_size=min_rows, max_size=max_rows).map(
        lambda rows: np.array(rows, dtype=np.uint8).reshape(-1, 5)
    )
