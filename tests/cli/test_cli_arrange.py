from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from music import melody

from musenet import midi

if TYPE_CHECKING:
    from conftest import Run


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    path = tmp_path / "tune.mid"
    midi.save(melody(1), path)
    return path


def test_a_part_is_added(run: Run, model: Path, tune: Path, tmp_path: Path) -> None:
    out = tmp_path / "more.mid"
    result = run("arrange", tune, "--instrument", "cello", "--seed", 3, "--model", model, "-o", out)
    assert result.code == 0 and "new notes" in result.out
    before, after = midi.load(tune), midi.load(out)
    assert set(before.notes.tolist()) <= set(after.notes.tolist())


def test_bars_are_filled_in_as_json(run: Run, model: Path, tune: Path, tmp_path: Path) -> None:
    result = run(
        "arrange", tune, "--bars", "1-2", "--candidates", 2, "--audio", "none", "--seed", 1,
        "--style", "folk", "--dynamics", "p", "--json", "--model", model, "-o", tmp_path / "a",
    )  # fmt: skip
    pieces = result.json["pieces"]
    assert sorted(piece["candidate"] for piece in pieces) == [0, 1]
    assert [piece["rank"] for piece in pieces] == [1, 2]
    for piece in pieces:
        assert piece["prompt"]["bars"] == [1, 2] and piece["prompt"]["dynamics"] == "p"
        assert len(midi.load(piece["files"]["midi"]).notes) == piece["notes"]


def test_the_same_seed_gives_the_same_bytes(
    run: Run, model: Path, tune: Path, tmp_path: Path
) -> None:
    for name in ("a.mid", "b.mid"):
        asked = ("--instrument", "flute", "--seed", 5, "--model", model, "-o", tmp_path / name)
        assert run("arrange", tune, *asked).code == 0
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ((), "nothing given would be left"),
        (("--bars", "x"), "--bars x: give the first and the last bar"),
        (("--bars", "900"), "the piece has bars 1 to"),
        (("--instrument", "pianno"), "unknown instrument 'pianno'"),
        (("--bars", "1", "--density", "thick"), "--density thick"),
    ],
)
def test_mistakes(
    run: Run, model: Path, tune: Path, tmp_path: Path, asked: tuple[str, ...], says: str
) -> None:
    out = tmp_path / "out"
    run("arrange", tune, *asked, "--model", model, "-o", out).assert_fails(says)
    assert not out.exists()
