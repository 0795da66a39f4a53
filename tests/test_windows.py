import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores
from tables import tables

from musenet.events import METRE_EVENT, TEMPO_EVENT, Table, encode
from musenet.features import features, moments_of
from musenet.score import Score
from musenet.windows import window


@given(tables())
def test_the_window_over_all_is_the_piece(table: Table) -> None:
    view = window(table, 0, len(table))
    assert np.array_equal(view.table, table)
    assert np.array_equal(view.moments.seconds, moments_of(table).seconds)
    assert (view.reminders, view.begins) == (0, True)


@given(scores(min_notes=2), st.data())
def test_rows_keep_the_moments_of_the_whole_piece(score: Score, data: st.DataObject) -> None:
    table = encode(score)
    start = data.draw(st.integers(2, len(table) - 1))
    stop = data.draw(st.integers(start, len(table)))
    view = window(table, start, stop)
    total = moments_of(table).seconds[-1]
    assert np.array_equal(view.table[view.reminders :], table[start:stop])
    assert np.array_equal(
        features(view.moments, total)[view.reminders :],
        features(moments_of(table), total)[start:stop],
    )
    assert (view.reminders, view.begins) == (2, False)


@given(scores(min_notes=2), st.data())
def test_reminders_tell_the_metre_and_tempo_in_force(score: Score, data: st.DataObject) -> None:
    table = encode(score)
    start = data.draw(st.integers(2, len(table)))
    view = window(table, start, len(table))
    for reminder, kind in zip(view.table[:2], (METRE_EVENT, TEMPO_EVENT), strict=True):
        last = table[:start][table[:start, 1] == kind][-1]
        assert reminder.tolist() == [0, *last[1:].tolist()]
    before = moments_of(table).tick[start - 1]
    assert view.moments.tick[:2].tolist() == [before, before]


@given(tables(min_rows=2), st.data())
def test_the_rows_after_a_window_do_not_matter(table: Table, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(table) - 1))
    stop = data.draw(st.integers(start, len(table)))
    some, other = window(table, start, stop), window(table[:stop], start, stop)
    assert np.array_equal(some.table, other.table)
    assert np.array_equal(features(some.moments, 9.0), features(other.moments, 9.0))


@pytest.mark.parametrize("rows", [[(5, 0, 60, 9, 9)] * 4, [(0, TEMPO_EVENT, 5, 0, 0)] * 4])
def test_what_was_never_set_is_not_repeated(rows: list[tuple[int, ...]]) -> None:
    view = window(np.array(rows, dtype=np.uint8), 2, 4)
    assert view.reminders == (rows[0][1] == TEMPO_EVENT)
    assert not view.begins


def test_a_window_does_not_change_the_piece() -> None:
    table = np.array([(7, METRE_EVENT, 1, 0, 0), (5, 0, 60, 9, 9)], dtype=np.uint8)
    before = table.copy()
    window(table, 1, 2).table[:] = 0
    assert np.array_equal(table, before)


@given(tables(min_rows=4), st.data())
def test_rows_that_are_not_seen_are_left_out(table: Table, data: st.DataObject) -> None:
    count = len(table)
    seen = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    start = data.draw(st.integers(0, count))
    view = window(table, start, count, seen)
    rows = start + np.flatnonzero(seen[start:])
    assert np.array_equal(view.table[view.reminders :], table[rows])
    assert np.array_equal(view.moments.tick[view.reminders :], moments_of(table).tick[rows])
    assert view.begins == (len(rows) > 0 and rows[0] == 0)
    whole = window(table, start, count, np.ones(count, dtype=bool))
    assert np.array_equal(whole.table, window(table, start, count).table)
