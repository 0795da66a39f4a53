from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores
from tables import tables

from musenet.condition import KEYS, KINDS
from musenet.controls import bar_starts, observed
from musenet.events import TEMPO_EVENT, Table, encode, is_note, is_valid
from musenet.features import NOT_TOLD, moments_of
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.score import NOTE, Score, records
from musenet.training.augment import (
    NONE,
    Augmentation,
    mixed,
    modulated,
    styles_of_bars,
    told,
    transposition,
    varied,
    weighted,
)

SEEDS = st.integers(0, 2**32)
LOW = np.array([instrument.low for instrument in INSTRUMENTS])
HIGH = np.array([instrument.high for instrument in INSTRUMENTS])


def in_range(table: Table) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    pitched = table[table[:, 1] < DRUMS]
    instrument, pitch = pitched[:, 1], pitched[:, 2]
    result: np.ndarray[tuple[int], np.dtype[np.bool_]] = (pitch >= LOW[instrument]) & (
        pitch <= HIGH[instrument]
    )
    return result


@given(tables(min_rows=1), SEEDS)
def test_a_varied_table_is_valid(table: Table, seed: int) -> None:
    before = table.copy()
    result, _ = varied(table, Augmentation(transpose=9.0), np.random.default_rng(seed))
    assert is_valid(result)
    assert np.array_equal(table, before)
    assert np.array_equal(result[:, [0, 1, 3]], table[:, [0, 1, 3]])


@given(tables(min_rows=1), SEEDS)
def test_pitches_move_together_and_drums_stay(table: Table, seed: int) -> None:
    result, shift = varied(table, Augmentation(transpose=9.0), np.random.default_rng(seed))
    moved = result[:, 2].astype(int) - table[:, 2]
    assert (moved[table[:, 1] < DRUMS] == shift).all()
    assert (moved[table[:, 1] == DRUMS] == 0).all()
    assert abs(shift) <= 6


@given(tables(min_rows=1), SEEDS)
def test_no_note_leaves_the_range_that_it_was_in(table: Table, seed: int) -> None:
    result, _ = varied(table, Augmentation(transpose=9.0), np.random.default_rng(seed))
    assert in_range(result)[in_range(table)].all()


@given(st.integers(0, DRUMS - 1), SEEDS)
def test_the_ends_of_a_range_hold(instrument: int, seed: int) -> None:
    low, high = int(LOW[instrument]), int(HIGH[instrument])
    rng = np.random.default_rng(seed)
    for pitches, allowed in (
        ([low], range(0, 7)),
        ([high], range(-6, 1)),
        ([low, high], range(0, 1)),
        ([low + 2, high - 1], range(-2, 2)),
    ):
        rows = [(0, instrument, pitch, 9, 9) for pitch in pitches]
        assert transposition(np.array(rows, dtype=np.uint8), 9.0, rng) in allowed


@given(scores(min_notes=1, max_beats=8), SEEDS)
def test_rows_keep_their_order_within_a_tick(score: Score, seed: int) -> None:
    result, _ = varied(encode(score), Augmentation(), np.random.default_rng(seed))
    notes = result[is_note(result)].astype(int)
    ticks = np.cumsum(result[:, 0].astype(int))[is_note(result)]
    order = list(zip(ticks, notes[:, 1], notes[:, 2], strict=True))
    assert order == sorted(set(order))


def test_transpositions_reach_both_ways_and_favour_near_keys() -> None:
    table = np.array([(0, 0, 60, 9, 9)], dtype=np.uint8)
    rng = np.random.default_rng(0)
    shifts = np.array([transposition(table, 3.0, rng) for _ in range(4_000)])
    assert set(shifts) == set(range(-6, 7))
    assert abs(shifts.mean()) < 0.2
    assert (abs(shifts) <= 3).mean() > 0.7


def test_a_piece_of_drums_is_not_transposed() -> None:
    table = np.array([(0, DRUMS, 36, 0, 9)] * 3, dtype=np.uint8)
    assert transposition(table, 9.0, np.random.default_rng(0)) == 0


@given(tables(min_rows=1), SEEDS)
def test_the_notes_of_a_bar_go_to_another_key_together(table: Table, seed: int) -> None:
    result, moved = modulated(table, np.random.default_rng(seed))
    bars, bar = np.unique(bar_starts(moments_of(table)), return_inverse=True)
    assert moved.shape == bars.shape and (np.abs(moved) <= 6).all()
    change = result[:, 2].astype(int) - table[:, 2]
    assert np.array_equal(change, np.where(table[:, 1] < DRUMS, moved[bar], 0))
    assert is_valid(result) and in_range(result)[in_range(table)].all()


