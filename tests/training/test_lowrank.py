from __future__ import annotations

from copy import deepcopy

import torch
from composers import random_model
from toys import toy_tables

from musenet.adapters import Adapter, adapted
from musenet.condition import Condition
from musenet.evaluation.likelihood import batch_bits, piece_samples
from musenet.model import Model
from musenet.training.batches import collate
from musenet.training.lowrank import LowRank, factors, with_low_rank

SLOT = 180


def bits(model: Model) -> torch.Tensor:
    told = Condition(styles=((SLOT, 1.0),))
    samples = piece_samples(toy_tables(1)[0], told, 64, told_length=True)
    with torch.inference_mode():
        return batch_bits(model, collate(list(samples)))


def changed(model: Model) -> Model:
    """With changes that are no longer nothing."""
    made = with_low_rank(model, 3, seed=0)
    torch.manual_seed(1)
    with torch.no_grad():
        for module in made.modules():
            if isinstance(module, LowRank):
                module.up.normal_(std=0.2)
    return made


def test_it_begins_as_the_model_and_leaves_it_alone() -> None:
    model = random_model()
    before = deepcopy(model.state_dict())
    assert torch.equal(bits(with_low_rank(model, 4, seed=0)), bits(model))
    bits(changed(model))
    assert all(torch.equal(before[name], own) for name, own in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_changes_and_styles_learn_alone() -> None:
    made = with_low_rank(random_model(), 4, seed=0)
    learning = {name for name, own in made.named_parameters() if own.requires_grad}
    assert learning == {"style.weight"} | {
        f"{name}.{part}"
        for name, module in made.named_modules()
        for part in ("up", "down")
        if isinstance(module, LowRank)
    }
    assert "blocks.0.attention.query.up" in learning
    assert "blocks.1.feed_forward.down.down" in learning
    assert "heads.links.0.up.up" in learning


def test_merged_it_says_the_same() -> None:
    model = random_model()
    made = changed(model)
    own = Adapter("x", "y", made.style.weight[SLOT].detach(), factors(made), {})
    assert torch.allclose(bits(adapted(model, [(own, SLOT, 1.0)])), bits(made), atol=1e-3)
    assert not torch.allclose(bits(model), bits(made), atol=1e-2)
