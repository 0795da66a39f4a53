"""The benchmark of surprise composes to held-out pieces and counts the bits of all in one way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from composers import random_composer
from conftest import Told
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


def test_what_is_composed_stands_beside_human_music(tmp_path: Path, told: Told) -> None:
    import surprise

    corpus, composer = styled_corpus(tmp_path / "corpus", pieces=2), held_composer(4.0)
    rows = told(
        surprise, composer, str(corpus), "--styles", "jazz", "baroque", "--prompts", "2",
        "--seconds", "40", "--temperatures", "2",
    )["results"]  # fmt: skip
    ways = ["human", "held", "at 2"]
    assert [row["by"] for row in rows] == ways * 3
    assert [row["style"] for row in rows] == ["jazz"] * 3 + ["baroque"] * 3 + ["all"] * 3
    assert [row["pieces"] for row in rows] == [2] * 6 + [4] * 3
    assert all(row["off"] >= 0 for row in rows if row["by"] == "human")
    human = [row["bits"] for row in rows if row["by"] == "human"]
    assert human[2] == pytest.approx((human[0] + human[1]) / 2)
    assert composer.human is not None
