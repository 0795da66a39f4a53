"""The table of large batches that benchmarks/composing.py prints with --device."""

import json
import subprocess
import sys
from pathlib import Path

from composers import random_model

from musenet.checkpoint import save_model

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def test_batches_are_measured_and_their_time_is_told_apart(tmp_path: Path) -> None:
    save_model(tmp_path / "tiny.safetensors", random_model(), facts={"config": {"context": 64}})
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "composing.py"), "--device", "cpu", "--model",
         str(tmp_path / "tiny.safetensors"), "--candidates", "1", "50", "--steps", "40",
         "--events", "80", "--repeats", "1", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["network"] == "Packed"
    results = told["results"]
    assert [(row["events before"], row["candidates"]) for row in results] == [
        (0, 1), (0, 50), (80, 1), (80, 50)
    ]  # fmt: skip
    for row in results:
        shares = [row["rules and sampling"], row["starting the network"], row["waiting for it"],
                  row["reading windows"]]  # fmt: skip
        assert all(0.0 <= share <= 1.0 for share in shares)
        assert abs(sum(shares) - 1.0) < 1e-9
        assert row["notes a second"] > 0
    assert results[2]["reading windows"] > 0 == results[0]["reading windows"]
