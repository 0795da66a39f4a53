import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save

from musenet.checkpoint import (
    FORMAT,
    fingerprint,
    from_int8,
    load_model,
    read_tensors,
    save_model,
    to_int8,
    write_atomically,
    write_tensors,
)
from musenet.errors import UserError
from musenet.instruments import INSTRUMENTS
from musenet.model import Model
from musenet.presets import ModelConfig
from musenet.styles import STYLES

SMALLEST = ModelConfig(layers=1, width=16, heads=2, kv_heads=1, head_width=8, context=64)


def random_model(config: ModelConfig = SMALLEST) -> Model:
    torch.manual_seed(1)
    model = Model(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))
    return model


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bytes]:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    save_model(path, random_model(), facts={"step": 7})
    yield path.read_bytes()


def meta(**changes: object) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": asdict(SMALLEST),
        "instruments": [instrument.name for instrument in INSTRUMENTS],
        "styles": [style.name for style in STYLES],
        "facts": {},
    } | changes


# There and back


@pytest.mark.parametrize("config", [SMALLEST, replace(SMALLEST, positions="learned")])
def test_a_model_comes_back_exactly(tmp_path: Path, config: ModelConfig) -> None:
    model = random_model(config)
    save_model(tmp_path / "a.safetensors", model, facts={"step": 7, "name": "Fur Elise"})
    loaded, facts = load_model(tmp_path / "a.safetensors")
    assert facts == {"step": 7, "name": "Fur Elise"}
    assert loaded.config == config
    assert not loaded.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_int8_is_near_and_small(tmp_path: Path) -> None:
    model = random_model()
    save_model(tmp_path / "exact.safetensors", model)
    save_model(tmp_path / "small.safetensors", model, int8=True)
    loaded, _ = load_model(tmp_path / "small.safetensors")
    for name, tensor in model.state_dict().items():
        half_step = tensor.abs().amax(dim=-1, keepdim=True) / 127 / 2
        assert ((loaded.state_dict()[name] - tensor).abs() <= half_step * 1.001).all(), name
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("exact", "small")]
    assert sizes[1] < 0.45 * sizes[0]


def test_packing_keeps_vectors_and_rows_of_zeros() -> None:
    tensors = {"rows": torch.zeros(2, 3), "vector": torch.randn(5), "cube": torch.randn(2, 2, 2)}
    back = from_int8(to_int8(tensors))
    assert list(back) == list(tensors)
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)


def test_a_folder_stands_for_the_model_in_it(tmp_path: Path) -> None:
    save_model(tmp_path / "model.safetensors", random_model())
    assert load_model(tmp_path)[0].config == SMALLEST
    assert fingerprint(tmp_path) == fingerprint(tmp_path / "model.safetensors")
    assert len(fingerprint(tmp_path)) == 16


def test_the_precision_of_activations_is_chosen_when_loading(tmp_path: Path) -> None:
    save_model(tmp_path / "model.safetensors", random_model())
    model, _ = load_model(tmp_path, dtype=torch.bfloat16)
    assert model.dtype is torch.bfloat16
    assert model.start.weight.dtype is torch.float32


def test_the_same_model_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_model(tmp_path / f"{name}.safetensors", random_model(), facts={"b": 1, "a": 2})
    assert fingerprint(tmp_path / "a.safetensors") == fingerprint(tmp_path / "b.safetensors")


def test_names_added_since_do_no_harm(tmp_path: Path) -> None:
    names = [style.name for style in STYLES][:-1]
    write_tensors(tmp_path / "m", random_model().state_dict(), meta(styles=names))
    load_model(tmp_path / "m")


# What is not a model


def refused(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_model(path)
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


def test_a_missing_model(tmp_path: Path) -> None:
    assert "no model at" in refused(tmp_path / "none.safetensors")
    assert "no model at" in refused(tmp_path)


def test_a_file_cut_short_anywhere(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "cut.safetensors"
    ends = {0, 1, 7, 8, 9, 100, len(written) - 1, *range(0, len(written), len(written) // 40)}
    for end in sorted(ends - {len(written)}):
        path.write_bytes(written[:end])
        assert "damaged" in refused(path)


def test_garbage(tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "garbage.safetensors"
    rng = np.random.default_rng(0)
    for size in (1, 8, 100, 10_000):
        path.write_bytes(rng.bytes(size))
        assert "damaged" in refused(path)
    header = 8 + int.from_bytes(written[:8], "little")
    for place in rng.integers(0, header, 100):
        damaged = bytearray(written)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            load_model(path)
        except UserError as error:
            assert "\n" not in str(error)


def test_a_file_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(save({"weight": torch.zeros(3)}))
    assert "damaged or no musenet model" in refused(path)
    path.write_bytes(save({"weight": torch.zeros(3)}, {"musenet": "[" * 10}))
    assert "damaged or no musenet model" in refused(path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 99}, "another version"),
        ({"instruments": ["kazoo"]}, "other instruments"),
        ({"instruments": None}, "other instruments"),
        ({"styles": 3}, "other styles"),
        ({"styles": [style.name for style in STYLES] + ["noise"]}, "other styles"),
        ({"model": {"layers": 1}}, "does not fit"),
        ({"model": None}, "does not fit"),
        ({"model": {**meta()["model"], "width": 32}}, "does not fit"),
        ({"model": {**meta()["model"], "layers": 2}}, "does not fit"),
        ({"model": {**meta()["model"], "flavour": 2}}, "does not fit"),
        ({"facts": 5}, "does not fit"),
    ],
)
def test_a_model_that_does_not_fit(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    write_tensors(tmp_path / "m", random_model().state_dict(), meta(**changes))
    assert reason in refused(tmp_path / "m")


def test_a_header_that_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(save(random_model().state_dict(), {"musenet": json.dumps([1])}))
    assert "another version" in refused(path)


# Writing


def test_tensors_that_are_not_contiguous(tmp_path: Path) -> None:
    tensor = torch.arange(6.0).view(2, 3).T
    write_tensors(tmp_path / "m", {"t": tensor}, {"format": FORMAT})
    assert torch.equal(read_tensors(tmp_path / "m")[0]["t"], tensor)


def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bytes
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(written)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"cannot write .*model\.safetensors: No space left"):
        save_model(path, random_model())
    assert path.read_bytes() == written
    assert [file.name for file in tmp_path.iterdir()] == ["model.safetensors"]


def test_an_interruption_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", b"data")
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made_and_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    write_atomically(tmp_path / "runs" / "one" / "a", b"data")
    assert (tmp_path / "runs" / "one" / "a").read_bytes() == b"data"
    with pytest.raises(UserError, match="choose another place"):
        write_atomically(tmp_path / "runs" / "one" / "a" / "b", b"data")


def test_features_that_a_model_was_trained_without_mean_nothing_to_it(tmp_path: Path) -> None:
    model = random_model()
    tensors = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if not name.endswith("moment.tables.8.weight")
    }
    path = tmp_path / "old.safetensors"
    write_tensors(path, tensors, meta())
    old, _ = load_model(path)
    weights = old.state_dict()
    for name, tensor in model.state_dict().items():
        expected = tensor if name in tensors else torch.zeros_like(tensor)
        assert torch.equal(weights[name], expected)
