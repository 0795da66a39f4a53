from __future__ import annotations

import numpy as np
import pytest
from music import melody, together

from musenet.composing.balance import (
    ALLOWANCE,
    FLOOR,
    FLOOR_BIAS,
    FULL_BIAS,
    FULL_BIAS_AFTER,
    HURRY,
    LAST_CALL,
    PATIENCE,
    PLAUSIBLE,
    ROOM,
    SHORT,
    Balance,
    probabilities,
)
from musenet.events import METRE_EVENT, REST, SIZES, encode, is_note
from musenet.features import moments_of

ALIVE = np.ones(1, dtype=bool)
NEVER = np.zeros(1, dtype=bool)
ANY = np.ones((1, 64), dtype=bool)


def play(balance: Balance, instrument: int, seconds: float) -> None:
    balance.add(np.array([instrument]), np.array([seconds]), ALIVE)


def must(balance: Balance, seconds: float, last_call: bool = False, likely: float = 0.0) -> int:
    given = np.full((1, 64), likely)
    return int(balance.must_play(np.array([seconds]), ANY, np.array([last_call]), given)[0])


def bias(balance: Balance, seconds: float, likely: float = 1.0) -> list[float]:
    overdue = balance.overdue(np.array([seconds]))
    added: list[float] = balance.bias(overdue, np.full((1, 64), likely))[0, [3, 5]].tolist()
    return added


def sooner(balance: Balance, behind: int, due: int = 1 << 30, likely: float = 1.0) -> list[float]:
    overdue = balance.overdue(np.array([50.0]))
    given = np.full((1, SIZES[0]), likely)
    added = balance.sooner(overdue, np.array([behind]), np.array([due]), lambda: given)
    first: list[float] = added[0, :4].tolist()
    return first


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
        play(balance, 3, since + 1.0)
    few = bias(long, 1.0)[1]
    assert bias(long, PATIENCE)[1] == few == bias(short, 100.0 + PATIENCE / 4)[1]
    assert bias(short, 100.0 + (PATIENCE + FULL_BIAS_AFTER) / 4)[1] == pytest.approx(FULL_BIAS)


def test_where_time_is_short_for_all_they_are_raised_from_the_beginning() -> None:
    assert bias(Balance.of((3, 5), 60.0, 1), 0.0) == [0.0, 0.0]
    crowded = Balance.of((3, 5), 20.0, 1)
    assert bias(crowded, 0.0) == [ROOM - 10.0, 0.0]
    play(crowded, 3, 0.0)
    assert bias(crowded, 0.0) == [0.0, ROOM - 10.0]


def test_only_what_the_model_gives_a_chance_is_raised() -> None:
    balance = Balance.of((3, 5), 20.0, 1)
    assert bias(balance, 8.0, PLAUSIBLE) == [FULL_BIAS, 0.0]
    assert bias(balance, 8.0, PLAUSIBLE / 2) == [0.0, 0.0]


@pytest.mark.parametrize(("length", "most"), [(SHORT, 2), (SHORT - 1.0, 0)])
def test_in_long_sections_a_few_may_be_raised_against_the_model(length: float, most: int) -> None:
    balance = Balance.of((3, 5), length, 1)
    for _ in range(2 * int(1 / ALLOWANCE) - 1):
        play(balance, 3, 8.0)
    play(balance, 5, 8.0)
    for forced in range(3):
        balance.forced[:] = forced
        raised = bias(balance, 8.0 + PATIENCE + FULL_BIAS_AFTER, 0.0)[0]
        assert raised == (FULL_BIAS if forced < most else 0.0)


def test_waits_are_raised_after_which_one_that_was_not_heard_may_come_in() -> None:
    balance, long = Balance.of((3, 5), 50.0, 1), Balance.of((3, 5), 100.0, 1)
    play(balance, 3, 0.0)
    assert sooner(long, 3) == [0.0, 0.0, 0.0, 0.0]
    assert sooner(balance, 3) == sooner(balance, METRE_EVENT) == [HURRY, 0.0, 0.0, 0.0]
    assert sooner(balance, 8) == [0.0, 0.0, 0.0, 0.0]
    assert sooner(balance, 8, due=2) == [HURRY, HURRY, 0.0, 0.0]
    assert sooner(balance, 3, due=2, likely=PLAUSIBLE / 2) == [0.0, 0.0, 0.0, 0.0]
    play(balance, 5, 1.0)
    assert sooner(balance, 3, due=2) == [0.0, 0.0, 0.0, 0.0]


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
    assert bias(balance, 200.0) == [0.0, 0.0]


def test_what_was_not_heard_in_a_minute_is_forced_before_it_is_over() -> None:
    balance = Balance.of((3, 5), 240.0, 1)
    play(balance, 3, 1.0)
    assert must(balance, 59.0 - LAST_CALL * 3 / 4) == -1
    assert must(balance, 61.0 - LAST_CALL * 3 / 4) == 5
    play(balance, 5, 61.0 - LAST_CALL * 3 / 4)
    assert must(balance, 59.0) == -1
    assert must(balance, 119.0) == 3
    assert must(balance, 121.0 - LAST_CALL) == 3


def test_what_the_model_gives_a_chance_is_raised_and_not_forced() -> None:
    balance = Balance.of((3, 5), 240.0, 1)
    play(balance, 3, 59.0)
    assert must(balance, 59.0, likely=PLAUSIBLE) == -1
    assert bias(balance, 59.0, PLAUSIBLE)[1] == FULL_BIAS
    assert must(balance, 59.0, last_call=True, likely=PLAUSIBLE) == 5


def test_of_several_the_likeliest_is_forced() -> None:
    balance, likely = Balance.of((3, 5), 30.0, 1), np.zeros((1, 64))
    likely[0, 5] = PLAUSIBLE / 2
    assert int(balance.must_play(np.array([29.0]), ANY, NEVER, likely)[0]) == 5


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
    never = np.zeros((1, 64))
    assert int(balance.must_play(np.array([29.0]), ~ANY, NEVER, never)[0]) == -1
    only = np.arange(64)[None] == 5
    assert int(balance.must_play(np.array([29.0]), only, NEVER, never)[0]) == 5


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


def test_probabilities_are_of_what_is_allowed() -> None:
    scores = np.log(np.array([[1.0, 2.0, 6.0], [1.0, 1.0, 1.0]], dtype=np.float32))
    allowed = np.array([[True, True, False], [False, False, False]])
    found = probabilities(scores, allowed)
    assert found == pytest.approx(np.array([[1 / 3, 2 / 3, 0.0], [0.0, 0.0, 0.0]]))
