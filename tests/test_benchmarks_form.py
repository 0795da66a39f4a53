"""The benchmark of form counts bits by eight bars, and repeats by four."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from composers import random_composer, random_model
from conftest import Told
from style_toys import scale_split, scale_table

from musenet.condition import Condition
from musenet.score import NOTE, Score, records

pytestmark = pytest.mark.usefixtures("benchmarks")


def test_eight_bars_that_are_not_there_have_no_bits() -> None:
    import form

    ten_bars = scale_table(1, rises=True, notes=80)
    bits = form.by_phrase(random_model(1), ten_bars, Condition())
    assert (bits[:2] > 0).all()
    assert np.isnan(bits[2:]).all()


def test_four_bars_that_come_again_are_found() -> None:
    import form

    random = np.random.default_rng(0)
    one, other, third = (random.permutation(64)[:16] + 30 for _ in range(3))
    half = np.r_[one[:10], other[:6]]
    pitches = np.concatenate([one, other, one, third, half]).tolist()
    notes = [(480 * beat, 480, pitch, 80, 0) for beat, pitch in enumerate(pitches)]
    found = form.repeats(Score(records(NOTE, notes), ticks_per_beat=480))
    assert found[:4].tolist() == [0.0, 1.0, 0.0, 0.0]
    assert np.isnan(found[4:]).all()
    longer = [*notes, *((480 * beat, 480, 60, 80, 0) for beat in range(80, 96))]
    found = form.repeats(Score(records(NOTE, longer), ticks_per_beat=480))
    assert found[:5].tolist() == [0.0, 1.0, 0.0, 0.0, 0.0]


def test_composed_tunes_stand_beside_human_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: Told
) -> None:
    import form

    monkeypatch.setattr(form, "SHORTEST", 1.0)
    rows = told(
        form, random_composer(), str(scale_split(tmp_path, [270] * 4)), "--styles", "jazz",
        "baroque", "--prompts", "1", "--seconds", "80",
    )["results"]  # fmt: skip
    assert [(row["by"], row["pieces"]) for row in rows] == [("human", 2), ("composed", 2)]
    assert rows[0]["new"] > 0 and rows[0]["again 25-32"] > 0
    assert 0.0 <= rows[0]["alike 9-12"] <= 1.0


def test_what_the_user_can_mend_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import common
    import form

    monkeypatch.setattr(form, "parse", lambda made: made.parse_args())
    monkeypatch.setattr(sys, "argv", ["form.py", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit, match="2"):
        common.run(form.main)
    assert capsys.readouterr().err.count("\n") == 1
