from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from music import melody

from musenet.midi import load, save
from musenet.openai_encoding import encode, on_grid

if TYPE_CHECKING:
    from conftest import Run


def test_there_and_back(run: Run, tmp_path: Path) -> None:
    score = melody(1)
    save(score, tmp_path / "a.mid")
    printed = run("ids", tmp_path / "a.mid").out
    assert [int(word) for word in printed.split()] == encode(load(tmp_path / "a.mid"))
    (tmp_path / "ids.txt").write_text(printed)
    run("ids", "--decode", tmp_path / "ids.txt", "-o", tmp_path / "b.mid")
    assert len(load(tmp_path / "b.mid").notes) == len(on_grid(score).notes)
    run("ids", tmp_path / "a.mid", "--framed", "-o", tmp_path / "framed.txt")
    framed = (tmp_path / "framed.txt").read_text().split()
    assert framed[0] == str(4098 + 64)
    assert framed[2:-1] == printed.split()


def test_what_cannot_be_decoded(run: Run, tmp_path: Path) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("188 9999")
    run("ids", "--decode", ids).assert_fails("--out")
    run("ids", "--decode", ids, "-o", tmp_path / "a.mid").assert_fails("9999")
    ids.write_bytes(b"\xff\xfe\x00")
    run("ids", "--decode", ids, "-o", tmp_path / "a.mid").assert_fails("no text of ids")
    assert not (tmp_path / "a.mid").exists()
