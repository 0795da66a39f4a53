from pathlib import Path

import numpy as np
import pytest
import torch
from style_toys import FALLING, RISING, styled_corpus

from musenet.corpus.shards import Split, open_split
from musenet.errors import UserError
from musenet.evaluation.judge_blends import blends_heard, pairs_of
from musenet.judge import Heard, StyleJudge

STYLES = [RISING, FALLING]


class Rising(StyleJudge):
    """Hears how much of the notes rises."""

    def shares(self, notes: Heard) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        steps = notes[:, 2]
        rises, falls = ((steps == 24 + step).mean() for step in (1, -1))
        return np.array([rises, falls]) / (rises + falls)


@pytest.fixture
def splits(tmp_path: Path) -> list[Split]:
    return [open_split(styled_corpus(tmp_path), name) for name in ("valid", "test")]


def test_pairs_are_of_two_styles_that_are_no_relatives(splits: list[Split]) -> None:
    strangers = np.eye(2, dtype=bool)
    pairs = pairs_of(splits, STYLES, strangers, count=10, seed=1)
    assert len(pairs) == 10
    for pair in pairs:
        for place, window in zip(pair.styles, pair.windows, strict=True):
            assert (np.diff(window[:, 1]) > 0).mean() == pytest.approx(1 - place, abs=0.15)
    with pytest.raises(UserError, match="can be mixed"):
        pairs_of(splits, STYLES, ~np.zeros((2, 2), dtype=bool), count=10)


def test_what_a_judge_of_shares_hears_in_blends(splits: list[Split]) -> None:
    strangers = np.eye(2, dtype=bool)
    torch.manual_seed(0)
    judge = Rising(STYLES, width=16)
    found = blends_heard(judge, pairs_of(splits, STYLES, strangers, 10), strangers)
    assert set(found) == {"apart", "spliced", "layered", "grows", "falsely"}
    assert found["grows"]["share"] == 1.0
    assert all(row["low"] <= row["share"] <= row["high"] for row in found.values())
