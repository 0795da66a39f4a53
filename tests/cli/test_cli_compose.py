from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from music import melody

from musenet import midi
from musenet.cli import pieces
from musenet.cli.musical import Audio
from musenet.score import crop

if TYPE_CHECKING:
    from conftest import Run

SHORT = ("--minutes", 0.1)


@pytest.fixture
def opening(tmp_path: Path) -> Path:
    path = tmp_path / "opening.mid"
    midi.save(crop(melody(1), 0, 4 * 480), path)
    return path


def test_a_folder_gets_midi_picture_and_audio(run: Run, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    result = run("compose", *SHORT, "--instrument", "violin", "--model", model, "-o", out)
    assert result.code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "piece-1.mid", "piece-1.mp3", "piece-1.png",
    ]  # fmt: skip
    assert (out / "piece-1.png").read_bytes().startswith(b"\x89PNG")
    assert len(midi.load(out / "piece-1.mid").notes) > 0
    for word in ("piece-1.mid", "violin 100%", "0:06", "--seed"):
        assert word in result.out


def test_json_is_one_object(run: Run, model: Path, tmp_path: Path) -> None:
    result = run(
        "compose", *SHORT, "--candidates", 2, "--audio", "none", "--json", "--seed", 5,
        "--style", "bach:0.7", "--style", "jazz:0.3", "--instrument", "piano",
        "--model", model, "-o", tmp_path,
    )  # fmt: skip
    pieces = result.json["pieces"]
    assert sorted(piece["candidate"] for piece in pieces) == [0, 1]
    assert [piece["rank"] for piece in pieces] == [1, 2]
    for piece in pieces:
        assert piece["seed"] == 5
        assert piece["ended_by"] in ("model", "limit")
        assert piece["prompt"]["styles"] == [["bach", 0.7], ["jazz", 0.3]]
        assert set(piece["files"]) == {"midi", "picture"}
        assert len(midi.load(piece["files"]["midi"]).notes) == piece["notes"]
    assert result.json["seconds_taken"] > 0


