import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.optim import Optimizer

from musenet.errors import UserError
from musenet.model import Model
from musenet.presets import ModelConfig
from musenet.training.optimise import OptimiserName, optimisers
from musenet.training.state import STATE_FILE, TrainingState, read_state, write_state

SMALLEST = ModelConfig(layers=1, width=16, heads=2, kv_heads=1, head_width=8, context=64)


def made(
    name: OptimiserName = "muon", config: ModelConfig = SMALLEST, seed: int = 0
) -> tuple[Model, list[Optimizer]]:
    torch.manual_seed(seed)
    model = Model(config)
    return model, optimisers(model, name, 1e-2, 0.1)


def step(model: Model, steppers: list[Optimizer], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    for stepper in steppers:
        stepper.step()


@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_going_on_is_as_never_having_stopped(tmp_path: Path, name: OptimiserName) -> None:
    model, steppers = made(name)
    for seed in range(3):
        step(model, steppers, seed)
    state = TrainingState(3, 12.5, 999)
    write_state(tmp_path, state, model, steppers)
    again, its_steppers = made(name, seed=9)
    assert read_state(tmp_path, again, its_steppers) == state
    for seed in range(3, 5):
        step(model, steppers, seed)
        step(again, its_steppers, seed)
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_run_that_has_not_begun_can_be_kept(tmp_path: Path) -> None:
    write_state(tmp_path, TrainingState(), *made())
    assert read_state(tmp_path, *made()) == TrainingState()


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run to resume"):
        read_state(tmp_path, *made())


@pytest.mark.parametrize("count", [0, 100, 5_000])
def test_a_damaged_state(tmp_path: Path, count: int) -> None:
    write_state(tmp_path, TrainingState(), *made())
    whole = (tmp_path / STATE_FILE).read_bytes()
    (tmp_path / STATE_FILE).write_bytes(whole[:count])
    with pytest.raises(UserError, match="damaged"):
        read_state(tmp_path, *made())


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("adamw", SMALLEST),
        ("muon", replace(SMALLEST, width=32)),
        ("muon", replace(SMALLEST, layers=2)),
        ("muon", replace(SMALLEST, positions="learned")),
    ],
)
def test_a_run_with_other_settings(
    tmp_path: Path, name: OptimiserName, config: ModelConfig
) -> None:
    model, steppers = made("muon")
    step(model, steppers, 0)
    write_state(tmp_path, TrainingState(step=1), model, steppers)
    with pytest.raises(UserError, match="other settings"):
        read_state(tmp_path, *made(name, config))


def test_muon_does_not_go_on_where_adamw_stopped(tmp_path: Path) -> None:
    model, steppers = made("adamw")
    step(model, steppers, 0)
    write_state(tmp_path, TrainingState(step=1), model, steppers)
    with pytest.raises(UserError, match="other settings"):
        read_state(tmp_path, *made("muon"))


def test_a_full_disk_leaves_the_last_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, steppers = made()
    write_state(tmp_path, TrainingState(), model, steppers)
    before = (tmp_path / STATE_FILE).read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        write_state(tmp_path, TrainingState(5), model, steppers)
    assert (tmp_path / STATE_FILE).read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
