"""The benchmark of form counts bits by eight bars."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from composers import random_composer, random_model
from style_toys import FALLING, RISING, scale_table
from toys import toy_split

from musenet.condition import Condition


@pytest.fixture(autouse=True)
def _with_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_eight_bars_that_are_not_there_have_no_bits() -> None:
    import form

    ten_bars = scale_table(1, rises=True, notes=80)
    bits = form.by_phrase(random_model(1), ten_bars, Condition())
    assert (bits[:2] > 0).all()
    assert np.isnan(bits[2:]).all()


def test_composed_tunes_stand_beside_human_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import form

    composer = random_composer()
    tables = [scale_table(i, rises=i < 2, notes=270) for i in range(4)]
    styles = [[RISING if i < 2 else FALLING, -1, -1, -1] for i in range(4)]
    toy_split(tmp_path, "test", tables, styles=styles)
    monkeypatch.setattr(form, "load", lambda path: composer)
    monkeypatch.setattr(form, "parse", lambda made: made.parse_args())
    monkeypatch.setattr(form, "SHORTEST", 1.0)
    monkeypatch.setattr(sys, "argv", [
        "form.py", str(tmp_path), "--styles", "jazz", "baroque", "--prompts", "1", "--seconds",
        "80", "--json",
    ])  # fmt: skip
    form.main()
    rows = json.loads(capsys.readouterr().out)["results"]
    assert [(row["by"], row["pieces"]) for row in rows] == [("human", 2), ("composed", 2)]
    assert rows[0]["new"] > 0 and rows[0]["again 25-32"] > 0


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
