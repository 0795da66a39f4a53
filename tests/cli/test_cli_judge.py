from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from style_toys import scale, styled_corpus

from musenet.cli import main
from musenet.judge import bundled_judge
from musenet.midi import save

if TYPE_CHECKING:
    from conftest import Run


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return styled_corpus(tmp_path_factory.mktemp("styled"))


@pytest.fixture(scope="module")
def judge(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("judge") / "judge.safetensors"
    train = ["judge", "train", "--data", str(corpus), "-o", str(out), "--minutes", "0.05"]
    assert main([*train, "--works", "8", "--pairs", "6"]) == 0
    return out


def test_evaluate_tells_what_train_stored(run: Run, corpus: Path, judge: Path) -> None:
    from musenet.judge import load_judge

    measure = ("judge", "evaluate", "--data", corpus, "--judge", judge, "--pairs", "6")
    told = run(*measure, "--json").json
    assert told["split"] == "valid and test"
    facts = load_judge(judge)[1]
    assert told["held_out"] == facts["held_out"]
    assert told["blends"] == facts["blends"]
    assert set(told["blends"]) == {"with instruments", "notes alone"}
    assert set(told["held_out"]) == {"with instruments", "notes alone"}
    assert told["held_out"]["notes alone"]["works"] == 16
    assert run(*measure, "--split", "test", "--json").json["held_out"]["notes alone"]["works"] == 8
    printed = run(*measure).out
    assert all(word in printed for word in ("top 1", "chance", "jazz", "baroque", "AUC", "layered"))


def test_styles_are_heard_in_midi(run: Run, judge: Path, tmp_path: Path) -> None:
    for seed in range(3):
        save(scale(seed, rises=seed < 2), tmp_path / f"{seed}.mid")
    listen = ("evaluate", "styles", tmp_path, "--judge", judge)
    told = run(*listen, "--json").json
    found = {Path(piece["name"]).name: piece["styles"] for piece in told["pieces"]}
    assert [next(iter(found[name])) for name in sorted(found)] == ["jazz", "jazz", "baroque"]
    assert all(sum(styles.values()) == pytest.approx(1, abs=0.001) for styles in found.values())
    assert next(iter(told["mean"])) == "jazz"
    assert told["too_short"] == 0
    assert not run(*listen, "--notes-alone", "--json").json["instruments"]
    assert "mean over 3 pieces: jazz" in run(*listen).out


def test_mistakes_are_told(run: Run, corpus: Path, judge: Path, tmp_path: Path) -> None:
    train = ("judge", "train", "--data", corpus, "-o")
    run(*train, tmp_path / "judge.pt").assert_fails(".safetensors")
    out = tmp_path / "judge.safetensors"
    run(*train, out).assert_fails("held-out works")
    run("judge", "train", "--data", corpus, "-o", out, "--works", "8",
        "--judge", bundled_judge()).assert_fails("other styles")  # fmt: skip
    save(scale(0, rises=True, notes=12), tmp_path / "short.mid")
    run("evaluate", "styles", tmp_path / "short.mid", "--judge", judge).assert_fails("notes")
