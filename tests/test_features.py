from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores
from tables import tables

from musenet.events import (
    METRE_EVENT,
    REST,
    TEMPO_EVENT,
    Table,
    decode,
    encode,
)
from musenet.features import (
    COLUMNS,
    FEATURE_SIZES,
    IN_PHRASE,
    NO_BEAT,
    NO_COUNTDOWN,
    NO_PART,
    NO_PHRASE,
    NO_TICK,
    NOT_TOLD,
    PARTS,
    Moments,
    features,
    moments_of,
)
from musenet.quantise import METRES, tempo_step
from musenet.score import Score, bar_starts, seconds_at

TICK, CHORD, PART, COUNTDOWN, IN_BEAT, BEAT = range(6)


def assert_same(some: Moments, other: Moments) -> None:
    for field in fields(Moments):
        there, here = getattr(some, field.name), getattr(other, field.name)
        assert there.dtype == here.dtype, field.name
        assert np.array_equal(there, here), field.name


# Moments


@given(tables())
def test_step_by_step_gives_what_the_whole_table_gives(table: Table) -> None:
    whole, now = moments_of(table), Moments.beginning(1)
    for index, row in enumerate(table.astype(np.int64)):
        now = now.after_wait(row[:1])
        assert_same(now, whole.take(slice(index, index + 1)))
        now = now.after_row(row[1:2], row[2:3])


@given(st.lists(tables(6, 6), min_size=2, max_size=3))
def test_pieces_step_side_by_side(batch: list[Table]) -> None:
    now = Moments.beginning(len(batch))
    for rows in np.stack(batch, axis=1).astype(np.int64):
        now = now.after_wait(rows[:, 0]).after_row(rows[:, 1], rows[:, 2])
    for index, table in enumerate(batch):
        alone = Moments.beginning(1)
        for row in table.astype(np.int64):
            alone = alone.after_wait(row[:1]).after_row(row[1:2], row[2:3])
        assert_same(now.take(slice(index, index + 1)), alone)


@given(tables(min_rows=1), st.data())
def test_the_future_changes_nothing(table: Table, data: st.DataObject) -> None:
    now = data.draw(st.integers(0, len(table) - 1))
    other = table.copy()
    other[now, 1:] = data.draw(tables(1, 1))[0, 1:]
    rest = data.draw(tables(len(table) - now - 1, len(table) - now - 1))
    other[now + 1 :] = rest
    seen = slice(0, now + 1)
    assert_same(moments_of(table).take(seen), moments_of(other).take(seen))
    before, after = (features(moments_of(some), 100.0)[seen] for some in (table, other))
    assert np.array_equal(before, after)


@given(scores(max_beats=20))
def test_time_agrees_with_the_score(score: Score) -> None:
    table = encode(score)
    result, decoded = moments_of(table), decode(table)
    assert np.allclose(result.seconds, seconds_at(decoded, result.tick))
    assert result.seconds[-1] == pytest.approx(decoded.seconds)


@given(scores(max_beats=20))
def test_bars_agree_with_the_score(score: Score) -> None:
    table = encode(score)
    now = moments_of(table)
    notes = table[:, 1] < METRE_EVENT
    starts = bar_starts(decode(table), int(now.tick[-1]) + 1)
    in_bar = ((now.tick - now.bar_start) % now.bar_ticks)[notes]
    last = starts[np.searchsorted(starts, now.tick[notes], side="right") - 1]
    assert np.array_equal(in_bar, now.tick[notes] - last)


def test_an_empty_table_has_no_moments() -> None:
    assert len(moments_of(np.zeros((0, 5), dtype=np.uint8)).tick) == 0


# Features


def at(seconds: float, tick: int = 0, bpm: float = 60.0) -> Moments:
    one = Moments.beginning(1)
    return Moments(
        one.tick + tick,
        one.seconds + seconds,
        one.place + 1,
        one.seconds_per_tick * 0 + 60 / (bpm * 24),
        one.bar_start,
        one.bar_ticks,
    )


