from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musenet.composing.sampling import GIVE, Sampling, sample
from musenet.errors import UserError

PLAIN = Sampling(temperature=1.0, top_p=1.0, min_p=0.0)
SCORES = np.array([0.0, 2.0, -1.0, 1.0, 0.5], dtype=np.float32)
ALL = np.ones(len(SCORES), dtype=bool)


def shares(
    how: Sampling, scores: NDArray[np.float32] = SCORES, allowed: NDArray[np.bool_] = ALL,
    draws: int = 20_000,
) -> NDArray[np.float64]:  # fmt: skip
    """How often each value is drawn."""
    rows = np.broadcast_to(scores, (draws, len(scores)))
    masks = np.broadcast_to(allowed, rows.shape)
    drawn = sample(rows, masks, np.random.default_rng(7).random(draws), how)
    return np.bincount(drawn, minlength=len(scores)) / draws


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    weights = np.exp(scores.astype(np.float64))
    result: NDArray[np.float64] = weights / weights.sum()
    return result


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_values_come_as_often_as_their_scores_say(temperature: float) -> None:
    expected = softmax(SCORES / temperature)
    found = shares(Sampling(temperature, top_p=1.0, min_p=0.0))
    chi_square = 20_000 * ((found - expected) ** 2 / expected).sum()
    assert chi_square < 18.5  # 99.9 % of all draws, 4 degrees of freedom


def test_each_row_has_a_warmth_of_its_own_with_which_the_cut_offs_give_way() -> None:
    how, chance = Sampling(0.8, top_p=0.9, min_p=0.02), np.linspace(0.0, 0.999, 40)
    rows, masks, odd = np.tile(SCORES, (40, 1)), np.tile(ALL, (40, 1)), np.arange(40) % 2 == 1
    warm = Sampling(1.6, top_p=1.0 - 0.1 / 2.0**GIVE, min_p=0.02 / 2.0**GIVE)
    hot, even = (sample(rows, masks, chance, each) for each in (warm, how))
    found = sample(rows, masks, chance, how, warmth=np.where(odd, 2.0, 1.0)[:, None])
    np.testing.assert_array_equal(found, np.where(odd, hot, even))
    assert (hot != even).any()
    assert len(set(sample(rows, masks, chance, how, warmth=0.5).tolist())) < len(set(even.tolist()))


def test_what_is_nearly_sure_is_surer_and_what_is_open_stays_so() -> None:
    chance = np.random.default_rng(3).random(20_000)

    def strays(scores: list[float], sureness: float) -> float:
        """How often the first value is not taken."""
        rows = np.broadcast_to(np.array(scores), (len(chance), len(scores)))
        taken = sample(rows, np.ones(rows.shape, bool), chance, PLAIN, sureness=sureness)
        return float((taken != 0).mean())

    sure, open_ = [4.0, 0.0, 0.0, -1.0], [0.0, 0.0, 0.0, -0.1]
    assert strays(sure, 0.2) < 0.5 * strays(sure, 0.0)
    assert strays(open_, 0.2) == pytest.approx(strays(open_, 0.0), abs=0.02)
    assert strays([9.0, -np.inf, -np.inf, -np.inf], 0.2) == 0.0


def test_top_p_keeps_the_likeliest_that_make_up_the_share() -> None:
    likely = softmax(SCORES)
    order = np.argsort(-likely)
    three = float(likely[order[:3]].sum())
    kept = shares(Sampling(1.0, three - 1e-6, 0.0)) > 0
    assert set(np.flatnonzero(kept)) == set(order[:3])
    kept = shares(Sampling(1.0, three + 1e-6, 0.0)) > 0
    assert set(np.flatnonzero(kept)) == set(order[:4])


def test_what_top_p_keeps_comes_in_proportion() -> None:
    likely = softmax(SCORES)
    found = shares(Sampling(1.0, 0.7, 0.0))
    expected = np.where(found > 0, likely, 0.0)
    assert (found > 0).sum() == 2
    assert found == pytest.approx(expected / expected.sum(), abs=0.02)


def test_min_p_leaves_out_what_is_too_unlikely() -> None:
    likely = softmax(SCORES)
    found = shares(Sampling(1.0, 1.0, 0.2))
    assert np.array_equal(found > 0, likely >= 0.2 * likely.max())


def test_extremes_leave_the_likeliest_or_everything() -> None:
    assert shares(Sampling(1.0, 1e-9, 0.0))[1] == 1.0
    assert shares(Sampling(0.05, 1.0, 0.0))[1] > 0.9999
    assert (shares(Sampling(5.0, 1.0, 0.0)) > 0.1).all()


@given(
    st.lists(st.tuples(st.floats(-15, 15), st.booleans()), min_size=1, max_size=40),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from([0.05, 1.0, 5.0]),
    st.floats(1e-6, 1.0),
    st.floats(0.0, 1.0),
)
def test_only_what_is_allowed_is_drawn(
    values: list[tuple[float, bool]], chance: float, temperature: float, top_p: float, min_p: float
) -> None:
    scores = np.array([[score for score, _ in values]], dtype=np.float32)
    allowed = np.array([[is_allowed for _, is_allowed in values]])
    how = Sampling(temperature, top_p, min_p)
    chosen = int(sample(scores, allowed, np.array([chance]), how)[0])
    assert allowed[0, chosen] or not allowed.any()


def test_rows_are_drawn_each_for_itself() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(5, 30)).astype(np.float32)
    allowed = rng.random((5, 30)) < 0.7
    chance = rng.random(5)
    alone = [
        int(sample(scores[i : i + 1], allowed[i : i + 1], chance[i : i + 1], PLAIN)[0])
        for i in range(5)
    ]
    assert sample(scores, allowed, chance, PLAIN).tolist() == alone


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"temperature": 0.0}, "--temperature 0"),
        ({"temperature": float("nan")}, "--temperature nan"),
        ({"temperature": 5.1}, "--temperature 5.1"),
        ({"top_p": 0.0}, "--top-p 0"),
        ({"top_p": 1.01}, "--top-p 1.01"),
        ({"top_p": float("nan")}, "--top-p nan"),
        ({"min_p": -0.1}, "min_p -0.1"),
        ({"min_p": 1.5}, "min_p 1.5"),
        ({"guidance": -0.1}, "--guidance -0.1"),
        ({"guidance": 5.1}, "--guidance 5.1"),
        ({"guidance": float("nan")}, "--guidance nan"),
        ({"endings": 0}, "--endings 0"),
        ({"endings": 65}, "--endings 65"),
    ],
)
def test_values_that_make_no_sense(values: dict[str, float], name: str) -> None:
    with pytest.raises(UserError, match=name):
        Sampling(**values)
