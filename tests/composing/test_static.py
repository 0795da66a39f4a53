from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from musenet.composing.capture import as_it_stands
from musenet.composing.lane import LEAST_SPAN, Lane, spans
from musenet.composing.static import Static
from musenet.events import FIELDS
from musenet.model import Model
from musenet.presets import ModelConfig, base, mini, musenet, small, tiny

CONFIGS = {
    "rotary": tiny(),
    "in the row alone": replace(tiny(), musical_time=False),
    "learned": replace(tiny(), positions="learned", activation="gelu", musical_time=False),
    "values": replace(tiny(), value_embeddings=True),
    "plain": replace(tiny(), qk_norm=False, token_shift=False),
    "mini": mini(),
    "small": small(),
    "base": base(),
    "musenet": replace(musenet(), layers=2),
}


class OneDevice(TorchDispatchMode):
    """Fails where an operation is given a tensor of another device, or asks for a number.

    A GPU would wait for the host there, or could not be captured.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        tensors = [x for x in tree_leaves((args, kwargs, made)) if isinstance(x, torch.Tensor)]
        assert {tensor.device.type for tensor in tensors} <= {"meta"}, func
        assert "_local_scalar_dense" not in str(func)
        return made


@pytest.mark.parametrize("name", CONFIGS)
@torch.inference_mode()
def test_all_work_stays_on_the_device(name: str) -> None:
    config: ModelConfig = CONFIGS[name]
    with torch.device("meta"):
        model = Model(config)
    lane = Lane(model, Static(model, torch.float16), 4, 300, as_it_stands)
    with OneDevice():
        for span in lane.spans:
            lane._advance(span)
        for field in range(len(FIELDS) - 1):
            lane._link(field)


def test_that_would_be_noticed() -> None:
    there = torch.zeros(4, device="meta")
    with OneDevice(), pytest.raises(AssertionError):
        there.index_select(0, torch.tensor([0, 2]))
    with OneDevice(), pytest.raises(AssertionError):
        there.copy_(torch.zeros(4))


@pytest.mark.parametrize("capacity", [128, 256, 384, 2176, 4224])
def test_a_third_of_what_attention_reads_is_in_vain_at_most(capacity: int) -> None:
    lengths = spans(capacity)
    assert lengths[0] == LEAST_SPAN
    assert lengths[-1] == capacity
    assert all(length % 8 == 0 for length in lengths)  # as the kernels want the mask
    for place in range(LEAST_SPAN, capacity):
        assert next(length for length in lengths if length > place) <= 1.5 * (place + 1)
