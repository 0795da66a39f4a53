from __future__ import annotations

import errno
import inspect
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import torch
from typer.core import TyperGroup
from typer.main import get_command

from musenet.checkpoint import load_model
from musenet.cli import app
from musenet.cli.monitor import Monitor
from musenet.cli.train import read_config
from musenet.presets import PRESETS
from musenet.training.settings import TrainingConfig

if TYPE_CHECKING:
    from conftest import Result, Run

BLOCKED = (
    "symusic",
    "mido",
    "matplotlib",
    "soundfile",
    "midirenderer",
    "pretty_midi",
    "tensorboard",
)
TINY = ("--preset", "tiny", "--batch-events", 256, "--context", 64, "--device", "cpu")


@pytest.fixture
def begin(run: Run, corpus: Path, tmp_path: Path) -> Run:
    def call(*arguments: object) -> Result:
        return run("train", *TINY, "--data", corpus, "--out", tmp_path / "run", *arguments)

    return call


def interrupt_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a step of the training is being reported."""
    plain = Monitor.__call__

    def call(self: Monitor, facts: dict[str, Any]) -> None:
        plain(self, facts)
        if facts["step"] == step and "valid" not in facts:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Monitor, "__call__", call)


def log_of(run: Path) -> list[dict[str, Any]]:
    lines = (run / "log.jsonl").read_text().splitlines()
    steps = [json.loads(line) for line in lines if "valid" not in json.loads(line)]
    timed = ("events_per_second", "tflops")
    return [{key: value for key, value in step.items() if key not in timed} for step in steps]


def test_train_makes_a_model(begin: Run, run: Run, tmp_path: Path) -> None:
    result = begin("--steps", 3)
    assert result.code == 0
    assert "3 steps" in result.out
    assert "musenet compose --model" in result.out
    assert "bits a note on the validation pieces" in result.err
    model, facts = load_model(tmp_path / "run")
    assert model.config == PRESETS["tiny"]()
    assert facts["step"] == 3
    told = run("info", tmp_path / "run", "--json").json
    assert (told["kind"], told["model"]["facts"]["step"]) == ("run", 3)


def test_json_is_one_object(begin: Run) -> None:
    facts = begin("--steps", 1, "--json").json
    assert facts["finished"] is True
    assert math.isfinite(facts["valid_bits_per_note"])


def test_interrupted_and_resumed_is_as_if_it_had_not_been(
    begin: Run, run: Run, corpus: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        interrupt_at(2, patch)
        stopped = begin("--steps", 4)
    assert stopped.code == 130
    folder = tmp_path / "run"
    assert stopped.err.endswith(f"go on with: musenet train --resume --out {folder}\n")
    assert signal.getsignal(signal.SIGINT) is before
    resumed = run("train", "--resume", "--out", folder)
    assert (resumed.code, "4 steps" in resumed.out) == (0, True)
    whole = run("train", *TINY, "--data", corpus, "--out", tmp_path / "whole", "--steps", 4)
    assert whole.code == 0
    assert log_of(folder) == log_of(tmp_path / "whole")
    one, other = (load_model(tmp_path / name)[0].state_dict() for name in ("run", "whole"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_interrupted_twice_stops_at_once(begin: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        interrupt_at(1, monkeypatch)
    result = begin("--steps", 3)
    assert (result.code, result.out) == (130, "")


def test_a_run_that_was_never_saved_is_begun_again(
    begin: Run, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for _ in range(2):
            interrupt_at(2, patch)
        assert begin("--steps", 3).code == 130
    folder = tmp_path / "run"
    assert {"config.json", "log.jsonl"} <= {path.name for path in folder.iterdir()}
    run("train", "--resume", "--out", folder).assert_fails("begin one without --resume")
    assert begin("--steps", 2).code == 0
    assert [step["step"] for step in log_of(folder)] == [1, 2]
    (folder / "state.safetensors").unlink()
    begin("--steps", 1).assert_fails("no run to resume", "another folder")
    assert load_model(folder)[1]["step"] == 2


def started_by_torchrun(out: Path, *arguments: object) -> subprocess.Popen[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", 2,
        "--master-addr", "127.0.0.1", "--master-port", port,
        "-m", "musenet", "train", *TINY, "--out", out, "--threads", 1, *arguments,
    ]  # fmt: skip
    return subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)


def test_what_stops_torchrun_ends_the_training_in_order(
    run: Run, corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    budget = ("--minutes", 20, "--loaders", 1)
    with started_by_torchrun(out, "--data", corpus, *budget) as started:
        while started.poll() is None and not (out / "log.jsonl").exists():
            time.sleep(0.1)
        started.send_signal(signal.SIGTERM)
        told = started.communicate(timeout=120)[1]
    assert f"stopped; go on with: musenet train --resume --out {out}\n" in told
    assert "KeyboardInterrupt" not in told and "Connection closed" not in told
    step = log_of(out)[-1]["step"]
    assert load_model(out)[1]["step"] == step
    assert run("train", "--resume", "--out", out, "--steps", step + 1, "--loaders", 0).code == 0


def test_a_run_is_not_overwritten(begin: Run, run: Run, tmp_path: Path) -> None:
    begin("--steps", 1)
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    begin("--steps", 1).assert_fails("--resume")
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before
    begin("--steps", 2, "--resume", "--learning-rate", 0.5).assert_fails("learning_rate")
    assert begin("--steps", 2, "--resume").code == 0
    assert load_model(tmp_path / "run")[1]["step"] == 2


def test_what_cannot_be_trained(run: Run, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    data = ("--data", corpus, "--out", out)
    run("train", *data).assert_fails("--steps or --minutes")
    run("train", *data, "--steps", 1, "--minutes", 1).assert_fails("--steps or --minutes")
    run("train", *data, "--steps", 1, "--preset", "huge").assert_fails("tiny", "musenet")
    run("train", *data, "--steps", 1, "--preset", "tiny", "--context", 600).assert_fails("448")
    run("train", "--out", out, "--steps", 1).assert_fails("--data")
    run("train", "--data", tmp_path, "--out", out, "--steps", 1).assert_fails("no corpus")
    run("train", *data, "--resume").assert_fails("no run to resume")
    assert not out.exists()


def test_a_seed_that_is_too_large(run: Run, corpus: Path, tunes: Path, tmp_path: Path) -> None:
    data, file = ("--data", corpus), tmp_path / "a.safetensors"
    for command in (
        ("train", *TINY, *data, "--steps", 1, "--out", tmp_path / "run"),
        ("finetune", tunes, "--out", file, "--steps", 1),
        ("judge", "train", *data, "--out", file),
    ):
        run(*command, "--seed", 99999999999999999999).assert_fails("--seed")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_run_is_not_resumed(begin: Run, run: Run, tmp_path: Path) -> None:
    begin("--steps", 1)
    for name in ("state.safetensors", "config.json"):
        path = tmp_path / "run" / name
        path.write_bytes(path.read_bytes()[:100])
        run("train", "--resume", "--out", tmp_path / "run").assert_fails(name)


def test_a_full_disk_leaves_nothing_half_written(
    begin: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = begin("--steps", 1)
    assert result.code == 2
    assert "No space left on device" in result.err.splitlines()[-1]
    written = {path.name for path in (tmp_path / "run").iterdir()} - {"tensorboard"}
    assert written <= {"config.json", "log.jsonl"}


def test_without_augmentation(begin: Run, tmp_path: Path) -> None:
    begin("--steps", 1, "--no-augmentation")
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["augmentation"]["transpose"], config["augmentation"]["tempo"]) == (0, 0)
    assert config["augmentation"]["drop_styles"] > 0


def test_training_starts_from_the_weights_of_a_model(
    begin: Run, run: Run, corpus: Path, tmp_path: Path
) -> None:
    assert begin("--steps", 2).code == 0
    first, _ = load_model(tmp_path / "run")
    more = ("--batch-events", 256, "--context", 64, "--device", "cpu", "--data", corpus)
    after = ("--weights", tmp_path / "run", "--steps", 1, "--learning-rate", 1e-9)
    assert run("train", *more, *after, "--out", tmp_path / "more").code == 0
    second, facts = load_model(tmp_path / "more")
    assert second.config == first.config and facts["config"]["weights"] == str(tmp_path / "run")
    for old, new in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.allclose(old, new, atol=1e-6)
    other = run("train", *more, *after, "--preset", "mini", "--out", tmp_path / "other")
    assert other.code == 2 and "other dimensions" in other.err


def test_a_resumed_run_keeps_its_threads(
    begin: Run, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)
    assert begin("--steps", 1, "--threads", 3).code == 0
    resumed = ("train", "--resume", "--device", "cpu", "--out", tmp_path / "run")
    for given, threads in ((("--steps", 2), 3), (("--steps", 3, "--threads", 5), 5)):
        assert run(*resumed, *given).code == 0
        assert read_config(tmp_path / "run").threads == threads


def test_a_network_grows(begin: Run, run: Run, tmp_path: Path) -> None:
    assert begin("--steps", 1).code == 0
    grown = ("--weights", tmp_path / "run", "--layers", 3, "--out", tmp_path / "more")
    assert begin("--steps", 1, *grown).code == 0
    model, _ = load_model(tmp_path / "more")
    assert model.config == replace(PRESETS["tiny"](), layers=3)
    resumed = ("train", "--resume", "--steps", 2, "--device", "cpu", "--out", tmp_path / "more")
    assert run(*resumed, "--layers", 3).code == 0
    other = run(*resumed, "--layers", 2)
    assert other.code == 2 and "another model" in other.err


def test_tensorboard_where_it_is_installed(
    begin: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, float, int]] = []

    class SummaryWriter:
        def __init__(self, folder: str) -> None:
            assert folder == str(tmp_path / "run" / "tensorboard")

        def add_scalar(self, tag: str, value: float, step: int) -> None:
            written.append((tag, value, step))

        def close(self) -> None:
            written.append(("closed", 0.0, 0))

    module = ModuleType("torch.utils.tensorboard")
    monkeypatch.setattr(module, "SummaryWriter", SummaryWriter, raising=False)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    begin("--steps", 2)
    steps = [step for tag, _, step in written if tag == "bits_per_note"]
    assert steps == [1, 2]
    assert "valid/pitch" in {tag for tag, _, _ in written}
    assert written[-1][0] == "closed"


def test_train_needs_few_packages(corpus: Path, tmp_path: Path) -> None:
    arguments = ["train", *TINY, "--data", corpus, "--out", tmp_path / "run", "--steps", 1]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({BLOCKED})); "
        f"from musenet.cli import main; sys.exit(main({[str(part) for part in arguments]}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, "1 steps" in done.stdout) == (0, True), done.stderr


def test_help_shows_the_defaults_of_the_training() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    shown = {option.name: option.show_default for option in group.commands["train"].params}  # type: ignore[attr-defined]
    own = inspect.signature(TrainingConfig).parameters
    for name in ("cool_down", "average", "learning_rate", "mixup", "seed", "save_minutes"):
        assert shown[name] == str(own[name].default)
    for name in ("context", "batch_events", "loaders"):
        assert shown[name].startswith(str(own[name].default))
    presets = next(o for o in group.commands["train"].params if o.name == "preset").metavar
    assert presets == "|".join(PRESETS)
