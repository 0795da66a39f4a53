from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import toy_tables

from musenet.condition import Condition
from musenet.evaluation.likelihood import batch_bits
from musenet.model import Model
from musenet.presets import ModelConfig
from musenet.training.batches import Batch, collate, sample
from musenet.training.mixup import mixed_bits
from musenet.windows import window

SMALLEST = ModelConfig(layers=1, width=32, heads=2, kv_heads=1, head_width=16, context=128)


class Fixed(np.random.Generator):
    """A generator that keeps a given share and pairs windows in a given order."""

    def __init__(self, share: float, order: list[int]) -> None:
        super().__init__(np.random.PCG64(0))
        self.share, self.order = share, order

    def beta(self, *args: object, **kwargs: object) -> float:  # type: ignore[override]
        return self.share

    def permutation(self, *args: object, **kwargs: object) -> np.ndarray:
        return np.array(self.order)


@pytest.fixture
def model() -> Model:
    torch.manual_seed(0)
    model = Model(SMALLEST)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@pytest.fixture
def batch() -> Batch:
    return collate(
        [
            sample(window(table, 0, 30 + 5 * i), Condition(((i, 1.0),), (0,), i, i), 60.0)
            for i, table in enumerate(toy_tables(3))
        ]
    )


def test_a_window_mixed_with_itself_is_itself(model: Model, batch: Batch) -> None:
    mixed = mixed_bits(model, batch, Fixed(0.7, [0, 1, 2]))
    torch.testing.assert_close(mixed, batch_bits(model, batch), rtol=1e-4, atol=1e-4)


def test_a_whole_share_leaves_the_partner_out(model: Model, batch: Batch) -> None:
    for share in (0.0, 1.0):
        mixed = mixed_bits(model, batch, Fixed(share, [2, 0, 1]))
        torch.testing.assert_close(mixed, batch_bits(model, batch), rtol=1e-4, atol=1e-4)


def test_partners_count_by_their_share(model: Model, batch: Batch) -> None:
    mixed = mixed_bits(model, batch, Fixed(0.6, [1, 0, 2]))
    assert not torch.allclose(mixed, batch_bits(model, batch))
    lone = replace(
        batch, weights=batch.weights * np.array([1, 0, 0], dtype=np.float32)[:, None, None]
    )
    part = mixed_bits(model, lone, Fixed(0.6, [1, 0, 2]))
    assert (part[0, :30] > 0).all()
    assert (part[1, :30] > 0).all()
    assert not part[2].any()


def test_gradients_reach_every_parameter(model: Model, batch: Batch) -> None:
    torch.autograd.backward(mixed_bits(model, batch, np.random.default_rng(0)).sum())
    assert all(parameter.grad is not None for parameter in model.parameters())
