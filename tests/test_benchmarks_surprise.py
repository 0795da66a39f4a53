"""The benchmark of surprise composes to held-out pieces and counts the bits of all in one way."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from composers import random_composer
from style_toys import styled_corpus

from musenet.composing.composer import Composer
from musenet.composing.surprise import HumanSurprise
from musenet.condition import INSTRUMENT_SLOTS


def held_composer(bits: float) -> Composer:
    """A composer that knows one human piece, for piano."""
    composer = random_composer()
    players = np.zeros((1, INSTRUMENT_SLOTS), dtype=np.bool_)
    players[0, 0] = True
    composer.human = HumanSurprise(
        np.full((1, 4), -1, np.int16), players, np.ones(1, np.int16),
        np.array([bits], np.float32), "one",
    )  # fmt: skip
    return composer


def test_what_is_composed_stands_beside_human_music(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    import surprise

    corpus, composer = styled_corpus(tmp_path / "corpus", pieces=2), held_composer(4.0)
    monkeypatch.setattr(surprise, "load", lambda path: composer)
    monkeypatch.setattr(surprise, "parse", lambda made: made.parse_args())
    monkeypatch.setattr(sys, "argv", [
        "surprise.py", str(corpus), "--styles", "jazz", "baroque", "--prompts", "2", "--seconds",
        "40", "--temperatures", "2", "--json",
    ])  # fmt: skip
    surprise.main()
    rows = json.loads(capsys.readouterr().out)["results"]
    ways = ["human", "held", "at 2"]
    assert [row["by"] for row in rows] == ways * 3
    assert [row["style"] for row in rows] == ["jazz"] * 3 + ["baroque"] * 3 + ["all"] * 3
    assert [row["pieces"] for row in rows] == [2] * 6 + [4] * 3
    assert all(row["off"] >= 0 for row in rows if row["by"] == "human")
    human = [row["bits"] for row in rows if row["by"] == "human"]
    assert human[2] == pytest.approx((human[0] + human[1]) / 2)
    assert composer.human is not None
