"""What the trials of benchmarks/ promise: what is not told is nowhere told, and lines cut short."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from toys import toy_split, toy_tables

from musenet.checkpoint import save_model
from musenet.features import CONTROLLED, NOT_TOLD
from musenet.model import Model
from musenet.presets import tiny
from musenet.training.batches import Sample, draw
from musenet.training.settings import TrainingConfig


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))


@pytest.fixture
def trials(benchmarks: None) -> ModuleType:
    import trials

    return trials


@pytest.fixture
def ablations(benchmarks: None) -> ModuleType:
    import ablations

    return ablations


def variant(trials: ModuleType, ablations: ModuleType, name: str) -> TrainingConfig:
    (chosen,) = (own for own in ablations.VARIANTS if own.name == name)
    whole = trials.Trial(TrainingConfig(tiny(), "corpus", steps=10, context=64))
    found = chosen.of(whole, 0).training
    assert isinstance(found, TrainingConfig)
    return found


def windows(config: TrainingConfig, folder: Path) -> list[Sample]:
    styles = [[3, -1, -1, -1], [5, -1, -1, -1]] * 4
    split = toy_split(folder, "train", toy_tables(8), styles=styles)
    rng = np.random.default_rng(0)
    return [draw(split, i % 8, 64, config.augmentation, rng) for i in range(200)]


def test_no_style_told_tells_none(trials: ModuleType, ablations: Any, tmp_path: Path) -> None:
    config = variant(trials, ablations, "no style told")
    for window in windows(config, tmp_path):
        assert not window.condition.styles
        assert (window.features[:, CONTROLLED[4]] == NOT_TOLD[4]).all()


def test_no_instruments_told_tells_none(trials: ModuleType, ablations: Any, tmp_path: Path) -> None:
    config = variant(trials, ablations, "no instruments told")
    assert not any(window.condition.instruments for window in windows(config, tmp_path))


def test_no_controls_are_none(trials: ModuleType, ablations: Any, tmp_path: Path) -> None:
    config = variant(trials, ablations, "no controls, no given notes")
    assert set(config.model.blind) == {"chord", "density", "dynamics", "given", "key", "style"}
    for window in windows(config, tmp_path):
        assert (window.features[:, CONTROLLED] == NOT_TOLD).all()


def test_a_line_that_was_cut_short_is_written_anew(trials: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "trials.jsonl"
    assert trials.read_records(file) == []
    for key in "ab":
        trials.add_record(file, {"key": key, "name": "größer"})
    whole = file.read_bytes()
    for cut in (1, 5, len(whole) // 2 - 1):
        file.write_bytes(whole[:-cut])
        assert list(trials.Trials(tmp_path, "cpu").records) == ["a"]
        trials.add_record(file, {"key": "b", "name": "größer"})
        assert file.read_bytes() == whole


def test_guarantees_go_on_behind_a_line_that_was_cut_short(
    benchmarks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    import common
    import guarantees

    for name in common._POOLS:
        monkeypatch.setenv(name, "1")
    save_model(tmp_path / "tiny.safetensors", Model(tiny()))
    log = tmp_path / "log.jsonl"
    kept = {
        "number": 0, "kind": "compose", "asked": {}, "given": "", "notes": 9, "new": 9,
        "seconds": 30.0, "forced": 0, "ended_by": None,
        "broken": dict.fromkeys(guarantees.CHECKS, ""),
    }  # fmt: skip
    log.write_text(json.dumps(kept) + '\n{"number": 1, "ki')
    arguments = ("--model", str(tmp_path / "tiny.safetensors"), "--prompts", "1", "--json")
    monkeypatch.setattr("sys.argv", ["guarantees.py", *arguments, "--log", str(log)])
    guarantees.main()
    assert json.loads(capsys.readouterr().out)["new notes"] == "9"
