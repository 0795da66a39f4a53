from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from musenet.midi import save
from musenet.score import NOTE, Score, records

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


def test_a_score_for_notation_programs(run: Run, tunes: Path, tmp_path: Path) -> None:
    out = tmp_path / "tune.musicxml"
    result = run("render", tunes / "tune-0.mid", "-o", out)
    assert (result.code, result.err) == (0, "")
    assert b"score-partwise" in out.read_bytes()
    packed = tmp_path / "tune.mxl"
    assert run("render", tunes / "tune-0.mid", "--score", "-o", packed).code == 0
    assert packed.read_bytes().startswith(b"PK")


def test_what_the_score_rounds_is_told(run: Run, tmp_path: Path) -> None:
    rows = [(37 * i + i * i % 11, 30, 60 + i % 12, 80, 0) for i in range(60)]
    save(Score(records(NOTE, rows), ticks_per_beat=96), tmp_path / "free.mid")
    result = run("render", tmp_path / "free.mid", "-o", tmp_path / "free.musicxml")
    assert result.code == 0
    assert "warning: the notes follow no beat" in result.err
    assert "onsets rounded" in result.err


def test_a_printed_score(run: Run, tunes: Path, tmp_path: Path) -> None:
    out = tmp_path / "tune.pdf"
    assert run("render", tunes / "tune-0.mid", "--score", "-o", out).code == 0
    assert out.read_bytes().startswith(b"%PDF")
    run("render", tunes / "tune-0.mid", "--score", "-o", tmp_path / "a.png").assert_fails(".pdf")
