import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from musenet.model import Model
from musenet.presets import ModelConfig
from musenet.training.averaging import Average, mean_of
from musenet.training.growing import deepened

SMALLEST = ModelConfig(layers=1, width=16, heads=2, kv_heads=1, head_width=8, context=64)


def layer(value: float) -> nn.Linear:
    made = nn.Linear(2, 1)
    for parameter in made.parameters():
        nn.init.constant_(parameter, value)
    return made


def weights(model: nn.Module) -> set[float]:
    return {
        float(value) for parameter in model.parameters() for value in parameter.detach().flatten()
    }


def test_the_average_follows_the_weights() -> None:
    model = layer(0.0)
    average = Average(model, 0.1)
    for parameter in model.parameters():
        nn.init.constant_(parameter, 1.0)
    for _ in range(10):
        average.follow(model, 0.01)
    for own in average.values.values():
        torch.testing.assert_close(own, torch.full_like(own, 1.0 - math.exp(-1.0)))


def test_steps_of_any_length_add_up() -> None:
    model = layer(1.0)
    some, other = Average(layer(0.0), 0.2), Average(layer(0.0), 0.2)
    some.follow(model, 0.3)
    for _ in range(3):
        other.follow(model, 0.1)
    for one, another in zip(some.values.values(), other.values.values(), strict=True):
        torch.testing.assert_close(one, another)


def test_the_average_stands_in_the_model_for_a_while() -> None:
    model = layer(0.0)
    average = Average(model, 0.1)
    average.load({name: torch.full_like(own, 5.0) for name, own in model.named_parameters()})
    with pytest.raises(KeyError), average.in_place(model):
        assert weights(model) == {5.0}
        raise KeyError
    assert weights(model) == {0.0}
    assert {float(own.mean()) for own in average.values.values()} == {5.0}


def test_averages_of_another_model() -> None:
    average = Average(layer(0.0), 0.1)
    for values in ({}, {"weight": torch.zeros(3, 3), "bias": torch.zeros(1)}):
        with pytest.raises(ValueError, match="another model"):
            average.load(values)


def test_the_mean_of_several() -> None:
    models = [layer(1.0), layer(2.0), layer(6.0)]
    mean_of(models)
    assert [weights(model) for model in models] == [{3.0}, {2.0}, {6.0}]
    with pytest.raises(ValueError, match="different"):
        mean_of([layer(0.0), nn.Linear(3, 1)])


def network(value: float) -> Model:
    """A network of which all weights are alike."""
    made = Model(SMALLEST)
    for parameter in made.parameters():
        nn.init.constant_(parameter, value)
    return made


def test_tables_that_one_has_not_begun_to_learn_do_not_count() -> None:
    models = [network(value) for value in (1.0, 2.0, 6.0)]
    late = ("moment.tables.9.weight", "heads.moment.tables.9.weight")
    for name in late:
        for model in models[:2]:
            nn.init.zeros_(model.get_parameter(name))
    for model in models:
        nn.init.zeros_(model.get_parameter("moment.tables.10.weight"))
    mean_of(models)
    means = {name: set(mean.flatten().tolist()) for name, mean in models[0].named_parameters()}
    assert [means.pop(name) for name in late] == [{6.0}, {6.0}]
    assert means.pop("moment.tables.10.weight") == {0.0}
    assert set().union(*means.values()) == {3.0}


def test_a_layer_that_adds_nothing_yet_counts() -> None:
    before, after = network(2.0), Model(replace(SMALLEST, layers=2))
    for parameter in after.parameters():
        nn.init.constant_(parameter, 4.0)
    grown = deepened(before, 2)
    mean_of([after, grown])
    for old, new in ((0, 3.0), (1, 2.0)):
        for name in ("attention.out", "feed_forward.down"):
            weight = after.get_parameter(f"blocks.{old}.{name}.weight")
            assert set(weight.flatten().tolist()) == {new}
