import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores
from style_toys import scale_table

from musenet.evaluation.judge_mixing import in_key_of, layered, spliced
from musenet.events import encode
from musenet.judge import COLUMNS, WINDOW, Heard, heard
from musenet.score import NOTE, Score, records

PITCH, WAIT, INSTRUMENT = (COLUMNS.index(name) for name in ("pitch", "wait", "instrument"))


def chords(count: int = 60, instrument: int = 15) -> Heard:
    """Triads in crotchets."""
    rows = [
        (24 * i, 24, 48 + step, 80, instrument) for i in range(count) for step in (0, 4, 7)
    ]  # fmt: skip
    return heard(encode(Score(records(NOTE, rows), ticks_per_beat=24)))


@given(st.integers(16, 300), st.integers(16, 300), st.floats(0.2, 0.8))
def test_a_splice_has_the_share_asked_for(ours: int, theirs: int, share: float) -> None:
    first = heard(scale_table(0, rises=True, notes=ours))
    second = heard(scale_table(0, rises=False, notes=theirs, instrument=15))
    both = spliced(first, second, share)
    assert len(both) <= WINDOW
    assert abs((both[:, INSTRUMENT] == 0).sum() - share * len(both)) <= 1
    if share == 0.5:
        assert len(both) == pytest.approx(min(WINDOW, 2 * ours, 2 * theirs), abs=1)


def test_layers_are_the_tune_of_one_over_the_rest_of_the_other() -> None:
    tune, rest = heard(scale_table(4, rises=True, notes=80)), chords()
    both = layered(tune, rest)
    assert both is not None
    upper, lower = (both[both[:, INSTRUMENT] == place] for place in (0, 15))
    moved = in_key_of(tune, rest)
    assert np.isin(lower[:, PITCH], moved[:, PITCH]).all()
    assert len(np.unique(lower[:, PITCH])) == 2
    np.testing.assert_array_equal(upper[:, PITCH], tune[: len(upper), PITCH])
    assert both[:, WAIT].sum() == max(upper[:, WAIT].sum(), lower[:, WAIT].sum())
    assert layered(tune[:3], rest) is None


@given(scores(), scores())
def test_any_music_can_be_mixed(one: Score, other: Score) -> None:
    first, second = heard(encode(one)), heard(encode(other))
    if not len(first) or not len(second):
        return
    moved = in_key_of(first, second)
    assert abs(moved - second).max() <= 6
    both = layered(first, second)
    assert both is None or (48 <= len(both) <= WINDOW and both.min() >= 0)


def test_the_second_comes_into_the_key_of_the_first() -> None:
    first = chords()
    second = first.copy()
    second[:, PITCH] += 5
    np.testing.assert_array_equal(in_key_of(first, second), first)
