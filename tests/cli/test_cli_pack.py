from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from musenet.checkpoint import load_model

if TYPE_CHECKING:
    from conftest import Run


def test_pack_makes_a_small_copy(run: Run, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "small.safetensors"
    assert run("pack", model, "-o", out, "--json").json["bytes"] == out.stat().st_size
    assert out.stat().st_size < model.stat().st_size / 3
    whole, facts = load_model(model)
    copy, copied = load_model(out)
    for one, other in zip(whole.parameters(), copy.parameters(), strict=True):
        assert torch.allclose(one, other, atol=float(one.detach().abs().max()) / 127)
    assert copied["step"] == facts["step"]
    assert copied["config"] == {**facts["config"], "data": "corpus"}


def test_what_cannot_be_packed(run: Run, model: Path, tmp_path: Path) -> None:
    run("pack", model, "-o", tmp_path / "model.bin").assert_fails(".safetensors")
    run("pack", tmp_path, "-o", tmp_path / "a.safetensors").assert_fails("no model")
    assert list(tmp_path.iterdir()) == []
