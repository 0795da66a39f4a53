import json
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toys import toy_corpus, toy_split, toy_tables

from musenet.checkpoint import load_model, save_model
from musenet.echoes import ROW_COLUMNS
from musenet.errors import UserError
from musenet.events import FIELDS
from musenet.features import COLUMNS
from musenet.model import Model
from musenet.presets import ModelConfig, tiny
from musenet.training import loop, stepping
from musenet.training.loop import Run, validation_pieces
from musenet.training.settings import TrainingConfig, longest_window

SMALLEST = ModelConfig(layers=1, width=32, heads=2, kv_heads=1, head_width=16, context=256)
Facts = dict[str, Any]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def config(corpus: Path) -> TrainingConfig:
    return TrainingConfig(SMALLEST, str(corpus), steps=6, context=64, batch_events=256)


@pytest.fixture(params=[torch.float32, None], ids=["fp32", "default"])
def precision(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in fp32, or in what the machine does best."""
    if request.param is not None:
        monkeypatch.setattr(loop, "default_dtype", lambda place: request.param)


def ignore(facts: Facts) -> None:
    pass


def trained(config: TrainingConfig, out: Path) -> Run:
    run = Run(config, out)
    assert run.fit(ignore)
    return run


def stopped(run: Run, step: int) -> Run:
    """The run, interrupted after a step."""
    assert not run.fit(ignore, lambda: run.state.step >= step)
    assert run.state.step == step
    return run


def log_of(out: Path) -> list[Facts]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def same_weights(some: Run, other: Run) -> bool:
    pairs = zip(some.model.parameters(), other.model.parameters(), strict=True)
    return all(torch.equal(one, another) for one, another in pairs)


# Learning


def test_the_loss_goes_down(corpus: Path, tmp_path: Path) -> None:
    config = TrainingConfig(
        tiny(), str(corpus), steps=30, context=128, batch_events=512, learning_rate=1e-2
    )
    trained(config, tmp_path)
    steps = [facts for facts in log_of(tmp_path) if "learning_rate" in facts]
    assert len(steps) == 30
    assert steps[-1]["bits_per_note"] < 0.6 * steps[0]["bits_per_note"]
    valid = [facts for facts in log_of(tmp_path) if "valid_bits_per_note" in facts][-1]
    assert valid["valid_bits_per_note"] < 0.6 * steps[0]["bits_per_note"]
    assert sum(valid["valid"].values()) == pytest.approx(valid["valid_bits_per_note"])


@pytest.mark.parametrize("optimiser", ["muon", "adamw"])
def test_either_optimiser_learns(
    config: TrainingConfig,
    tmp_path: Path,
    optimiser: Any,
) -> None:
    run = trained(replace(config, optimiser=optimiser, steps=12, learning_rate=1e-2), tmp_path)
    steps = [facts for facts in log_of(tmp_path) if "learning_rate" in facts]
    assert steps[-1]["bits_per_note"] < 0.9 * steps[0]["bits_per_note"]
    assert len(run.optimisers) == (2 if optimiser == "muon" else 1)


def test_mixup_learns(config: TrainingConfig, tmp_path: Path) -> None:
    trained(replace(config, mixup=1.0, steps=12, learning_rate=1e-2), tmp_path)
    steps = [facts for facts in log_of(tmp_path) if "learning_rate" in facts]
    assert steps[-1]["bits_per_note"] < 0.9 * steps[0]["bits_per_note"]


# Resuming


def whole_and_in_parts(config: TrainingConfig, folder: Path) -> tuple[Run, Run]:
    """A run, and one that was stopped after three steps and resumed."""
    whole = trained(config, folder / "whole")
    stopped(Run(config, folder / "parts"), 3)
    second = Run(config, folder / "parts")
    second.resume()
    assert second.fit(ignore)
    return whole, second


def test_a_network_that_does_not_see_all_features_is_resumed(
    config: TrainingConfig, tmp_path: Path
) -> None:
    config = replace(config, model=replace(SMALLEST, blind=("part", "key")), optimiser="muon")
    whole, second = whole_and_in_parts(config, tmp_path)
    assert same_weights(whole, second)


@pytest.mark.usefixtures("precision")
@pytest.mark.parametrize("mixup", [0.0, 0.5])
def test_an_interrupted_run_ends_as_if_it_had_not_been(
    config: TrainingConfig, tmp_path: Path, mixup: float
) -> None:
    config = replace(config, mixup=mixup)
    whole = trained(config, tmp_path / "whole")
    first = stopped(Run(config, tmp_path / "parts"), 3)
    second = Run(config, tmp_path / "parts")
    second.resume()
    assert second.state == first.state
    assert second.fit(ignore)
    assert same_weights(whole, second)
    assert second.state.events == whole.state.events
    tensors = [(tmp_path / run / "model.safetensors") for run in ("whole", "parts")]
    models = [load_model(path)[0].state_dict() for path in tensors]
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])


def test_a_run_goes_on_without_the_weights_that_it_began_from(
    config: TrainingConfig, tmp_path: Path
) -> None:
    first = tmp_path / "first.safetensors"
    save_model(first, Model(SMALLEST))
    config = replace(config, weights=str(first))
    whole = trained(config, tmp_path / "whole")
    begun = stopped(Run(config, tmp_path / "parts"), 3)
    assert len(begun.state.fresh) == len(ROW_COLUMNS) + len(COLUMNS) - 2
    first.unlink()
    second = Run(config, tmp_path / "parts")
    second.resume()
    assert second.state == begun.state
    assert second.fit(ignore)
    assert same_weights(whole, second)


def test_a_finished_run_is_left_as_it_is(config: TrainingConfig, tmp_path: Path) -> None:
    trained(config, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    seen: list[Facts] = []
    run = Run(config, tmp_path)
    run.resume()
    assert run.fit(lambda facts: seen.append(facts))
    assert [set(facts) for facts in seen] == [{"step", "valid_bits_per_note", "valid"}]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_finished_run_goes_on_with_a_larger_budget(
    config: TrainingConfig, tmp_path: Path
) -> None:
    trained(config, tmp_path)
    run = Run(replace(config, steps=8), tmp_path)
    run.resume()
    assert run.fit(ignore)
    assert run.state.step == 8


def test_a_run_that_was_never_saved_leaves_no_log(config: TrainingConfig, tmp_path: Path) -> None:
    def fail(facts: Facts) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Run(config, tmp_path).fit(fail)
    assert len(log_of(tmp_path)) == 1
    trained(config, tmp_path)
    assert [facts["step"] for facts in log_of(tmp_path)] == [1, 2, 3, 4, 5, 6, 6]


def test_a_missing_run_is_not_resumed(config: TrainingConfig, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run to resume"):
        Run(config, tmp_path / "none").resume()


def test_a_run_does_not_write_over_another(config: TrainingConfig, tmp_path: Path) -> None:
    trained(config, tmp_path)
    before = (tmp_path / "model.safetensors").read_bytes()
    with pytest.raises(UserError, match="holds a run already"):
        Run(config, tmp_path).fit(ignore)
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_a_run_of_few_shapes_is_resumed_exactly(config: TrainingConfig, tmp_path: Path) -> None:
    config = replace(config, micro_events=128, average=0.3)
    whole, second = whole_and_in_parts(config, tmp_path)
    assert same_weights(whole, second)
    files = [tmp_path / run / "model.safetensors" for run in ("whole", "parts")]
    models = [load_model(path)[0].state_dict() for path in files]
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    assert not torch.equal(models[0]["start.weight"], whole.model.start.weight)


def test_an_average_is_not_begun_in_the_middle(config: TrainingConfig, tmp_path: Path) -> None:
    stopped(Run(config, tmp_path), 2)
    with pytest.raises(UserError, match="other settings"):
        Run(replace(config, average=0.1), tmp_path).resume()


def test_data_drawn_ahead_train_the_same(config: TrainingConfig, tmp_path: Path) -> None:
    config = replace(config, micro_events=128, steps=3)
    some = trained(config, tmp_path / "inline")
    assert same_weights(some, trained(replace(config, loaders=1), tmp_path / "ahead"))


def test_a_compiled_run_makes_ready_and_trains(
    config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(torch, "compile", lambda function, **how: asked.append(how) or function)
    trained(replace(config, micro_events=128, compile=True, steps=2), tmp_path)
    first, *steps = log_of(tmp_path)
    assert first["shapes"] == [[8, 16], [4, 32], [2, 64]]
    assert first["warm_up_seconds"] > 0
    assert asked == [{"dynamic": False, "fullgraph": True}]
    assert [facts["step"] for facts in steps] == [1, 2, 2]


# Budgets and settings


def test_a_budget_of_time_is_kept(config: TrainingConfig, tmp_path: Path) -> None:
    run = trained(replace(config, steps=None, minutes=0.01), tmp_path)
    assert run.state.step >= 1
    assert run.state.seconds >= 0.6
    assert run.facts()["minutes"] == pytest.approx(run.state.seconds / 60, abs=0.01)


@pytest.mark.parametrize(
    "budget",
    [
        {},
        {"steps": 0},
        {"steps": -3},
        {"minutes": 0.0},
        {"minutes": -1.0},
        {"minutes": math.nan},
        {"minutes": math.inf},
        {"steps": 5, "minutes": 5.0},
    ],
)
def test_budgets_that_are_none(budget: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="either --steps or --minutes"):
        TrainingConfig(SMALLEST, "corpus", **budget)


def test_windows_lengthen_to_the_whole_context(config: TrainingConfig) -> None:
    growing, level = replace(config, lengthen=True), replace(config, lengthen=False)
    contexts = [growing.context_at(progress) for progress in np.linspace(0, 1, 50)]
    assert contexts == sorted(contexts)
    assert (contexts[0], contexts[-1]) == (16, 64)
    assert {level.context_at(progress) for progress in np.linspace(0, 1, 50)} == {64}


def test_compiling_needs_passes_of_one_size(config: TrainingConfig) -> None:
    with pytest.raises(UserError, match="--micro-events"):
        replace(config, compile=True)


@pytest.mark.parametrize("changes", [{"context": 15}, {"batch_events": 0}])
def test_windows_that_are_too_short(config: TrainingConfig, changes: dict[str, int]) -> None:
    with pytest.raises(UserError, match="windows of 16 events"):
        replace(config, **changes)  # type: ignore[arg-type]


def test_windows_longer_than_learned_positions(config: TrainingConfig, tmp_path: Path) -> None:
    learned = replace(SMALLEST, positions="learned")
    assert longest_window(learned) == 192
    with pytest.raises(UserError, match="give --context 192"):
        replace(config, model=learned, context=193)
    corpus = toy_split(tmp_path / "long", "train", toy_tables(1, 400))
    toy_split(tmp_path / "long", "valid", toy_tables(1, 400))
    assert len(corpus.table(0)) > 192
    data = str(tmp_path / "long")
    trained(replace(config, model=learned, context=192, data=data, steps=2), tmp_path / "run")


def test_an_empty_corpus(config: TrainingConfig, tmp_path: Path) -> None:
    for split in ("train", "valid"):
        toy_split(tmp_path, split, [])
    with pytest.raises(UserError, match="no pieces to train on"):
        Run(replace(config, data=str(tmp_path)), tmp_path / "run")


def test_no_corpus(config: TrainingConfig, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no corpus"):
        Run(replace(config, data=str(tmp_path)), tmp_path / "run")


def test_training_that_diverges_is_told_and_keeps_the_weights(
    config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stopped(Run(config, tmp_path), 2)
    before = (tmp_path / "model.safetensors").read_bytes()
    monkeypatch.setattr(stepping, "clip", lambda model: torch.tensor(math.nan))
    with pytest.raises(UserError, match="diverged at step 3"):
        run.fit(ignore)
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_a_step_that_does_not_fit_into_memory(
    config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(model: Model) -> torch.Tensor:
        raise torch.OutOfMemoryError("16 GiB")

    monkeypatch.setattr(stepping, "clip", full)
    with pytest.raises(UserError, match="lower --micro-events"):
        Run(config, tmp_path).fit(ignore)


def test_a_folder_that_cannot_be_written(config: TrainingConfig, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write"):
        Run(config, tmp_path / "file" / "run").fit(ignore)


def test_a_disk_that_fills_up(
    config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stopped(Run(config, tmp_path), 1)
    before = (tmp_path / "model.safetensors").read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match="No space left"):
            run.fit(ignore)
    assert (tmp_path / "model.safetensors").read_bytes() == before


# What is written


def test_a_run_leaves_its_settings_its_log_and_its_model(
    config: TrainingConfig, tmp_path: Path
) -> None:
    run = trained(config, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"config.json", "log.jsonl", "model.safetensors", "state.safetensors"}
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["model"]["width"] == SMALLEST.width
    assert (written["steps"], written["seed"]) == (6, 0)
    step = log_of(tmp_path)[0]
    assert step["step"] == 1
    assert step["bits_per_note"] == pytest.approx(sum(step[field] for field in FIELDS))
    assert step["events_per_second"] > 0
    assert step["tflops"] > 0
    assert 0 < step["filled"] <= 1
    model, facts = load_model(tmp_path)
    assert facts["step"] == 6
    assert facts["parameters"] == sum(p.numel() for p in model.parameters())
    assert facts["valid_bits_per_note"] == pytest.approx(run.validate()["valid_bits_per_note"])


def test_checkpoints_are_written_on_the_way(config: TrainingConfig, tmp_path: Path) -> None:
    trained(replace(config, save_minutes=0.0), tmp_path)
    validations = [facts["step"] for facts in log_of(tmp_path) if "valid" in facts]
    assert validations == [1, 2, 3, 4, 5, 6, 6]


def test_the_seed_decides_the_weights(config: TrainingConfig, tmp_path: Path) -> None:
    runs = [
        trained(replace(config, seed=seed, steps=2), tmp_path / str(i))
        for i, seed in enumerate((1, 1, 2))
    ]
    assert same_weights(runs[0], runs[1])
    assert not same_weights(runs[0], runs[2])


def test_validation_is_on_a_fixed_choice_of_pieces_of_some_length(tmp_path: Path) -> None:
    split = toy_split(tmp_path, "valid", toy_tables(12))
    few = validation_pieces(split, events=200)
    assert few == validation_pieces(split, events=200)
    assert 1 <= len(few) < 8
    assert sorted(validation_pieces(split)) == list(range(12))
    total = int(np.sum(split.pieces["events"][few]))
    assert total - int(split.pieces["events"][few[-1]]) < 200
