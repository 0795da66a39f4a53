"""What benchmarks/corpus.py prints."""

import json
import subprocess
import sys
from pathlib import Path

from music import melody

from musenet.midi import save

PROGRAM = Path(__file__).parents[1] / "benchmarks" / "corpus.py"


def test_a_build_is_measured(tmp_path: Path) -> None:
    for seed in range(4):
        save(melody(seed), tmp_path / f"{seed}.mid")
    done = subprocess.run(
        [sys.executable, PROGRAM, tmp_path, "--workers", "1", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["report"]["files"] == 4
    assert 0 < told["largest_work_share_of_the_notes"] <= 1
    assert told["MiB_of_the_shards"] >= 0
