import pytest
import torch
from torch import Tensor
from torch.optim import Muon as PlainMuon

from musenet.training.muon import Muon, orthogonal

SHAPES = [(8, 8), (16, 8), (8, 16), (8, 8), (16, 8), (4, 8)]


def matrices(seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]


def test_steps_are_those_of_torch() -> None:
    ours, theirs = matrices(0), matrices(0)
    own = Muon(ours, 1e-2, weight_decay=0.05)
    plain = PlainMuon(theirs, lr=1e-2, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    for step in range(5):
        for one, other, gradient in zip(ours, theirs, matrices(step + 1), strict=True):
            one.grad, other.grad = gradient.detach().clone(), gradient.detach().clone()
        own.step()
        plain.step()  # type: ignore[no-untyped-call]
        for one, other, start in zip(ours, theirs, matrices(0), strict=True):
            moved = (other - start).norm()
            assert (one - other).norm() < 0.02 * moved
            kept = own.state[one]["momentum_buffer"], plain.state[other]["momentum_buffer"]
            torch.testing.assert_close(*kept)


def test_a_matrix_does_not_depend_on_those_beside_it() -> None:
    together = torch.randn(3, 8, 16, generator=torch.Generator().manual_seed(0))
    alone = torch.cat([orthogonal(one[None]) for one in together])
    torch.testing.assert_close(orthogonal(together), alone, atol=0.02, rtol=0.02)


def test_rows_become_nearly_orthonormal() -> None:
    turned = orthogonal(torch.randn(2, 8, 32, generator=torch.Generator().manual_seed(1))).float()
    values = torch.linalg.svdvals(turned)
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_a_gradient_of_nothing_moves_nothing_but_by_decay() -> None:
    (own,) = matrices(0)[:1]
    before = own.detach().clone()
    own.grad = torch.zeros_like(own)
    Muon([own], 0.1, weight_decay=0.5).step()
    torch.testing.assert_close(own.detach(), before * 0.95)


def test_matrices_without_a_gradient_are_left(  # such as tables that a preset does not use
) -> None:
    own, other = matrices(0)[:2]
    other.grad = torch.ones_like(other)
    before = own.detach().clone()
    Muon([own, other], 0.1).step()
    assert torch.equal(own.detach(), before)


@pytest.mark.parametrize("count", [1, 3])
def test_a_step_with_no_gradients_at_all(count: int) -> None:
    Muon(matrices(0)[:count], 0.1).step()