@given(SEEDS)
def test_keys_follow_the_bars_that_are_moved(seed: int) -> None:
    chords = [(0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)] * 12
    rows = [(96 * bar, 96, 60 + p, 80, 0) for bar, chord in enumerate(chords) for p in chord]
    table = encode(Score(records(NOTE, rows), ticks_per_beat=24))
    before = observed(table).bars[:-1, 2]
    result, moved = modulated(table, np.random.default_rng(seed))
    assert set(before.tolist()) == {0}
    assert np.array_equal(observed(result, moved).bars[:-1, 2], moved[:-1] % 12)


@given(tables(min_rows=1), SEEDS)
def test_loudness_and_tempo_move_together_within_limits(table: Table, seed: int) -> None:
    result, _ = varied(table, Augmentation(), np.random.default_rng(seed))
    louder = result[:, 4].astype(int) - table[:, 4]
    faster = (result[:, 2].astype(int) - table[:, 2])[table[:, 1] == TEMPO_EVENT]
    assert (abs(louder) <= 3).all()
    assert (abs(faster) <= 3).all()
    assert not louder[~is_note(table)].any()


@given(tables(), SEEDS)
def test_nothing_is_varied_where_nothing_is_asked(table: Table, seed: int) -> None:
    result, shift = varied(table, NONE, np.random.default_rng(seed))
    assert shift == 0
    assert np.array_equal(result, table)


@given(st.lists(st.integers(0, 255), unique=True, max_size=4), SEEDS)
def test_prompts_tell_what_is_true_with_weights_that_add_up(styles: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    condition = told(weighted(styles, rng), [0, 15], 5, 3, Augmentation(), rng)
    told_styles = [style for style, _ in condition.styles]
    assert set(told_styles) <= set(styles)
    assert len(set(told_styles)) == len(told_styles)
    total = sum(weight for _, weight in condition.styles)
    assert abs(total - 1.0) < 1e-9 or not condition.styles
    assert condition.instruments in [(), (0, 15)]
    assert condition.key in (5, KEYS)
    assert condition.kind in (3, KINDS)


def test_items_are_left_out_as_often_as_asked() -> None:
    rng = np.random.default_rng(0)
    conditions = [
        told(weighted([1, 2, 3], rng), [0], 5, 3, Augmentation(), rng) for _ in range(4_000)
    ]

    def share(missing: list[bool]) -> float:
        return float(np.mean(missing))

    assert abs(share([not item.instruments for item in conditions]) - 0.15) < 0.03
    assert abs(share([item.key == KEYS for item in conditions]) - 0.30) < 0.03
    assert abs(share([item.kind == KINDS for item in conditions]) - 0.20) < 0.03
    assert abs(share([not item.styles for item in conditions]) - 0.15) < 0.03
    for count in (1, 2, 3):
        assert abs(share([len(item.styles) == count for item in conditions]) - 0.85 / 3) < 0.03


def test_nothing_is_told_where_nothing_shall_be() -> None:
    condition = told(((1, 1.0),), [0], 5, 3, NONE, np.random.default_rng(0))
    assert condition == type(condition)()
    everything = replace(NONE, drop_instruments=0.0, drop_key=0.0, drop_kind=0.0)
    condition = told(((1, 1.0),), [0], 5, 3, everything, np.random.default_rng(0))
    assert (condition.instruments, condition.key, condition.kind) == ((0,), 5, 3)


def test_bars_are_told_a_style_of_the_piece_they_are_of() -> None:
    rng, turns = np.random.default_rng(0), np.arange(4_000) // 3 % 2
    found = styles_of_bars([((7, 0.25), (9, 0.75)), ((4, 1.0),)], turns, rng)
    assert (found[turns == 1] == 4).all()
    assert set(found[turns == 0].tolist()) == {7, 9}
    assert abs((found[turns == 0] == 9).mean() - 0.75) < 0.05
    assert (styles_of_bars([(), ((4, 1.0),)], turns, rng)[turns == 0] == NOT_TOLD[4]).all()


def test_styles_of_two_pieces_weigh_as_much_as_their_bars() -> None:
    turns = np.array([0, 0, 0, 1])
    assert mixed([((7, 0.5), (9, 0.5)), ((4, 1.0),)], turns) == ((7, 0.375), (9, 0.375), (4, 0.25))
