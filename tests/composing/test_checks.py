import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from music import BEAT, melody, together
from tables import tables

from musenet.composing.checks import (
    ENSEMBLES,
    WORDS,
    Fault,
    Limits,
    bundled_limits,
    checked,
    collisions,
    fallen_silent,
    group_of,
    limits_from,
    limits_of,
    notes_at_once,
    notes_in_a_second,
)
from musenet.events import decode
from musenet.score import NOTE, TEMPO, Score, records


def score_of(*rows: tuple[int, int, int, int]) -> Score:
    """Notes as (onset, duration, pitch, instrument) in beats at 60 beats a minute."""
    notes = [(on * BEAT, long * BEAT, pitch, 80, who) for on, long, pitch, who in rows]
    return Score(records(NOTE, notes), records(TEMPO, [(0, 60.0)]), ticks_per_beat=BEAT)


def test_collisions_are_of_one_key_of_one_instrument() -> None:
    assert collisions(score_of((0, 2, 60, 0), (1, 1, 60, 0))) == 0.5
    assert collisions(score_of((0, 2, 60, 0), (1, 1, 61, 0), (1, 1, 60, 15))) == 0.0
    assert collisions(score_of((0, 1, 60, 0), (1, 1, 60, 0))) == 0.0


@given(tables())
def test_what_the_encoding_says_never_collides(table: np.ndarray) -> None:
    assert collisions(decode(table)) == 0.0


def test_notes_in_a_second_and_at_once() -> None:
    score = score_of((0, 4, 60, 0), (0, 1, 64, 0), (1, 1, 67, 0), (3, 1, 60, 15))
    assert notes_in_a_second(score) == 2
    assert notes_at_once(score) == 2
    assert notes_in_a_second(Score()) == notes_at_once(Score()) == 0


def test_instruments_that_stop_early_have_fallen_silent() -> None:
    both = score_of((0, 8, 60, 0), (0, 2, 72, 15))
    assert fallen_silent(both) == pytest.approx((0 + 0.75) / 2)
    assert math.isnan(fallen_silent(Score()))


def test_an_ending_lacks_what_is_not_there() -> None:
    close = score_of(*((beat, 1, 60 + pitch, 0) for beat, pitch in enumerate([0, 4, 7, 12] * 4)),
                     (16, 4, 48, 0))  # fmt: skip
    cut = replace(close, notes=close.notes[:-3])
    assert checked(close)["just_stops"] == 0
    assert checked(cut)["just_stops"] > 0


@given(tables())
def test_every_score_has_every_number(table: np.ndarray) -> None:
    found = checked(decode(table))
    assert list(found) == list(WORDS)
    assert all(math.isnan(value) or value >= 0 for value in found.values())


def test_limits_are_those_of_nearly_all_pieces_of_a_group() -> None:
    alone = [melody(seed, bpm=60.0 + 10 * seed) for seed in range(20)]
    pairs = [together([melody(seed), melody(seed, instrument=15)]) for seed in range(10)]
    found = limits_of([*alone, *pairs], share=0.8)
    assert found.pieces == (20, 10, 0, 0)
    values = sorted(checked(score)["notes_in_a_second"] for score in alone)
    assert found.limits["notes_in_a_second"][0] == values[16]
    assert found.limits["notes_in_a_second"][2] == math.inf
    faulty = [bool(found.faults(score)) for score in alone]
    assert 0 < sum(faulty) < 20
    assert limits_from(found.to_json()) == found


def test_a_fault_tells_how_much_and_how_much_is_usual() -> None:
    limits = Limits(0.99, (1, 1, 1, 1), {"longest_stuck": (5.0, 6.0, 7.0, 8.0)})
    stuck = score_of(*((beat, 1, 60, 0) for beat in range(40)))
    assert limits.faults(stuck) == (Fault("longest_stuck", 40.0, 5.0),)
    assert limits.faults(stuck)[0].words == "stuck for 40 s"
    assert limits.faults(melody(0)) == ()


def test_groups_are_by_number_of_instruments() -> None:
    assert [group_of(count) for count in (0, 1, 2, 4, 5, 8, 9, 40)] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_the_limits_of_the_package_know_every_check() -> None:
    limits = bundled_limits()
    assert list(limits.limits) == list(WORDS)
    assert all(len(values) == len(ENSEMBLES) + 1 for values in limits.limits.values())
    assert min(limits.pieces) >= 100
