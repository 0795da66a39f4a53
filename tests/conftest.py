"""Hypothesis profiles: the same examples every time in CI, new ones elsewhere; no own styles."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(autouse=True, scope="session")
def _no_own_styles(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever runs the tests may have styles of their own: they are not looked at."""
    os.environ["MUSENET_STYLES"] = str(Path(tmp_path_factory.getbasetemp()) / "no-styles")
    os.environ["MUSENET_INDEX"] = str(Path(tmp_path_factory.getbasetemp()) / "no-index")
