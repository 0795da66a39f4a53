"""Hypothesis strategies that the tests share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from musenet.instruments import INSTRUMENTS
from musenet.score import METRE, NOTE, TEMPO, TICKS_PER_BEAT, Array, Score, records, sort_notes

TICKS_PER_BEATS = (TICKS_PER_BEAT, 96, 120, 480, 960)
DENOMINATORS = (1, 2, 4, 8, 16, 32)


@st.composite
def scores(
    draw: st.DrawFn,
    *,
    ticks_per_beat: Iterable[int] = TICKS_PER_BEATS,
    instruments: Iterable[int] = range(len(INSTRUMENTS)),
    min_notes: int = 0,
    max_notes: int = 24,
    max_beats: int = 40,
) -> Score:
    """Any valid score, unisons, overlaps and long silences included.

    Args:
        draw: given by hypothesis.
        ticks_per_beat: resolutions to choose from.
        instruments: ids of the instruments to choose from.
        min_notes: fewest notes.
        max_notes: most notes.
        max_beats: bound on onsets, durations, tempo and metre changes, in quarter notes.
    """
    resolution = draw(st.sampled_from(list(ticks_per_beat)))
    last = max_beats * resolution
    note = st.tuples(
        st.integers(0, last),
        st.integers(1, last),
        st.integers(0, 127),
        st.integers(1, 127),
        st.sampled_from(list(instruments)),
    )
    notes = records(NOTE, draw(st.lists(note, min_size=min_notes, max_size=max_notes)))
    return Score(sort_notes(notes), draw(_tempos(last)), draw(_metres(last)), resolution)


def _tempos(last: int) -> st.SearchStrategy[Array]:
    change = st.tuples(st.integers(0, last), st.floats(24.0, 300.0))
    return _at_rising_ticks(change).map(lambda rows: records(TEMPO, rows))


def _metres(last: int) -> st.SearchStrategy[Array]:
    change = st.tuples(st.integers(0, last), st.integers(1, 16), st.sampled_from(DENOMINATORS))
    return _at_rising_ticks(change).map(lambda rows: records(METRE, rows))


def _at_rising_ticks(
    change: st.SearchStrategy[tuple[Any, ...]],
) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    return st.lists(change, max_size=4, unique_by=lambda row: row[0]).map(sorted)
