import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musenet.evaluation.comparing import inside, overlapped_area, summary

NORMAL = np.random.default_rng(0).normal(size=400)
values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


def test_summary_of_a_normal_sample() -> None:
    found = summary(np.r_[NORMAL, math.nan])
    assert found.pieces == 400
    assert found.mean == pytest.approx(NORMAL.mean())
    half = 1.96 * NORMAL.std() / 20
    assert found.low == pytest.approx(found.mean - half, abs=0.02)
    assert found.high == pytest.approx(found.mean + half, abs=0.02)
    assert found.quartiles == pytest.approx((-0.674, 0.0, 0.674), abs=0.15)
    assert summary(NORMAL) == summary(NORMAL)
    assert summary(NORMAL, seed=1).low != summary(NORMAL).low


def test_summary_of_nothing() -> None:
    found = summary([math.nan])
    assert found.pieces == 0
    assert math.isnan(found.mean)
    assert np.isnan(inside([1.0], found)).all()


@given(values)
def test_half_of_a_set_and_more_is_inside_its_own_quartiles(sample: list[float]) -> None:
    found = summary(sample)
    assert found.low <= found.mean + 1e-6
    assert found.mean <= found.high + 1e-6
    assert inside(sample, found).mean() >= 0.5 - 1 / len(sample) - 1e-9


def test_bounds_count_and_nan_stays() -> None:
    reference = summary([0.0, 1.0, 2.0, 3.0, 4.0])
    found = inside([1.0, 3.0, 0.99, 3.01, math.nan], reference)
    assert found[:4].tolist() == [1, 1, 0, 0]
    assert math.isnan(found[4])


@given(values, values)
def test_overlap_is_symmetric_and_a_share(one: list[float], other: list[float]) -> None:
    area = overlapped_area(one, other)
    assert -1e-9 <= area <= 1.01
    assert area == pytest.approx(overlapped_area(other, one), abs=1e-6)


@given(values)
def test_a_set_overlaps_wholly_with_itself(sample: list[float]) -> None:
    assert overlapped_area(sample, sample) == pytest.approx(1.0, abs=0.01)


def test_overlap_of_normal_distributions() -> None:
    apart = np.random.default_rng(1).normal(loc=2.0, size=400)
    assert overlapped_area(NORMAL, apart) == pytest.approx(math.erfc(1 / math.sqrt(2)), abs=0.06)
    assert overlapped_area(NORMAL, NORMAL + 100) == pytest.approx(0.0, abs=1e-6)
    assert overlapped_area([1.0, 1.0], [1.0, 1.0]) == 1.0
    assert math.isnan(overlapped_area([1.0], [1.0, 2.0]))
