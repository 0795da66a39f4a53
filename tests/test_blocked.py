"""Attention in blocks says what torch's own says, there and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from musenet import attention
from musenet.blocked import BLOCK, attend_in_blocks

LENGTHS = st.sampled_from([1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 7])


def ran(attend: Callable[..., Tensor], inputs: list[Tensor], heed: Tensor) -> list[Tensor]:
    leaves = [x.clone().requires_grad_() for x in inputs]
    y = attend(*leaves)
    (y * heed).sum().backward()
    return [y.detach(), *(x.grad for x in leaves if x.grad is not None)]


@given(
    length=LENGTHS,
    batch=st.integers(1, 2),
    kv_heads=st.integers(1, 2),
    groups=st.integers(1, 3),
    wider=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_it_is_torchs_attention_and_so_are_its_gradients(
    length: int, batch: int, kv_heads: int, groups: int, wider: int, seed: int
) -> None:
    random = torch.Generator().manual_seed(seed)

    def drawn(heads: int, width: int) -> Tensor:
        shape = (batch, heads, length, width)
        return torch.randn(shape, generator=random, dtype=torch.float64)

    inputs = [drawn(kv_heads * groups, 4 + wider), drawn(kv_heads, 4 + wider), drawn(kv_heads, 4)]
    heed = drawn(kv_heads * groups, 4)
    for own, other in zip(
        ran(attend_in_blocks, inputs, heed), ran(attention.attend_fused, inputs, heed), strict=True
    ):
        torch.testing.assert_close(own, other)


def test_what_comes_later_does_not_count() -> None:
    q, k, v = (torch.randn(1, 2, 2 * BLOCK, 4) for _ in range(3))
    known = BLOCK + 3
    before = attend_in_blocks(q, k, v)[:, :, :known]
    k[:, :, known:], v[:, :, known:] = 9.0, 1e4
    assert torch.equal(attend_in_blocks(q, k, v)[:, :, :known], before)


def test_bf16_is_as_near_as_its_precision() -> None:
    inputs = [torch.randn(1, heads, BLOCK + 9, 8) for heads in (4, 2, 2)]
    heed = torch.randn(1, 4, BLOCK + 9, 8)
    exact = ran(attention.attend_fused, inputs, heed)
    rough = ran(attend_in_blocks, [x.bfloat16() for x in inputs], heed.bfloat16())
    for own, other in zip(rough, exact, strict=True):
        assert (own.float() - other).norm() < 0.02 * other.norm()


@pytest.mark.parametrize("learning", [True, False])
def test_a_network_that_learns_on_a_cpu_uses_it(
    learning: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []

    def counted(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        used.append(q.shape[2])
        return attend_in_blocks(q, k, v)

    monkeypatch.setattr(attention, "attend_in_blocks", counted)
    q, k, v = (torch.randn(1, 2, 5, 4, requires_grad=learning) for _ in range(3))
    attention.attend(q, k, v, None)
    assert bool(used) == learning