@pytest.mark.parametrize(
    ("seconds", "total", "part"), [(0, 100, 0), (50, 100, 64), (49.9, 100, 63), (100, 100, 127)]
)
def test_part_is_the_share_of_the_piece_in_128ths(seconds: float, total: float, part: int) -> None:
    assert features(at(seconds), total)[0, PART] == part


@pytest.mark.parametrize(
    ("seconds", "bpm", "beats"),
    [(100, 60, 0), (99.5, 60, 1), (90, 60, 10), (90, 120, 20), (0, 120, 127), (120, 60, 0)],
)
def test_countdown_is_the_beats_left(seconds: float, bpm: float, beats: int) -> None:
    assert features(at(seconds, bpm=bpm), 100.0)[0, COUNTDOWN] == beats


def test_what_is_not_told_has_an_id_of_its_own() -> None:
    row = features(at(3.0, tick=30), np.nan, beat_known=False)[0]
    assert row.tolist() == [
        30,
        0,
        NO_PART,
        NO_COUNTDOWN,
        NO_TICK,
        NO_BEAT,
        *NOT_TOLD[:3],
        0,
        *NOT_TOLD[3:],
        NO_PHRASE,
    ]
    assert features(at(3.0, tick=30), np.array([10.0]))[0, IN_BEAT : BEAT + 1].tolist() == [6, 1]


def test_bars_are_counted_in_sixteens_from_the_metre_on() -> None:
    waltz = (0, METRE_EVENT, METRES.index((3, 4)), 0, 0)
    beats = [(24, 0, 60, 24, 9)] * 60
    table = np.array([waltz, (0, 0, 60, 24, 9), *beats], dtype=np.uint8)
    bars = features(moments_of(table), np.nan)[1:, IN_PHRASE]
    assert bars.tolist() == [beat // 3 % 16 for beat in range(61)]


@given(tables(), st.one_of(st.floats(0, 1000), st.just(float("nan"))), st.booleans())
def test_features_fit_their_tables(table: Table, total: float, beat_known: bool) -> None:
    columns = features(moments_of(table), total, beat_known=beat_known)
    assert columns.shape == (len(table), len(COLUMNS))
    assert (columns >= 0).all()
    assert (columns[:, CHORD:] < FEATURE_SIZES[1:]).all()


@given(scores(min_notes=1))
def test_a_piece_ends_in_its_last_part_with_nothing_left(score: Score) -> None:
    moments = moments_of(encode(score))
    columns = features(moments, moments.seconds[-1])
    assert columns[-1, COUNTDOWN] == 0
    assert columns[-1, PART] == PARTS - 1
    assert (np.diff(columns[:, PART]) >= 0).all()


def test_places_in_chord_and_bar() -> None:
    table = np.array(
        [
            (0, METRE_EVENT, METRES.index((3, 4)), 0, 0),
            (0, TEMPO_EVENT, tempo_step(60.0), 0, 0),
            (0, 0, 60, 24, 9),
            (0, 0, 64, 24, 9),
            (30, 0, 62, 24, 9),
            (0, 0, 65, 24, 9),
            (96, REST, 0, 0, 0),
            (18, METRE_EVENT, METRES.index((2, 4)), 0, 0),
            (50, 0, 62, 24, 9),
        ],
        dtype=np.uint8,
    )
    columns = features(moments_of(table), np.nan)
    assert columns[:, TICK].tolist() == [0, 0, 0, 0, 30, 30, 126, 144, 194]
    assert columns[:, CHORD].tolist() == [0, 1, 2, 3, 0, 1, 0, 0, 0]
    assert columns[:, IN_BEAT].tolist() == [0, 0, 0, 0, 6, 6, 6, 0, 2]
    assert columns[:, BEAT].tolist() == [0, 0, 0, 0, 1, 1, 2, 0, 0]
