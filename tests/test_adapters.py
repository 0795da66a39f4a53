from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from composers import random_model

from musenet.adapters import Adapter, adapted, load_adapter, save_adapter
from musenet.checkpoint import save_model, write_tensors
from musenet.errors import UserError

SLOT = 200
NAME = "blocks.0.attention.query.weight"


def adapter(seed: int = 0, **changes: object) -> Adapter:
    torch.manual_seed(seed)
    weight = random_model().state_dict()[NAME]
    up, down = torch.randn(weight.shape[0], 2), torch.randn(2, weight.shape[1])
    made = {
        "name": "mine", "base": "abc", "embedding": torch.randn(weight.shape[1]),
        "factors": {NAME: (up, down)}, "facts": {"kind": 1, "ensembles": []},
    }  # fmt: skip
    return Adapter(**{**made, **changes})  # type: ignore[arg-type]


def test_a_file_holds_all_of_a_style_in_half_precision(tmp_path: Path) -> None:
    own = adapter()
    save_adapter(tmp_path / "mine.safetensors", own)
    read = load_adapter(tmp_path / "mine.safetensors")
    assert (read.name, read.base, read.facts) == (own.name, own.base, own.facts)
    for one, other in zip(read.factors[NAME], own.halved().factors[NAME], strict=True):
        assert torch.equal(one, other)
    assert read.embedding.dtype == torch.float16
    save_adapter(tmp_path / "again.safetensors", read)
    files = [tmp_path / name for name in ("mine.safetensors", "again.safetensors")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("share", [1.0, 0.25])
def test_a_change_is_merged_by_its_share_into_a_copy(share: float) -> None:
    model, own = random_model(), adapter()
    before = deepcopy(model.state_dict())
    after = adapted(model, [(own, SLOT, share)]).state_dict()
    up, down = own.factors[NAME]
    assert torch.allclose(after[NAME], before[NAME] + share * up @ down, atol=1e-5)
    assert torch.equal(after["style.weight"][SLOT], own.embedding)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name])
        if name not in (NAME, "style.weight"):
            assert torch.equal(after[name], tensor)


def test_changes_add_up() -> None:
    model, one, other = random_model(), adapter(1), adapter(2)
    both = adapted(model, [(one, SLOT, 0.5), (other, SLOT + 1, 0.5)])
    after_one = adapted(model, [(one, SLOT, 0.5)])
    assert torch.allclose(
        both.state_dict()[NAME],
        adapted(after_one, [(other, SLOT + 1, 0.5)]).state_dict()[NAME],
    )


def test_what_does_not_fit_the_model() -> None:
    narrow = adapter(embedding=torch.zeros(3))
    strange = adapter(factors={"blocks.99.weight": (torch.zeros(1, 1), torch.zeros(1, 1))})
    for wrong in (narrow, strange):
        with pytest.raises(UserError, match="'mine' is damaged"):
            adapted(random_model(), [(wrong, SLOT, 1.0)])


def test_what_is_no_style(tmp_path: Path) -> None:
    model, half = tmp_path / "model.safetensors", tmp_path / "half.safetensors"
    save_model(model, random_model())
    meta = {"format": 1, "style": "x", "base": "y", "facts": {}}
    write_tensors(half, {"embedding": torch.zeros(2), "a.up": torch.zeros(2, 1)}, meta)
    for path in (model, half):
        with pytest.raises(UserError, match="no style of your own"):
            load_adapter(path)
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(UserError, match="damaged"):
        load_adapter(tmp_path / "text.safetensors")
