from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from musenet.cli.output import steps
from musenet.corpus.shards import SPLITS, open_split

if TYPE_CHECKING:
    from conftest import Run


def test_build_makes_a_corpus(run: Run, tunes: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    command = ("corpus", "build", tunes, "-o", out, "--workers", 1, "--exclude", "*/tune-3.mid")
    result = run(*command)
    assert result.code == 0
    assert "7 MIDI files" in result.out
    assert sum(len(open_split(out, split)) for split in SPLITS) == 7
    again = run(*command, "--json").json
    assert again["files"] == 7
    assert sum(split["notes"] for split in again["splits"].values()) == 7 * 64


def test_steps_are_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    with steps() as tell:
        tell("reading music", 0, 4)
        tell("reading music", 4, 4)
        tell("writing shards", 1, 3)
    text = capsys.readouterr().err
    for shown in ("reading music", "0/4", "4/4", "writing shards", "1/3"):
        assert shown in text


def test_what_cannot_be_built(run: Run, tmp_path: Path) -> None:
    run("corpus", "build", tmp_path / "none", "-o", tmp_path / "out").assert_fails("none")
    (tmp_path / "file").write_bytes(b"")
    run("corpus", "build", tmp_path, "-o", tmp_path / "file").assert_fails("is a file")
