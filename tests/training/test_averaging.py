import math

import pytest
import torch
from torch import nn

from musenet.training.averaging import Average, mean_of


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


def test_what_one_has_not_begun_to_learn_does_not_count() -> None:
    models = [layer(0.0), layer(2.0), layer(4.0)]
    mean_of(models)
    assert weights(models[0]) == {3.0}
    silent = [layer(0.0), layer(0.0)]
    mean_of(silent)
    assert weights(silent[0]) == {0.0}
