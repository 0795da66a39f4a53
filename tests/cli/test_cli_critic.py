from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from toys import toy_split, toy_tables

from musenet.checkpoint import save_model
from musenet.composing.checks import WORDS, limits_from
from musenet.composing.critic import load_critic
from musenet.model import Model
from musenet.presets import tiny

if TYPE_CHECKING:
    from conftest import Run


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for place, split in enumerate(("train", "valid", "test")):
        toy_split(folder, split, toy_tables(4, notes=150, seed=100 * place))
    return folder


def test_train_goes_on_where_it_was_and_evaluate_measures(
    run: Run, model: Path, music: Path, tmp_path: Path
) -> None:
    out = tmp_path / "critic.safetensors"
    train = ("critic", "train", "--model", model, "--data", music, "-o", out, "--minutes", 0.02,
             "--json")  # fmt: skip
    first = run(*train).json
    again = run(*train).json
    assert out.is_file()
    assert again["places"]["train"] > first["places"]["train"] > 0
    assert again["places"]["valid"] >= first["places"]["valid"] > 0
    told = run("critic", "evaluate", out, "--model", model, "--data", music, "--places", 3,
               "--json").json  # fmt: skip
    assert told["places"] == 3
    assert told["split"] == "test"
    assert 0 <= told["windows"]["128"]["auc"] <= 1
    head, facts = load_critic(out, _name(out))
    assert facts["places"] == again["places"]
    assert head(torch.zeros(2, 128)).shape == (2,)


def _name(path: Path) -> str:
    from musenet.checkpoint import read_tensors

    name = read_tensors(path)[1]["model"]
    assert isinstance(name, str)
    return name


def test_what_was_written_by_another_model_is_not_mixed_in(
    run: Run, model: Path, music: Path, tmp_path: Path
) -> None:
    out = tmp_path / "critic.safetensors"
    train = ("critic", "train", "--data", music, "-o", out, "--minutes", 0.01, "--json")
    assert run(*train, "--model", model).code == 0
    torch.manual_seed(5)
    other = tmp_path / "other.safetensors"
    save_model(other, Model(tiny()))
    run(*train, "--model", other).assert_fails("another model")
    run("critic", "evaluate", out, "--model", other, "--data", music).assert_fails("other weights")


def test_train_wants_a_name_that_says_what_it_is(run: Run, music: Path, tmp_path: Path) -> None:
    run("critic", "train", "--data", music, "-o", tmp_path / "critic.pt").assert_fails(
        ".safetensors"
    )


def test_limits_of_a_corpus(run: Run, music: Path, tmp_path: Path) -> None:
    out = tmp_path / "limits.json"
    told = run("critic", "limits", music, "-o", out, "--json").json
    assert told["pieces"] == [4, 0, 0, 0]
    assert told["held_out_pieces"] == 4
    assert list(limits_from(out.read_text()).limits) == list(WORDS) == list(told["by_check"])
    assert run("critic", "limits", music, "-o", out).code == 0


def test_candidates_are_numbered_best_first_and_the_best_may_stand_alone(
    run: Run, model: Path, music: Path, tmp_path: Path
) -> None:
    asked = ("compose", "--minutes", 0.1, "--candidates", 3, "--seed", 4, "--audio", "none",
             "--model", model, "--originality", music)  # fmt: skip
    every = run(*asked, "-o", tmp_path / "every", "--json").json["pieces"]
    assert [piece["rank"] for piece in every] == [1, 2, 3]
    assert [Path(piece["files"]["midi"]).name for piece in every] == [
        "piece-1.mid", "piece-2.mid", "piece-3.mid",
    ]  # fmt: skip
    for piece in every:
        assert {"reason", "critic", "faults", "copy", "copied"} <= set(piece)
        assert all({"check", "value", "limit", "words"} <= set(own) for own in piece["faults"])
    told = run(*asked, "-o", tmp_path / "one.mid", "--best")
    assert every[0]["reason"].split(",")[0] in told.out
    best = (tmp_path / "one.mid").read_bytes()
    assert best == Path(every[0]["files"]["midi"]).read_bytes()
