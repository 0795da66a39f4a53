from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import scores

from musenet.echoes import (
    ECHO_SIZES,
    ECHOES,
    LAGS,
    NO_ECHO,
    PHRASE_LAGS,
    RECENT,
    RUNS,
    Listener,
    echoes,
)
from musenet.events import END, FIELDS, MAX_WAIT, REST, Table, encode, is_note, to_ids
from musenet.score import METRE, NOTE, TEMPO, TICKS_PER_BEAT, Score, records, sort_notes

LAG, RUN, HITS, WAIT, INSTRUMENT, PITCH, DURATION, VELOCITY = range(len(ECHOES))
WIDTH_OF_BEST = len(ECHOES)
BAR = 4 * TICKS_PER_BEAT


def tune(pitches: list[int], beats: float = 1.0, numerator: int = 4) -> Score:
    """Notes of one length one after the other on the piano, a third of a beat short."""
    length = int(beats * TICKS_PER_BEAT)
    notes = [(i * length, length - 8, pitch, 80, 0) for i, pitch in enumerate(pitches)]
    return Score(
        records(NOTE, notes), records(TEMPO, [(0, 120.0)]), records(METRE, [(0, numerator, 4)])
    )


def note_echoes(table: Table) -> np.ndarray:
    """The echoes of notes alone."""
    return echoes(table)[is_note(table)]


def test_what_follows_in_a_repeated_passage_is_told() -> None:
    first = [60, 62, 64, 65, 67, 69, 71, 72]
    table = encode(tune([*first, *first, 50, 51]))
    ids, heard = to_ids(table)[is_note(table)], note_echoes(table)
    assert (heard[:8, :WIDTH_OF_BEST] == NO_ECHO[:WIDTH_OF_BEST]).all()
    for note in range(8, 15):
        assert heard[note, LAG] == 2
        assert np.array_equal(heard[note, WAIT:WIDTH_OF_BEST], ids[note - 7])
        assert heard[note, HITS] == note - 7
        assert heard[note, RUN] == np.searchsorted(RUNS, note - 7, side="right")
    assert heard[16, RUN] == 0 and heard[16, HITS] == 8  # 50 is no hit


def test_a_note_that_is_missed_does_not_lose_the_passage() -> None:
    first = [60, 62, 64, 65, 67, 69, 71, 72]
    varied = [*first[:3], 66, *first[4:]]
    table = encode(tune([*first, *varied]))
    ids, heard = to_ids(table)[is_note(table)], note_echoes(table)
    assert heard[11, RUN] == 0 and heard[11, HITS] == 3
    assert np.array_equal(heard[11, WAIT:WIDTH_OF_BEST], ids[4])
    assert heard[15, HITS] == 7


def test_a_bar_is_that_of_the_metre() -> None:
    table = encode(tune([60, 62, 64] * 4, numerator=3))
    assert (note_echoes(table)[4:, LAG] == 1).all()


def test_of_equal_lags_the_shortest_is_told_and_of_others_the_best() -> None:
    table = encode(tune([60, 62, 64, 65] * 6))
    assert (note_echoes(table)[5:, LAG] == 1).all()
    one, other = [60, 62, 64, 65], [60, 63, 66, 69]
    table = encode(tune([*one, *other] * 3))
    assert (note_echoes(table)[9:, LAG] == 2).all()


def test_what_comes_after_a_rest_is_told_as_the_rest() -> None:
    notes = [(0, 24, 60, 80, 0), (24, 24, 62, 80, 0), (5 * BAR, 24, 64, 80, 0)]
    again = [(onset + 8 * BAR, *rest) for onset, *rest in notes]
    table = encode(Score(records(NOTE, [*notes, *again]), tune([]).tempos, tune([]).metres))
    heard = note_echoes(table)
    assert heard[4, LAG] == 8
    assert heard[4, WAIT:WIDTH_OF_BEST].tolist() == list(NO_ECHO[3:8]) and NO_ECHO[4] == REST


