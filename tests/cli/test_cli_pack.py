from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from composers import random_model, tiny

from musenet.checkpoint import load_model, save_model
from musenet.model import parameters

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


def test_several_are_packed_as_their_mean(run: Run, model: Path, tmp_path: Path) -> None:
    first, other, out = (tmp_path / f"{name}.safetensors" for name in ("a", "b", "mean"))
    run("pack", model, "-o", first)
    network, facts = load_model(first)
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(4.0)
    save_model(other, network, facts=facts)
    run("pack", first, other, first, "-o", out)
    mean, told = load_model(out)
    assert told["mean_of"] == ["a.safetensors", "b.safetensors", "a.safetensors"]
    for one, own in zip(mean.parameters(), load_model(first)[0].parameters(), strict=True):
        assert torch.allclose(one, 2.0 * own, atol=float(own.detach().abs().max()) / 50)
    save_model(other, random_model(1, config=replace(tiny(), width=32)), facts=facts)
    run("pack", first, other, "-o", tmp_path / "c.safetensors").assert_fails("differ in size")


def test_the_mean_where_the_network_grew(run: Run, tmp_path: Path) -> None:
    before, after, out = (tmp_path / f"{name}.safetensors" for name in "abc")
    save_model(before, random_model(0))
    save_model(after, random_model(1, config=replace(tiny(), layers=3)))
    assert run("pack", after, before, "-o", out).code == 0
    deep, shallow, mean = (load_model(path)[0] for path in (after, before, out))
    assert mean.config == deep.config
    ups = [[block.feed_forward.up.weight for block in model.blocks] for model in (shallow, deep)]
    for place, (source, block) in enumerate(zip((0, 1, 1), mean.blocks, strict=True)):
        expected = (ups[0][source] + ups[1][place]) / 2
        assert torch.allclose(block.feed_forward.up.weight, expected, atol=0.02)
    run("pack", before, after, "-o", out)
    assert load_model(out)[0].config == deep.config


def test_the_facts_of_a_mean_are_those_of_the_deepest(run: Run, tmp_path: Path) -> None:
    before, after, out = (tmp_path / f"{name}.safetensors" for name in "abc")
    for path, layers in ((before, 2), (after, 3)):
        network = random_model(0, config=replace(tiny(), layers=layers))
        facts = {"parameters": parameters(network), "config": {"model": {"layers": layers}}}
        save_model(path, network, facts=facts)
    for order in ((before, after), (after, before)):
        run("pack", *order, "-o", out)
        network, told = load_model(out)
        assert told["parameters"] == parameters(network)
        assert told["config"]["model"]["layers"] == network.config.layers == 3
        assert told["mean_of"] == [path.name for path in order]


def test_what_cannot_be_packed(run: Run, model: Path, tmp_path: Path) -> None:
    run("pack", model, "-o", tmp_path / "model.bin").assert_fails(".safetensors")
    run("pack", tmp_path, "-o", tmp_path / "a.safetensors").assert_fails("no model")
    assert list(tmp_path.iterdir()) == []
