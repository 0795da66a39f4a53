"""Hypothesis profiles: the same examples every time in CI, new ones elsewhere; no own styles."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings

from musenet.composing.composer import Composer

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(autouse=True, scope="session")
def _no_own_styles(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever runs the tests may have styles of their own: they are not looked at."""
    os.environ["MUSENET_STYLES"] = str(Path(tmp_path_factory.getbasetemp()) / "no-styles")
    os.environ["MUSENET_INDEX"] = str(Path(tmp_path_factory.getbasetemp()) / "no-index")


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Benchmarks can be imported, by the names of their files."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))


Told = Callable[..., dict[str, Any]]


@pytest.fixture
def told(
    benchmarks: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Told:
    """What a benchmark tells, as JSON: of its module, a composer and its arguments."""

    def run(module: ModuleType, composer: Composer, *arguments: str) -> dict[str, Any]:
        monkeypatch.setattr(module, "load", lambda path: composer)
        monkeypatch.setattr(module, "parse", lambda made: made.parse_args())
        monkeypatch.setattr(sys, "argv", [module.__name__, *arguments, "--json"])
        module.main()
        found = json.loads(capsys.readouterr().out)
        assert isinstance(found, dict)
        return found

    return run
