from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from toys import toy_split, toy_tables

from musenet.checkpoint import fingerprint
from musenet.composing.composer import load
from musenet.composing.surprise import SURPRISE_FILE, surprise_beside

if TYPE_CHECKING:
    from conftest import Run


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    toy_split(folder, "train", toy_tables(5, notes=160))
    return folder


def test_what_it_writes_beside_a_model_holds_what_that_composes(
    run: Run, model: Path, music: Path, tmp_path: Path
) -> None:
    beside = tmp_path / "model.safetensors"
    beside.write_bytes(model.read_bytes())
    told = run(
        "evaluate",
        "surprise",
        "--data",
        music,
        "--model",
        beside,
        "-o",
        tmp_path / SURPRISE_FILE,
        "--json",
    ).json
    assert told["pieces"] == 5
    low, middle, high = told["bits_an_event"].values()
    assert 0 < low <= middle <= high
    found = surprise_beside(beside, fingerprint(beside))
    assert found is not None
    assert middle == pytest.approx(float(np.median(found.bits)), abs=0.01)
    piece = load(beside).compose(instruments="piano", minutes=0.2)[0]
    assert piece.facts["surprise"] == found.name


@pytest.mark.parametrize(
    ("notes", "out", "says"),
    [(160, "surprise.json", ".safetensors"), (20, "surprise.safetensors", "larger corpus")],
)
def test_mistakes_are_told_in_a_line(
    run: Run, model: Path, tmp_path: Path, notes: int, out: str, says: str
) -> None:
    toy_split(tmp_path / "corpus", "train", toy_tables(2, notes=notes))
    made = run("evaluate", "surprise", "--data", tmp_path / "corpus", "--model", model,
               "-o", tmp_path / out)  # fmt: skip
    made.assert_fails(says)
    assert not (tmp_path / out).exists()
