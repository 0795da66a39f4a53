from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from composers import random_model
from music import melody

from musenet.checkpoint import fingerprint, save_model
from musenet.midi import save

if TYPE_CHECKING:
    from conftest import Run

SHORT = ("--steps", 4)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose output matrices are not zero, so that what lies before them can learn."""
    path = tmp_path_factory.mktemp("model") / "random.safetensors"
    save_model(path, random_model(), facts={"config": {"context": 128}})
    return path


@pytest.fixture
def styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of styles."""
    monkeypatch.setenv("MUSENET_STYLES", str(tmp_path / "styles"))
    return tmp_path / "styles"


def test_a_style_is_learnt_listed_composed_in_and_made_again(
    run: Run, model: Path, tunes: Path, styles: Path, tmp_path: Path
) -> None:
    told = run("finetune", tunes, "-o", "my-style", "--model", model, *SHORT, "--json").json
    file = styles / "my-style.safetensors"
    assert told["file"] == str(file)
    assert told["bits_after"] < told["bits_before"]
    assert (told["pieces"], told["held_pieces"], told["steps"]) == (6, 2, 4)
    assert told["left_out"] == {}
    assert {"minutes", "version"} <= set(told)
    listed = {row["name"]: row for row in run("styles", "--json").json["styles"]}
    assert listed["my-style"]["kind"] == "your own"
    assert "my-style" in run("styles").out
    known = run("info", file, "--json").json
    assert (known["kind"], known["name"], known["model"]) == (
        "style",
        "my-style",
        fingerprint(model),
    )
    assert known["facts"]["pieces"] == 6
    out = tmp_path / "piece.mid"
    asked = ("--style", "my-style:0.6", "--style", "bach:0.4", "--minutes", 0.1, "--model", model)
    facts = run("compose", *asked, "-o", out, "--json").json["pieces"][0]
    assert facts["own_styles"] == {"my-style": fingerprint(file)}
    again = tmp_path / "again.mid"
    assert run("compose", "--again", out, "--model", model, "-o", again).code == 0
    assert again.read_bytes() == out.read_bytes()
    file.unlink()
    run("compose", "--again", out, "--model", model, "-o", again).assert_fails("is not here")


def test_a_path_of_its_own_and_a_word_on_what_was_gained(
    run: Run, model: Path, tunes: Path, styles: Path, tmp_path: Path
) -> None:
    file = tmp_path / "my style.safetensors"
    said = run("finetune", tunes, "-o", file, "--model", model, "--like", "folk", *SHORT).out
    for word in ("6 pieces", "4 steps", "2 held-out pieces", "gained (", f"--style '{file}'"):
        assert word in said
    asked = ("--style", file, "--minutes", 0.1, "--model", model)
    assert run("compose", *asked, "-o", tmp_path / "piece.mid").code == 0
    assert not styles.exists()


def test_files_that_cannot_be_used_are_counted(
    run: Run, model: Path, styles: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    for seed in range(4):
        save(melody(seed, 100), folder / f"{seed}.mid")
    (folder / "broken.mid").write_bytes(b"MThd")
    said = run("finetune", folder, "-o", "mine", "--model", model, *SHORT).out
    assert "1 files could not be used: no sound MIDI file (1)" in said


def test_a_single_file_is_enough(run: Run, model: Path, styles: Path, tmp_path: Path) -> None:
    save(melody(0, 400), tmp_path / "long.mid")
    told = run("finetune", tmp_path / "long.mid", "-o", "x", "--model", model, *SHORT, "--json")
    assert (told.json["pieces"], told.json["held_pieces"]) == (1, 1)


def test_what_is_not_gained_is_not_written(
    run: Run, model: Path, tunes: Path, styles: Path
) -> None:
    asked = ("finetune", tunes, "-o", "mine", "--model", model, "--steps", 1)
    run(*asked, "--learning-rate", 1e-9).assert_fails("nothing is gained", "no style is written")
    assert not styles.exists()


def test_what_cannot_be_learnt(run: Run, model: Path, tunes: Path, styles: Path) -> None:
    base = ("finetune", tunes, "--model", model, *SHORT)
    run(*base, "-o", "Bach").assert_fails("'Bach' is there already")
    run(*base, "-o", "a:b").assert_fails("no name for a style")
    run(*base, "-o", "mine", "--like", "nothing such").assert_fails("unknown style")
    for weight in ("0", "-1", "nan"):
        run(*base, "-o", "mine", "--like", f"jazz:{weight}").assert_fails("give one above 0")
    empty = styles.parent / "empty"
    empty.mkdir()
    run("finetune", empty, "-o", "mine", "--model", model).assert_fails("no MIDI files in")
    save(melody(0, 60), empty / "short.mid")
    run("finetune", empty, "-o", "mine", "--model", model).assert_fails("too few", "add pieces")
    styles.mkdir()
    (styles / "mine.safetensors").write_bytes(b"")
    run(*base, "-o", "mine").assert_fails("--replace")
    assert run(*base, "-o", "mine", "--replace").code == 0


def test_styles_of_other_weights_and_damaged_ones(
    run: Run, model: Path, tunes: Path, styles: Path, tmp_path: Path
) -> None:
    run("finetune", tunes, "-o", "mine", "--model", model, *SHORT)
    save_model(tmp_path / "other.safetensors", random_model(9))
    asked = ("compose", "--style", "mine", "--minutes", 0.1, "-o", tmp_path / "piece.mid")
    run(*asked, "--model", tmp_path / "other.safetensors").assert_fails("made for the model")
    (styles / "mine.safetensors").write_bytes(b"no")
    run(*asked, "--model", model).assert_fails("damaged")
    assert "your own, damaged" in run("styles").out
