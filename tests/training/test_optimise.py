from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from musenet.model import Model
from musenet.presets import tiny
from musenet.training.optimise import (
    TABLE_SCALE,
    clip,
    default_dtype,
    default_optimiser,
    optimisers,
    set_learning_rate,
    trapezoid,
)


def test_every_parameter_has_one_optimiser() -> None:
    model = Model(tiny())
    for name, count in (("muon", 2), ("adamw", 1)):
        made = optimisers(model, name, 1e-3, 0.1)  # type: ignore[arg-type]
        held = [id(p) for each in made for group in each.param_groups for p in group["params"]]
        assert len(made) == count
        assert sorted(held) == sorted(id(p) for p in model.parameters())


def test_tables_of_features_that_are_not_seen_have_none() -> None:
    model = Model(replace(tiny(), blind=("tick", "part", "style")))
    own = {"moment.tables.1.weight", "moment.tables.10.weight"}
    idle = own | {f"heads.{name}" for name in own}
    for name in ("muon", "adamw"):
        made = optimisers(model, name, 1e-3, 0.1, fresh=idle)  # type: ignore[arg-type]
        held = {id(p) for each in made for group in each.param_groups for p in group["params"]}
        learning = {id(p) for own, p in model.named_parameters() if own not in idle}
        assert held == learning


def test_muon_turns_matrices_of_the_blocks_alone() -> None:
    model = Model(tiny())
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    muon = optimisers(model, "muon", 1e-3, 0.1)[1]
    assert type(muon).__name__ == "Muon"
    turned = {names[id(p)] for group in muon.param_groups for p in group["params"]}
    assert all(name.startswith(("blocks.", "heads.links.", "previous.")) for name in turned)
    assert "blocks.0.attention.query.weight" in turned


def test_the_learning_rate_goes_up_stays_and_comes_down() -> None:
    assert trapezoid(0.0) == 0.0
    assert trapezoid(0.01) == pytest.approx(0.5)
    assert trapezoid(0.3) == trapezoid(0.6) == 1.0
    assert trapezoid(0.8) == pytest.approx(0.5)
    assert trapezoid(1.0) == trapezoid(1.1) == 0.0


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_learning_rate_never_jumps(some: float, other: float) -> None:
    assert abs(trapezoid(some) - trapezoid(other)) <= 50.001 * abs(some - other) + 1e-12


def test_the_learning_rate_reaches_every_group() -> None:
    tables, matrices = optimisers(Model(tiny()), "muon", 1e-3, 0.1)
    (alone,) = optimisers(Model(tiny()), "adamw", 1e-3, 0.1)
    set_learning_rate([tables, matrices, alone], 5e-4)
    rates = [each.param_groups[0]["lr"] for each in (tables, matrices, alone)]
    assert rates == [5e-4 * TABLE_SCALE, 5e-4, 5e-4]


def test_large_gradients_are_scaled_down() -> None:
    layer = torch.nn.Linear(3, 1, bias=False)
    layer.weight.grad = torch.tensor([[3.0, 4.0, 0.0]])
    assert clip(layer) == pytest.approx(5.0)
    assert np.allclose(layer.weight.grad, [[0.6, 0.8, 0.0]], atol=1e-5)
    assert clip(layer) == pytest.approx(1.0, abs=1e-5)


def test_defaults_go_together() -> None:
    cpu = torch.device("cpu")
    assert default_dtype(cpu) in (torch.float32, torch.bfloat16)
    assert default_optimiser(cpu) == ("muon" if default_dtype(cpu) is torch.bfloat16 else "adamw")
    assert default_dtype(torch.device("cuda")) is torch.bfloat16
    assert default_optimiser(torch.device("cuda")) == "muon"
