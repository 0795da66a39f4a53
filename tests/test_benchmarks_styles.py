"""The benchmark of styles composes and judges, and its numbers are those of the judge."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from composers import random_composer
from style_toys import FALLING, RISING, styled_corpus

from musenet.judge import StyleJudge, save_judge


@pytest.fixture
def results(
    benchmarks: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    import styles

    torch.manual_seed(0)
    save_judge(tmp_path / "judge.safetensors", StyleJudge([RISING, FALLING], width=16), {})
    corpus = styled_corpus(tmp_path / "corpus", pieces=4)
    monkeypatch.setattr(styles, "load", lambda path: random_composer())

    def run(*options: str) -> list[dict[str, Any]]:
        made = styles.options().parse_args([
            str(corpus), "--judge", str(tmp_path / "judge.safetensors"), "--seconds", "8",
            "--pieces", "3", "--batch", "2", "--instruments", "piano", "--json", *options,
        ])  # fmt: skip
        styles.measure(made)
        found = json.loads(capsys.readouterr().out)["results"]
        assert isinstance(found, list)
        return found

    return run


def test_styles_are_judged_beside_human_pieces(results: Any) -> None:
    rows = results("--styles", "jazz", "--guidance", "1", "1.5")
    kinds = [(row["asked"], row["by"], row["judge hears"]) for row in rows]
    assert len(set(kinds)) == len(rows) == 12
    own = [row for row in rows if row["asked"] == "jazz"]
    assert {row["by"] for row in own} == {"human", "guidance 1", "guidance 1.5"}
    for row in own:
        assert row["pieces"] == (8 if row["by"] == "human" else 3)
        assert row["95 % from"] <= row["probability"] <= row["to"]
        assert 1 <= row["rank"] <= 2
        assert row["first"] == row["first but for relatives"] == pytest.approx(2 - row["rank"])


def test_blends_are_judged_at_every_weight(results: Any) -> None:
    rows = results("--blends", "jazz+baroque", "--weights", "0.25", "0.75")
    alone = [row for row in rows if row["judge hears"] == "notes alone"]
    assert [row["asked"] for row in alone[:5]] == [
        "mean over blends", "mean over blends", "mean over blends, first at 0.25",
        "mean over blends, first at 0.75", "mean over blends: change",
    ]  # fmt: skip
    halves, layers, low, high, change = alone[5:]
    assert (halves["by"], layers["by"]) == ("human spliced", "human layered")
    assert halves["pieces"] == layers["pieces"] == 8
    assert low["asked"] == "jazz:0.25, baroque:0.75"
    for key in ("first style", "second style"):
        assert change[key] == pytest.approx(high[key] - low[key])
    np.testing.assert_allclose(low["first style"] + low["second style"], 1.0)
    assert low["both first"] == low["rank"] == 1.0
    assert change["both first"] is None
    assert low["likeliest other"] is not None
