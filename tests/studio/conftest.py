"""One studio for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from studios import Studio, served


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with served(tmp_path_factory.mktemp("studio")) as made:
        yield made