def test_one_midi_file_alone(run: Run, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "one.mid"
    assert run("compose", *SHORT, "--model", model, "-o", out).code == 0
    assert list(tmp_path.iterdir()) == [out]


def test_a_seed_makes_the_same_piece_and_none_a_new_one(
    run: Run, model: Path, tmp_path: Path
) -> None:
    def bytes_of(name: str, *seed: object) -> bytes:
        run("compose", *SHORT, *seed, "--model", model, "-o", tmp_path / name)
        return (tmp_path / name).read_bytes()

    assert bytes_of("a.mid", "--seed", 3) == bytes_of("b.mid", "--seed", 3)
    assert bytes_of("c.mid") != bytes_of("d.mid")


def test_pieces_of_a_folder_are_numbered_on(run: Run, model: Path, tmp_path: Path) -> None:
    (tmp_path / "piece-7.mid").write_bytes(b"mine")
    (tmp_path / "piece-x.mid").write_bytes(b"mine")
    run("compose", *SHORT, "--audio", "none", "--model", model, "-o", tmp_path)
    assert (tmp_path / "piece-7.mid").read_bytes() == b"mine"
    assert (tmp_path / "piece-8.mid").read_bytes().startswith(b"MThd")


def test_two_commands_at_once_take_no_number_twice(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, numbers = pieces.output_files, iter([1, 1, 2])

    def late(out: Path, candidates: int, audio: object) -> list[dict[str, Path]]:
        """The numbers as they were when the other command took one."""
        place = next(numbers, None)
        files = plain(out, candidates, Audio.NONE)
        return files if place is None else [
            {kind: path.with_stem(f"piece-{place}") for kind, path in files[0].items()}
        ]  # fmt: skip

    (tmp_path / "piece-1.mid").write_bytes(b"the other's")
    monkeypatch.setattr(pieces, "output_files", late)
    result = run("compose", *SHORT, "--audio", "none", "--model", model, "-o", tmp_path)
    assert result.code == 0
    assert (tmp_path / "piece-1.mid").read_bytes() == b"the other's"
    assert (tmp_path / "piece-2.mid").read_bytes().startswith(b"MThd")


def test_what_cannot_be_drawn_or_played_loses_no_piece(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("compose", *SHORT, "--candidates", 2, "--model", model)
    font = tmp_path / "font.sf2"
    font.write_bytes(b"RIFF....sfbk of no use")
    run(*asked, "--soundfont", font, "-o", tmp_path / "out").assert_fails("SoundFont")
    names = {path.name for path in (tmp_path / "out").glob("*.mid")}
    assert names == {"piece-1.mid", "piece-2.mid"}
    font.write_bytes(b"no font")
    run(*asked, "--soundfont", font, "-o", tmp_path / "none").assert_fails("is no SoundFont")
    assert not (tmp_path / "none").exists()


def test_a_piece_is_made_again_with_verdict_and_originality(
    run: Run, model: Path, corpus: Path, tmp_path: Path
) -> None:
    first, again = tmp_path / "a.mid", tmp_path / "b.mid"
    run("compose", *SHORT, "--instrument", "piano", "--model", model, "-o", first)
    asked = ("compose", "--again", first, "--model", model, "--originality", corpus, "-o", again)
    made = run(*asked, "--json").json["pieces"][0]
    assert made["rank"] == 1 and made["reason"] and "copy" in made
    assert again.read_bytes() == first.read_bytes()
    assert run(*asked).code == 0


def test_a_file_is_continued(run: Run, model: Path, opening: Path, tmp_path: Path) -> None:
    out = tmp_path / "on.mid"
    assert run("compose", "--from", opening, *SHORT, "--model", model, "-o", out).code == 0
    given, whole = midi.load(opening), midi.load(out)
    assert len(whole.notes) > len(given.notes)
    assert (whole.notes[: len(given.notes)] == given.notes).all()


def test_a_file_is_continued_from_any_bar(run: Run, model: Path, tmp_path: Path) -> None:
    given, out, again = (tmp_path / name for name in ("given.mid", "on.mid", "again.mid"))
    midi.save(melody(1, 40), given)
    asked = ("--from", given, "--model", model)
    assert run("compose", *asked, "--at", 2, "--minutes", 0.2, "-o", out).code == 0
    before, whole, cut = midi.load(given), midi.load(out), 4 * 480
    kept = before.notes[before.notes["onset"] < cut].tolist()
    assert whole.notes[whole.notes["onset"] < cut].tolist() == kept
    assert len(whole.notes) > len(kept)
    assert run("compose", "--again", out, *asked, "-o", again).code == 0
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--from", "given.mid", "--at", 99], ["no bar 99"]),
     (["--from", "given.mid", "--at", 1], ["before bar 1"]),
     (["--at", 2], ["--at 2", "--from"])],
)  # fmt: skip
def test_bars_that_a_file_cannot_go_on_from(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], words: list[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    midi.save(melody(1, 40), tmp_path / "given.mid")
    run("compose", *arguments, "--model", model, "-o", "out").assert_fails(*words)
    assert not (tmp_path / "out").exists()


def test_notes_are_the_beginning(run: Run, model: Path, tmp_path: Path) -> None:
    out = tmp_path / "tune.mid"
    run("compose", "--notes", "C4 E4 G4:2", *SHORT, "--metre", "3/4", "--tempo", 90,
        "--model", model, "-o", out)  # fmt: skip
    score = midi.load(out)
    assert score.notes["pitch"][:3].tolist() == [60, 64, 67]
    assert score.tempos["bpm"][0] == pytest.approx(90, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--style", "mozrat"], ["mozart"]),
        (["--style", "bach:much"], ["weight"]),
        (["--style", "bach:-1"], ["above 0"]),
        (["--instrument", "violinn"], ["violin"]),
        (["--minutes", "0"], ["--minutes"]),
        (["--minutes", "-3"], ["--minutes"]),
        (["--minutes", "nan"], ["--minutes"]),
        (["--tempo", "9999"], ["--tempo"]),
        (["--metre", "waltz"], ["--metre"]),
        (["--temperature", "0"], ["--temperature"]),
        (["--top-p", "2"], ["--top-p"]),
        (["--guidance", "6"], ["--guidance"]),
        (["--endings", "0"], ["--endings 0"]),
        (["--notes", "H9"], ["H9"]),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for(
    run: Run, model: Path, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    out = tmp_path / "out"
    run("compose", *arguments, "--model", model, "-o", out).assert_fails(*words)
    assert not out.exists()


@pytest.mark.parametrize("content", [b"", b"no music at all", b"MThd\0\0\0\6\0\1\0"])
def test_what_is_no_midi_file(run: Run, model: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "given.mid"
    path.write_bytes(content)
    out = tmp_path / "out"
    run("compose", "--from", path, "--model", model, "-o", out).assert_fails()
    assert not out.exists()


def test_a_truncated_file_is_continued_from_its_sound_part(
    run: Run, model: Path, opening: Path, tmp_path: Path
) -> None:
    opening.write_bytes(opening.read_bytes()[:-20])
    out = tmp_path / "on.mid"
    assert run("compose", "--from", opening, *SHORT, "--model", model, "-o", out).code == 0
    assert len(midi.load(out).notes) > len(midi.load(opening).notes)


def test_a_missing_or_damaged_model(run: Run, model: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(model.read_bytes()[:5000])
    for path in (damaged, tmp_path / "missing.safetensors"):
        run("compose", "--model", path, "-o", tmp_path / "out").assert_fails(path.name)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "one.mid", "--candidates", "2"], ["folder", "2 candidates"]),
        (["-o", "one.mid", "--audio", "wav"], ["folder"]),
        (["-o", "one.mp3"], ["folder"]),
    ],
)
def test_outputs_that_make_no_sense(run: Run, arguments: list[str], words: list[str]) -> None:
    run("compose", *arguments).assert_fails(*words)


def test_a_folder_below_a_file_is_refused_before_the_work(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    run("compose", "-o", tmp_path / "file" / "out").assert_fails("is a file")


def test_a_folder_without_permission_is_refused_before_the_work(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    run("compose", "-o", tmp_path / "out").assert_fails("permission")


def test_a_full_disk_leaves_nothing_half_written(
    run: Run, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    out = tmp_path / "out"
    run("compose", *SHORT, "--model", model, "-o", out).assert_fails("No space left on device")
    assert list(out.iterdir()) == []


def test_sections_chords_and_a_plan(run: Run, model: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('[{"at": "0:05", "instrument": ["flute"], "dynamics": "f"}]')
    result = run(
        "compose", "--minutes", 0.2, "--instrument", "piano", "--chords", "C | G7", "--key", "C",
        "--density", "light", "--plan", plan, "--section", "8 instrument=cello tempo=90",
        "--seed", 1, "--model", model, "--json", "-o", tmp_path / "a.mid",
    )  # fmt: skip
    piece = result.json["pieces"][0]
    assert [section["at"] for section in piece["prompt"]["sections"]] == [5.0, 8.0]
    assert piece["prompt"]["chords"] == "C | G7" and piece["prompt"]["density"] == 1.5


@pytest.mark.parametrize(
    ("plan", "says"), [("{", "the plan is no JSON"), ("[3]", "a plan is a list of sections")]
)
def test_a_plan_that_is_none(run: Run, model: Path, tmp_path: Path, plan: str, says: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(plan)
    out = tmp_path / "out"
    run("compose", *SHORT, "--plan", path, "--model", model, "-o", out).assert_fails(says)
    assert not out.exists()
