"""Networks that grow in depth."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musenet.copying import COPY
from musenet.model import Model
from musenet.presets import PRESETS
from musenet.training.growing import COPIES_BEGIN, deepened, grown

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
    deep = deepened(model, layers)
    assert deep.config.layers == len(deep.blocks) == layers
    x, ticks = torch.randn(2, 8, TINY.width), 24 * torch.arange(8).expand(2, -1)
    assert torch.equal(deep.trunk(x, ticks), model.trunk(x, ticks))
    silent = [
        place for place, block in enumerate(deep.blocks)
        if not block.attention.out.weight.any() and not block.feed_forward.down.weight.any()
    ]  # fmt: skip
    assert silent == new
    rest = dict(model.named_parameters())
    for name, parameter in deep.named_parameters():
        assert "blocks." in name or torch.equal(parameter, rest[name])


def test_musical_time_is_taken_from_another_network() -> None:
    torch.manual_seed(0)
    without = replace(TINY, musical_time=False)
    plain, timed = random(Model(without)), Model(TINY)
    same = grown(plain, timed)
    x, ticks = torch.randn(2, 8, TINY.width), 24 * torch.arange(8).expand(2, -1)
    assert torch.allclose(same.trunk(x, ticks), plain.trunk(x, ticks), atol=1e-5)
    random(timed)
    times = {name for name, _ in timed.named_parameters() if ".time_" in name}
    for name, parameter in grown(plain, timed).named_parameters():
        source = timed if name in times else plain
        assert torch.equal(parameter, source.get_parameter(name))
    assert grown(timed, plain) is timed
    deep = grown(plain, Model(replace(TINY, layers=3)))
    assert (deep.config.layers, deep.config.musical_time) == (3, True)
    with pytest.raises(RuntimeError):
        grown(plain, Model(replace(TINY, width=32)))


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


def test_a_network_comes_to_copy() -> None:
    torch.manual_seed(0)
    plain = random(Model(replace(TINY, copies=1)))
    made = grown(plain, Model(TINY))
    assert (made.config.copies, plain.config.copies) == (3, 1)
    assert grown(made, plain) is made
    x = torch.randn(3, TINY.width)
    for field, values in enumerate(COPY):
        own, before = made.heads.logits(field, x), plain.heads.logits(field, x)
        fresh = list(values[1:])
        begun = 15.0 * np.tanh(COPIES_BEGIN[field] / 15.0)
        assert torch.allclose(own[:, fresh], torch.full((3, 2), begun))
        own[:, fresh] = before[:, fresh]
        assert torch.equal(own, before)
