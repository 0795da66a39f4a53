"""A command line to call, and small things to call it on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from music import melody
from toys import toy_corpus, toy_split, toy_tables

from musenet.checkpoint import save_model
from musenet.cli import main
from musenet.midi import save
from musenet.model import Model
from musenet.presets import tiny


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        data = json.loads(self.out)
        assert isinstance(data, dict)
        return data

    def assert_fails(self, *words: str, code: int = 2) -> None:
        """It says in one line on stderr what is wrong, and nothing else."""
        assert self.code == code
        assert self.out == ""
        assert self.err.startswith("musenet: ")
        assert self.err.count("\n") == 1
        for word in words:
            assert word in self.err


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of an untrained tiny network."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    facts = {"config": {"context": 256, "data": "/home/someone/music/corpus"}, "step": 3}
    save_model(path, Model(tiny()), facts=facts)
    return path


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = toy_corpus(tmp_path_factory.mktemp("corpus"))
    toy_split(folder, "test", toy_tables(3, seed=200))
    return folder


@pytest.fixture(scope="session")
def tunes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of MIDI files."""
    folder = tmp_path_factory.mktemp("tunes")
    for seed in range(8):
        save(melody(seed), folder / f"tune-{seed}.mid", title=f"Tune {seed}")
    return folder
