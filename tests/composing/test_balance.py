from __future__ import annotations

import numpy as np
import pytest
from music import melody, together

from musenet.composing.balance import (
    FLOOR,
    FLOOR_BIAS,
    FULL_BIAS,
    FULL_BIAS_AFTER,
    LAST_CALL,
    PATIENCE,
    Balance,
)
from musenet.events import REST, encode, is_note
from musenet.features import moments_of

ALIVE = np.ones(1, dtype=bool)
NEVER = np.zeros(1, dtype=bool)
ANY = np.ones((1, 64), dtype=bool)


def play(balance: Balance, instrument: int, seconds: float) -> None:
    balance.add(np.array([instrument]), np.array([seconds]), ALIVE)


def must(balance: Balance, seconds: float, last_call: bool = False) -> int:
    return int(balance.must_play(np.array([seconds]), ANY, np.array([last_call]))[0])


def bias(balance: Balance, seconds: float) -> list[float]:
    added: list[float] = balance.bias(np.array([seconds]))[0, [3, 5]].tolist()
    return added


def test_a_silent_instrument_is_raised_the_longer_it_is_silent() -> None:
    balance = Balance.of((3, 5), 240.0, 1)
    play(balance, 3, 100.0)
    play(balance, 5, 100.0)
    assert bias(balance, 100.0 + PATIENCE) == [0.0, 0.0]
    play(balance, 3, 100.0 + PATIENCE)
    later = 100.0 + PATIENCE + FULL_BIAS_AFTER / 2
    assert bias(balance, later) == pytest.approx([0.0, FULL_BIAS / 2])
    assert bias(balance, 1_000.0)[1] == pytest.approx(FULL_BIAS)


def test_an_instrument_with_few_notes_is_raised() -> None:
    balance = Balance.of((3, 5), 240.0, 1)
    for _ in range(1_000):
        play(balance, 3, 10.0)
    play(balance, 5, 10.0)
    one = bias(balance, 10.0)
    for _ in range(100):
        play(balance, 5, 10.0)
    assert one[0] == 0.0 < one[1]
    assert bias(balance, 10.0) == [0.0, 0.0]


def test_what_was_not_heard_is_raised_sooner_in_short_sections() -> None:
    long, short = Balance.of((3, 5), 200.0, 1), Balance.of((3, 5), 150.0, 1, since=100.0)
    for balance, since in ((long, 0.0), (short, 100.0)):
        for _ in range(3):
            play(balance, 3, since + 1.0)
    few = bias(long, 1.0)[1]
    assert bias(long, PATIENCE)[1] == few == bias(short, 100.0 + PATIENCE / 2)[1]
    assert bias(short, 100.0 + (PATIENCE + FULL_BIAS_AFTER) / 2)[1] == pytest.approx(FULL_BIAS)


def test_below_the_floor_an_instrument_is_all_but_sure_to_come() -> None:
    balance = Balance.of((3, 5), 240.0, 1)
    play(balance, 5, 10.0)
    for _ in range(int(1 / FLOOR) - 2):
        play(balance, 3, 10.0)
    assert bias(balance, 10.0)[1] < FLOOR_BIAS
    for _ in range(3):
        play(balance, 3, 10.0)
    assert bias(balance, 10.0)[1] == FLOOR_BIAS


def test_sections_shorter_than_the_last_call_begin_free() -> None:
    assert must(Balance.of((3, 5), 104.0, 1, since=100.0), 101.0) == -1


def test_one_instrument_alone_needs_no_help() -> None:
    balance = Balance.of((3,), 240.0, 1)
    assert not balance.bias(np.array([200.0])).any()


def test_what_was_not_heard_in_a_minute_is_forced_before_it_is_over() -> None:
    balance = Balance.of((3, 5), 240.0, 1)
    play(balance, 3, 1.0)
    assert must(balance, 59.0 - LAST_CALL) == -1
    assert must(balance, 61.0 - LAST_CALL) == 5
    play(balance, 5, 61.0 - LAST_CALL)
    assert must(balance, 59.0) == -1
    assert must(balance, 119.0) == 3


def test_a_note_at_the_very_beginning_counts() -> None:
    balance = Balance.of((3, 5), 30.0, 1)
    play(balance, 3, 0.0)
    assert must(balance, 29.0) == 5


def test_short_pieces_hear_all_too() -> None:
    assert must(Balance.of((3, 5), 20.0, 1), 19.0) == 3


def test_the_last_call_is_for_those_never_heard() -> None:
    balance = Balance.of((3, 5), 240.0, 1)
    play(balance, 3, 1.0)
    assert must(balance, 210.0) == -1
    assert must(balance, 210.0, last_call=True) == 5


def test_only_what_the_rules_allow_is_forced() -> None:
    balance = Balance.of((3, 5), 30.0, 1)
    assert int(balance.must_play(np.array([29.0]), ~ANY, NEVER)[0]) == -1
    only = np.arange(64)[None] == 5
    assert int(balance.must_play(np.array([29.0]), only, NEVER)[0]) == 5


def test_rests_and_finished_candidates_do_not_count() -> None:
    balance = Balance.of((3, 5), 30.0, 2)
    balance.add(np.array([REST, 3]), np.array([1.0, 1.0]), np.array([True, False]))
    assert not balance.notes.any()
    assert not balance.last.any()


def test_an_opening_counts_as_if_it_had_been_composed() -> None:
    opening = encode(together([melody(1, 20, instrument=3), melody(2, 30, instrument=5)]))[:-1]
    whole, grown = (Balance.of((3, 5), 30.0, 2) for _ in range(2))
    whole.take_in(opening)
    seconds = moments_of(opening).seconds
    for row in np.flatnonzero(is_note(opening)):
        both = np.ones(2, dtype=bool)
        grown.add(np.repeat(opening[row, 1], 2), np.repeat(seconds[row], 2), both)
    assert np.array_equal(whole.notes, grown.notes)
    assert np.array_equal(whole.last, grown.last)
    assert whole.notes[:, [3, 5]].tolist() == [[20, 30]] * 2
