from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run

BEGINNINGS = {"png": b"\x89PNG", "svg": b"<?xml", "wav": b"RIFF", "flac": b"fLaC", "ogg": b"OggS"}


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_the_suffix_says_what_is_made(run: Run, tunes: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / f"tune.{kind}"
    assert run("render", tunes / "tune-0.mid", "-o", out).code == 0
    assert out.read_bytes().startswith(BEGINNINGS[kind])


def test_what_cannot_be_rendered(run: Run, tunes: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mid"
    bad.write_bytes(b"no music")
    run("render", bad, "-o", tmp_path / "bad.png").assert_fails("bad.mid")
    run("render", tunes / "tune-0.mid", "-o", tmp_path / "tune.doc").assert_fails(".wav")
    run("render", tunes / "tune-0.mid", "-o", bad / "tune.png").assert_fails("is a file")
    assert list(tmp_path.iterdir()) == [bad]
