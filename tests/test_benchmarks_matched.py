"""The benchmark of matched pieces sets composed music beside the human pieces it is to match."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from composers import random_composer
from style_toys import FALLING, RISING, scale_table
from toys import toy_split

from musenet.evaluation.measures import MEASURES


@pytest.fixture(autouse=True)
def _with_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_what_is_composed_stands_beside_its_match(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import matched

    composer = random_composer()
    tables = [scale_table(i, rises=i < 2, notes=40 + 7 * i) for i in range(4)]
    styles = [[RISING if i < 2 else FALLING, -1, -1, -1] for i in range(4)]
    toy_split(tmp_path, "test", tables, styles=styles)
    monkeypatch.setattr(matched, "load", lambda path: composer)
    monkeypatch.setattr(matched, "parse", lambda made: made.parse_args())
    monkeypatch.setattr(matched, "SHORTEST", 1.0)
    monkeypatch.setattr(sys, "argv", [
        "matched.py", str(tmp_path), "--styles", "jazz", "baroque", "--prompts", "2", "--seconds",
        "20", "--json",
    ])  # fmt: skip
    matched.main()
    told = json.loads(capsys.readouterr().out)
    assert told["pieces"] == 4
    assert {row["measure"] for row in told["results"]} <= set(MEASURES)
    far = [abs(row["off"]) for row in told["results"]]
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
