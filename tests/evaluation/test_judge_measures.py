from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from style_toys import FALLING, RISING, scale_table
from toys import toy_split

from musenet.evaluation.judge_measures import (
    Heard,
    hear,
    measured,
    ranks,
    together,
    usable,
)
from musenet.judge import StyleJudge
from musenet.styles import style_id

STYLES = [RISING, FALLING, style_id("waltz")]


def test_works_count_once_with_all_styles_of_their_pieces(tmp_path: Path) -> None:
    tables = [scale_table(place, rises=True, notes=count) for place, count in
              enumerate((40, 40, 40, 8, 40))]  # fmt: skip
    styles = [[RISING, -1, -1, -1], [FALLING, -1, -1, -1], [FALLING, -1, -1, -1],
              [RISING, -1, -1, -1], [-1, -1, -1, -1]]  # fmt: skip
    split = toy_split(tmp_path, "test", tables, styles=styles, work=[4, 4, 9, 9, 9])
    torch.manual_seed(0)
    judge = StyleJudge(STYLES, width=16).eval()
    pieces = usable(split, STYLES)
    assert pieces == [0, 1, 2]
    heard = hear(judge, split, pieces)
    assert heard.own.tolist() == [[True, True, False], [False, True, False]]
    np.testing.assert_allclose(heard.probabilities.sum(axis=1), 1.0)
    np.testing.assert_allclose(heard.probabilities[1], judge.probabilities(tables[2]))
    both = together([heard, heard])
    assert (len(both.own), both.pieces) == (4, 6)


def test_measures_of_works() -> None:
    chances = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6]])
    own = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]], dtype=bool)
    found = measured(Heard(chances, own, 4), STYLES)
    assert found["top_1"] == 0.75
    assert found["chance"] == pytest.approx(5 / 12)
    assert found["commonest"] == 0.5
    assert found["styles"]["jazz"] == {"works": 2, "own": 1.0, "first": 1.0, "auc": 1.0}
    assert found["styles"]["baroque"] == {"works": 2, "own": 0.5, "first": 0.0, "auc": 1.0}
    assert found["mean_first"] == pytest.approx(2 / 3)


@given(st.lists(st.integers(0, 5), min_size=4, max_size=4), st.integers(0, 3))
def test_ranks_count_the_others_that_are_as_likely(row: list[int], asked: int) -> None:
    others = [value for place, value in enumerate(row) if place != asked]
    found = ranks(np.array([row], dtype=np.float64), [asked])
    assert found.tolist() == [1 + sum(value >= row[asked] for value in others)]


def test_of_two_styles_the_lesser_is_ranked_and_relatives_are_left_out() -> None:
    chances = np.array([[0.3, 0.1, 0.2, 0.4], [0.4, 0.3, 0.2, 0.1]])
    assert ranks(chances, [0, 1]).tolist() == [3, 1]
    left_out = np.array([False, False, False, True])
    assert ranks(chances, [0, 1], left_out).tolist() == [2, 1]