def test_what_stood_a_phrase_ago_is_told_without_any_hit() -> None:
    song = np.random.default_rng(0).integers(20, 100, 4 * 10).tolist()
    table = encode(tune(song))
    ids, heard = to_ids(table)[is_note(table)], note_echoes(table)
    for pointer, bars in enumerate(PHRASE_LAGS):
        begin = len(ECHOES) + len(FIELDS) * pointer
        told = heard[:, begin : begin + len(FIELDS)]
        first = 4 * bars - 1  # a beat before the first note comes again
        assert np.array_equal(told[first:, 1:], ids[: len(ids) - first, 1:])
        assert (told[first:, 0] == TICKS_PER_BEAT).all()
        assert (told[: first - 3] == NO_ECHO[begin : begin + len(FIELDS)]).all()


def test_longer_lags_are_not_heard() -> None:
    song = np.random.default_rng(0).integers(20, 100, 4 * LAGS).tolist()
    within = note_echoes(encode(tune([*song, *song[:8]])))
    assert within[-1, LAG] == LAGS and within[-1, HITS] == 8
    beyond = note_echoes(encode(tune([*song, 1, 2, 3, 4, *song[:8]])))
    assert beyond[-1, HITS] < 4


def test_nothing_is_heard_in_nothing() -> None:
    assert echoes(np.zeros((0, 5), dtype=np.uint8)).shape == (0, len(NO_ECHO))
    only_end = np.array([[0, END, 0, 0, 0]], dtype=np.uint8)
    assert echoes(only_end).tolist() == [list(NO_ECHO)]


def repeated(score: Score, times: int) -> Table:
    """A piece some times over, for there to be something to hear."""
    length = -(-(score.end + 1) // (4 * score.ticks_per_beat)) * 4 * score.ticks_per_beat
    parts = [score.notes.copy() for _ in range(times)]
    for number, part in enumerate(parts):
        part["onset"] += number * length
    return encode(replace(score, notes=sort_notes(np.concatenate(parts))))


pieces = st.builds(repeated, scores(), st.integers(1, 3))


@settings(deadline=None)
@given(pieces, st.data())
def test_echoes_hang_on_nothing_that_comes_later(table: Table, data: st.DataObject) -> None:
    stop = data.draw(st.integers(0, len(table)))
    start = data.draw(st.integers(0, stop))
    whole = echoes(table)
    assert np.array_equal(echoes(table, start, stop), whole[start:stop])
    assert (whole[:, : len(ECHOES)] < ECHO_SIZES).all() and (whole >= 0).all()
    assert (whole[:, HITS] <= RECENT).all() and (whole[:, WAIT] <= MAX_WAIT).all()


@settings(deadline=None)
@given(pieces, st.data())
def test_listening_row_by_row_hears_the_same(table: Table, data: st.DataObject) -> None:
    opening = data.draw(st.integers(0, len(table)))
    listener = Listener(table[:opening], 2)
    whole = echoes(table)
    for row in range(opening, len(table)):
        if row:
            assert np.array_equal(listener.echoes, whole[[row - 1, row - 1]])
        listener.append(np.stack([table[row]] * 2))
        assert np.array_equal(listener.echoes, whole[[row, row]])


@pytest.mark.parametrize("opening", [3, 40])
def test_rows_that_are_not_seen_are_not_heard(opening: int) -> None:
    table = encode(tune([60, 62, 64, 65, 67, 69, 71, 72] * 8))
    seen = np.arange(opening) % 5 < 3
    mask = np.r_[seen, np.ones(len(table) - opening, dtype=bool)]
    expected = echoes(table, seen=seen)
    assert len(expected) == mask.sum()
    listener = Listener(table[:opening], 1, seen)
    for row in range(opening, len(table)):
        listener.append(table[row : row + 1])
        assert np.array_equal(listener.echoes[0], expected[mask[:row].sum()])
