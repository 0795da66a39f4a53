"""Networks that grow in depth."""

import pytest
import torch

from musenet.model import Model
from musenet.presets import PRESETS
from musenet.training.growing import deepened

TINY = PRESETS["tiny"]()


def random(model: Model) -> Model:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.1)
    return model


@pytest.mark.parametrize(
    ("layers", "new"), [(2, []), (3, [2]), (4, [1, 3]), (5, [1, 3, 4]), (6, [1, 2, 4, 5])]
)
def test_a_deeper_network_computes_the_same(layers: int, new: list[int]) -> None:
    torch.manual_seed(layers)
    model = random(Model(TINY))
    grown = deepened(model, layers)
    assert grown.config.layers == len(grown.blocks) == layers
    x, ticks = torch.randn(2, 8, TINY.width), 24 * torch.arange(8).expand(2, -1)
    assert torch.equal(grown.trunk(x, ticks), model.trunk(x, ticks))
    silent = [
        place for place, block in enumerate(grown.blocks)
        if not block.attention.out.weight.any() and not block.feed_forward.down.weight.any()
    ]  # fmt: skip
    assert silent == new
    rest = dict(model.named_parameters())
    for name, parameter in grown.named_parameters():
        assert "blocks." in name or torch.equal(parameter, rest[name])


def test_new_layers_learn_at_once_and_the_old_network_stays() -> None:
    torch.manual_seed(0)
    model = random(Model(TINY))
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    grown = deepened(model, 3)
    optimiser = torch.optim.SGD(grown.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        grown.trunk(torch.randn(1, 8, TINY.width), torch.zeros(1, 8)).pow(3).sum().backward()
        optimiser.step()
    block = grown.blocks[2]
    assert block.feed_forward.down.weight.any() and block.attention.out.weight.any()
    assert block.feed_forward.up.weight.grad is not None
    assert block.feed_forward.up.weight.grad.any()
    assert all(torch.equal(kept[name], tensor) for name, tensor in model.state_dict().items())
