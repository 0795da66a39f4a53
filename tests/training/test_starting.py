"""Going on from the weights of a model."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musenet.checkpoint import load_model, save_model
from musenet.errors import UserError
from musenet.features import KEY, STYLE
from musenet.model import Model
from musenet.presets import PRESETS, ModelConfig
from musenet.training.optimise import FRESH_SCALE, OptimiserName, optimisers, set_learning_rate
from musenet.training.starting import BEGUN, take_over

TINY = PRESETS["tiny"]()


def saved(path: Path, seed: int, *, unknown: tuple[int, ...] = ()) -> Path:
    """Random weights but for tables of features that the model has not met."""
    torch.manual_seed(seed)
    model = Model(TINY)
    with torch.no_grad():
        for own in (model.moment, model.heads.moment):
            for column, table in enumerate(own.tables.parameters(), start=1):
                if column not in unknown:
                    table.normal_()
    save_model(path, model)
    return path


def test_all_that_is_known_is_taken_over(tmp_path: Path) -> None:
    path = saved(tmp_path / "some.safetensors", 0)
    model = Model(TINY)
    assert take_over(model, path) == ()
    again = Model(TINY)
    take_over(again, path)
    pairs = zip(model.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_new_tables_learn_faster_and_styles_begin_as_they_are_in_front(tmp_path: Path) -> None:
    model = Model(TINY)
    fresh = take_over(model, saved(tmp_path / "some.safetensors", 0, unknown=(KEY, STYLE)))
    both = [list(own.tables.parameters()) for own in (model.moment, model.heads.moment)]
    expected = {id(tables[column - 1]) for tables in both for column in (KEY, STYLE)}
    assert {id(table) for name, table in model.named_parameters() if name in fresh} == expected
    assert len(fresh) == len(expected)
    styles, key = both[0][STYLE - 1], both[0][KEY - 1]
    spread = model.style.weight - model.style.weight.mean(dim=0)
    assert torch.allclose(styles[:-1], BEGUN * spread)
    assert not styles[-1].any() and not key.any()
    assert not both[1][STYLE - 1].any()
    names: tuple[OptimiserName, ...] = ("adamw", "muon")
    for name in names:
        made = optimisers(model, name, 0.01, 0.0, fresh)
        set_learning_rate(made, 0.01)
        slow, fast = made[0].param_groups
        assert fast["lr"] == pytest.approx(FRESH_SCALE * slow["lr"])
        assert {id(table) for table in fast["params"]} == expected
        held = [id(p) for each in made for group in each.param_groups for p in group["params"]]
        assert sorted(held) == sorted(map(id, model.parameters()))


def test_a_deeper_network_begins_as_the_weights_compute(tmp_path: Path) -> None:
    path = saved(tmp_path / "some.safetensors", 0)
    model = Model(replace(TINY, layers=3))
    assert take_over(model, path) == ()
    before, _ = load_model(path)
    x, ticks = torch.randn(1, 8, TINY.width), 24 * torch.arange(8)[None]
    assert torch.equal(model.trunk(x, ticks), before.trunk(x, ticks))


def test_a_network_that_gains_musical_time_begins_as_the_weights_compute(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    without = replace(TINY, musical_time=False)
    save_model(path, Model(without))
    model = Model(TINY)
    fresh = take_over(model, path)
    times = {name for name, _ in model.named_parameters() if ".time_" in name}
    assert times and times < set(fresh)
    before, _ = load_model(path)
    x, ticks = torch.randn(1, 8, TINY.width), 24 * torch.arange(8)[None]
    assert torch.allclose(model.trunk(x, ticks), before.trunk(x, ticks), atol=1e-6)
    fast = optimisers(model, "muon", 0.01, 0.0, fresh)[0].param_groups[1]["params"]
    assert {id(own) for own in fast} >= {
        id(own) for name, own in model.named_parameters() if name in times
    }


@pytest.mark.parametrize("config", [PRESETS["mini"](), replace(TINY, layers=3)])
def test_weights_of_other_dimensions_are_refused(config: ModelConfig, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_model(path, Model(config))
    with pytest.raises(UserError, match="other dimensions"):
        take_over(Model(TINY), path)
