from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from musenet.checkpoint import save_model
from musenet.instruments import INSTRUMENTS
from musenet.model import Model
from musenet.presets import tiny
from musenet.styles import STYLES

if TYPE_CHECKING:
    from conftest import Run


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the bundled model is looked for; nothing is there yet."""
    path = tmp_path / "bundled.safetensors"
    monkeypatch.setattr("musenet.composing.composer.bundled_model", lambda: path)
    return path


def test_all_styles_are_listed(run: Run, bundled: Path) -> None:
    listed = run("styles", "--json").json["styles"]
    assert [row["name"] for row in listed] == [style.name for style in STYLES]
    assert set(listed[0]) == {"name", "kind", "aliases"}
    assert "johann sebastian bach" in run("styles").out


def test_styles_tell_how_many_works_stand_behind_them(run: Run, bundled: Path) -> None:
    save_model(bundled, Model(tiny()), facts={"style_counts": {"bach": [7, 2]}})
    listed = {row["name"]: row for row in run("styles", "--json").json["styles"]}
    assert (listed["bach"]["works"], listed["bach"]["arranged"]) == (7, 2)
    assert (listed["jazz"]["works"], listed["jazz"]["arranged"]) == (0, 0)
    assert "arranged" in run("styles").out


def test_styles_on_a_map(run: Run, bundled: Path, tmp_path: Path) -> None:
    counts = {style.name: [9, 1] for style in STYLES[:12]} | {"bach": [9, 0]}
    save_model(bundled, Model(tiny()), facts={"style_counts": counts})
    picture = tmp_path / "map.svg"
    command = ("styles", "--map", picture, "--works", 10)
    assert "map.svg is made" in run(*command).out
    assert picture.is_file()
    listed = {row["name"]: row for row in run(*command, "--json").json["styles"]}
    assert [name for name, row in listed.items() if "x" in row] == [s.name for s in STYLES[:12]]
    assert all(-1 <= listed[style.name][axis] <= 1 for style in STYLES[:12] for axis in "xy")


def test_maps_that_cannot_be_drawn(run: Run, bundled: Path, tmp_path: Path) -> None:
    save_model(bundled, Model(tiny()), facts={"style_counts": {"bach": [7, 2]}})
    run("styles", "--map", tmp_path / "map.gif").assert_fails(".png, .svg or .pdf")
    run("styles", "--map", tmp_path / "map.png").assert_fails("at least 4 styles")
    bundled.unlink()
    run("styles", "--map", tmp_path / "map.png").assert_fails("no model at")
    assert list(tmp_path.iterdir()) == []


def test_styles_of_a_model_of_ones_own(run: Run, bundled: Path, tmp_path: Path) -> None:
    own = tmp_path / "model.safetensors"
    save_model(own, Model(tiny()), facts={"style_counts": {"jazz": [3, 0]}})
    for place in (own, tmp_path):
        listed = {
            row["name"]: row for row in run("styles", "--model", place, "--json").json["styles"]
        }
        assert listed["jazz"]["works"] == 3
    run("styles", "--model", tmp_path / "missing").assert_fails("no model at")


def test_all_instruments_are_listed(run: Run) -> None:
    listed = {row["name"]: row for row in run("instruments", "--json").json["instruments"]}
    assert list(listed) == [instrument.name for instrument in INSTRUMENTS]
    assert listed["violin"]["programs"] == [40, 110]
    assert (listed["piano"]["lowest"], listed["piano"]["highest"]) == ("A0", "C8")
    assert "violin" in run("instruments").out


def test_info_of_a_midi_file(run: Run, tunes: Path) -> None:
    facts = run("info", tunes / "tune-1.mid", "--json").json
    assert facts["notes"] == 64
    assert [track["instruments"] for track in facts["tracks"]] == [[], ["piano"]]
    assert "piano" in run("info", tunes / "tune-1.mid").out


def test_the_chords_of_a_midi_file(run: Run, tunes: Path, model: Path, tmp_path: Path) -> None:
    heard = run("info", tunes / "tune-1.mid", "--chords", "--json").json
    assert set(heard) == {"key", "chords"}
    assert run("info", tunes / "tune-1.mid", "--chords").out.split() == heard["chords"].split()
    new = tmp_path / "new.mid"
    run("compose", "--chords", heard["chords"], "--model", model, "--minutes", "0.2", "--out", new)
    assert new.is_file()
    run("info", model, "--chords").assert_fails("MIDI")


def test_info_of_a_model(run: Run, model: Path) -> None:
    facts = run("info", model, "--json").json
    assert facts["network"]["layers"] == 2
    assert facts["facts"]["step"] == 3
    assert "layers: 2" in run("info", model).out


def test_info_of_a_corpus(run: Run, corpus: Path) -> None:
    assert run("info", corpus, "--json").json["kind"] == "corpus"


def test_info_of_nothing_known(run: Run, tmp_path: Path) -> None:
    run("info", tmp_path).assert_fails("neither a corpus nor a run")
    (tmp_path / "config.json").write_text("{")
    run("info", tmp_path).assert_fails("damaged")
    (tmp_path / "text.mid").write_text("no music")
    run("info", tmp_path / "text.mid", "--json").assert_fails("text.mid")
