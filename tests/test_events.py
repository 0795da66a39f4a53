import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores
from tables import tables

from musenet import midi
from musenet.events import (
    END,
    MAX_WAIT,
    METRE_EVENT,
    PITCH_OFFSET,
    REST,
    SIZES,
    TEMPO_EVENT,
    Table,
    decode,
    encode,
    is_note,
    is_valid,
    to_ids,
)
from musenet.instruments import DRUMS, instrument_id
from musenet.quantise import DURATIONS, METRES, TEMPI, VELOCITIES, quantise, tempo_step
from musenet.score import METRE, NOTE, TEMPO, Score, records

PIANO = instrument_id("piano")


def table_of(*rows: tuple[int, ...]) -> Table:
    return np.array(rows, dtype=np.uint8).reshape(-1, 5)


# Scores to tables and back


@given(scores())
def test_decoding_gives_the_quantised_score(score: Score) -> None:
    assert decode(encode(score)) == quantise(score)


@given(scores())
def test_a_table_is_valid_and_ends_once_where_the_last_note_does(score: Score) -> None:
    table = encode(score)
    assert table.dtype == np.uint8
    assert is_valid(table)
    assert np.flatnonzero(table[:, 1] == END).tolist() == [len(table) - 1]
    assert table[:, 0].astype(int).sum() == quantise(score).end


@given(scores())
def test_a_table_begins_with_metre_and_tempo(score: Score) -> None:
    assert encode(score)[:2, 1].tolist() == [METRE_EVENT, TEMPO_EVENT]
    assert encode(score)[:2, 0].tolist() == [0, 0]


@given(scores(max_beats=6))
def test_rows_of_a_tick_rise_strictly(score: Score) -> None:
    table = encode(score).astype(int)
    rank = np.where(table[:, 1] == METRE_EVENT, -2, table[:, 1])
    rank = np.where(table[:, 1] == TEMPO_EVENT, -1, rank)
    order = list(zip(np.cumsum(table[:, 0]), rank, table[:, 2], strict=True))
    notes_and_changes = [key for key, row in zip(order, table, strict=True) if row[1] != REST]
    assert notes_and_changes == sorted(set(notes_and_changes))


@given(scores())
def test_rests_stand_only_where_a_wait_is_too_short(score: Score) -> None:
    table = encode(score)
    rests = np.flatnonzero(table[:, 1] == REST)
    assert (table[rests, 0] == MAX_WAIT).all()
    assert (table[rests + 1, 0] > 0).all()


def test_a_short_piece_row_by_row() -> None:
    score = Score(
        records(NOTE, [(0, 24, 60, 62, PIANO), (96, 96, 62, 127, PIANO), (289, 5, 36, 1, DRUMS)]),
        records(TEMPO, [(0, 120.0)]),
        records(METRE, [(0, 3, 4)]),
    )
    assert encode(score).tolist() == [
        [0, METRE_EVENT, METRES.index((3, 4)), 0, 0],
        [0, TEMPO_EVENT, int(tempo_step(120.0)), 0, 0],
        [0, PIANO, 60, 24, 16],
        [96, PIANO, 62, 96, 32],
        [96, REST, 0, 0, 0],
        [96, REST, 0, 0, 0],
        [1, DRUMS, 36, 0, 1],
        [6, END, 0, 0, 0],
    ]


def test_a_score_without_notes() -> None:
    assert encode(Score())[:, 1].tolist() == [METRE_EVENT, TEMPO_EVENT, END]
    assert decode(encode(Score())) == quantise(Score())


# Any valid table


@given(tables())
def test_any_valid_table_is_a_score_on_the_grid(table: Table) -> None:
    assert is_valid(table)
    score = decode(table)
    assert np.array_equal(decode(encode(score)).notes, score.notes)
    assert np.isin(score.notes["duration"], DURATIONS).all()
    assert np.isin(score.notes["velocity"], VELOCITIES).all()
    assert np.isin(score.tempos["bpm"], TEMPI).all()
    for changes in (score.tempos, score.metres):
        assert (np.diff(changes["tick"]) > 0).all()


@given(tables(max_rows=25))
def test_any_valid_table_is_a_midi_file(
    tmp_path_factory: pytest.TempPathFactory, table: Table
) -> None:
    score = decode(table)
    path = tmp_path_factory.getbasetemp() / "any.mid"
    path.write_bytes(midi.to_bytes(score))
    loaded = quantise(midi.load(path))
    assert np.array_equal(loaded.notes, score.notes)


@given(tables(min_rows=1), tables(min_rows=1, max_rows=5))
def test_what_follows_the_end_does_not_count(table: Table, more: Table) -> None:
    end = table_of((5, END, 0, 0, 0))
    assert decode(np.concatenate([table, end, more])) == decode(np.concatenate([table, end]))


@given(tables(min_rows=1), st.data())
def test_a_value_out_of_place_is_not_valid(table: Table, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(table) - 1))
    field, value = data.draw(
        st.sampled_from([(0, 97), (1, DRUMS + 1), (1, 59), (1, 64), (2, 128), (3, 121), (4, 33)])
    )
    table[row, field] = value
    assert not is_valid(table)


@pytest.mark.parametrize(
    "row",
    [
        (95, REST, 0, 0, 0),
        (96, REST, 1, 0, 0),
        (0, END, 1, 0, 0),
        (0, TEMPO_EVENT, 64, 0, 0),
        (0, METRE_EVENT, len(METRES), 0, 0),
        (0, TEMPO_EVENT, 5, 1, 0),
        (0, TEMPO_EVENT, 5, 0, 1),
        (0, PIANO, 60, 0, 5),
        (0, PIANO, 60, 5, 0),
        (0, DRUMS, 36, 1, 5),
        (0, DRUMS, 36, 0, 0),
    ],
)
def test_rows_that_mean_nothing(row: tuple[int, ...]) -> None:
    assert not is_valid(table_of(row))


def test_an_empty_table_is_an_empty_score() -> None:
    assert is_valid(table_of())
    assert decode(table_of()) == Score()


# Ids


@given(tables())
def test_ids_fit_the_vocabulary_and_lead_back(table: Table) -> None:
    ids = to_ids(table)
    assert (ids < np.array(SIZES)).all()
    back = ids.copy()
    back[:, 2] -= PITCH_OFFSET[ids[:, 1]]
    assert np.array_equal(back, table)


def test_kinds_of_row_have_disjoint_pitch_ids() -> None:
    kinds = [
        (PIANO, 128), (DRUMS, 128), (TEMPO_EVENT, 64), (METRE_EVENT, len(METRES)), (END, 1),
    ]  # fmt: skip
    ids = [
        to_ids(table_of((0, kind, value, 0, 0)))[0, 2] for kind, n in kinds for value in range(n)
    ]
    assert len(set(ids)) == len(ids)


@given(tables())
def test_notes_are_what_sounds(table: Table) -> None:
    assert is_note(table).tolist() == [
        row[1] not in (REST, TEMPO_EVENT, METRE_EVENT, END) for row in table.tolist()
    ]
