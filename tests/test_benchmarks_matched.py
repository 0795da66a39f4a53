"""The benchmark of matched pieces sets composed music beside the human pieces it is to match."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from composers import random_composer
from conftest import Told
from style_toys import scale_split

from musenet.evaluation.measures import MEASURES

pytestmark = pytest.mark.usefixtures("benchmarks")


def test_what_is_composed_stands_beside_its_match(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: Told
) -> None:
    import matched

    monkeypatch.setattr(matched, "SHORTEST", 1.0)
    found = told(
        matched, random_composer(), str(scale_split(tmp_path, [40, 47, 54, 61])), "--styles",
        "jazz", "baroque", "--prompts", "2", "--seconds", "20",
    )  # fmt: skip
    assert found["pieces"] == 4
    assert {row["measure"] for row in found["results"]} <= set(MEASURES)
    far = [abs(row["off"]) for row in found["results"]]
    assert far and far == sorted(far, reverse=True)


def test_differences_are_counted_in_deviations_and_pairs_without_a_measure_are_left_out() -> None:
    import matched

    nothing = np.full((2, len(MEASURES)), np.nan)
    pairs = [nothing.copy() for _ in range(4)]
    for pair, human, own in zip(pairs, (1.0, 2.0, 3.0), (2.0, 3.0, 5.0), strict=False):
        pair[:, 0] = human, own
    pairs[3][0, 0] = 9.0
    ((name, human, own, count, off, t),) = matched.rows(pairs)
    assert (name, human, own, count) == (next(iter(MEASURES)), 2.0, pytest.approx(10 / 3), 3)
    assert off == pytest.approx(4 / 3)
    assert t == pytest.approx((4 / 3) / (1 / 3))
