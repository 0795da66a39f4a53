"""The benchmark of repeats sets how often they go on beside what a network gives that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from composers import random_composer, random_model
from conftest import Told
from style_toys import scale_split, scale_table

from musenet.condition import Condition
from musenet.training.batches import collate, sample
from musenet.windows import window

pytestmark = pytest.mark.usefixtures("benchmarks")


def test_scales_go_on_and_the_network_is_asked_for_the_chance() -> None:
    import repeats

    table = scale_table(1, rises=True, notes=200)
    batch = collate([sample(window(table, 0, len(table)), Condition(), np.nan)])
    runs, chance, goes = repeats.chances(random_model(1), batch)
    assert len(runs) == len(chance) == len(goes) > 100
    assert goes[runs == runs.max()].mean() > 0.9
    assert (chance > 0.0).all() and (chance < 1.0).all()


def test_what_goes_on_stands_beside_what_the_network_says(tmp_path: Path, told: Told) -> None:
    import repeats

    rows = told(
        repeats, random_composer(), str(scale_split(tmp_path, [150] * 4)), "--styles", "jazz",
        "baroque", "--prompts", "2",
    )["results"]  # fmt: skip
    assert sum(row["events"] for row in rows) > 100
    assert max(row["go on, %"] for row in rows) > 90.0 > rows[-1]["the network says, %"]
