from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from music import melody
from toys import toy_split, toy_tables

from musenet.evaluation.measures import MEASURES, measures
from musenet.events import decode
from musenet.midi import save
from musenet.styles import style_id

if TYPE_CHECKING:
    from conftest import Run

MUSIC = "evaluate", "music"


@pytest.fixture(scope="module")
def styled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of six melodies, three of them jazz, the last without beats or a known tempo."""
    folder = tmp_path_factory.mktemp("styled")
    styles = [[style_id("jazz"), -1, -1, -1]] * 3 + [[-1] * 4] * 3
    guessed = [False] * 5 + [True]
    toy_split(folder, "test", toy_tables(6, 200), styles=styles, kind=[1] * 5 + [7],
              tempo_guessed=guessed)  # fmt: skip
    toy_split(folder, "train", toy_tables(2))
    return folder


def test_measures_of_a_corpus(run: Run, styled: Path) -> None:
    result = run(*MUSIC, styled, "--json").json
    assert (result["pieces"], len(result["by_piece"])) == (6, 6)
    assert list(result["measures"]) == list(MEASURES)
    first = measures(decode(toy_tables(6, 200)[0]))
    assert result["by_piece"][0]["measures"]["polyphony"] == pytest.approx(first["polyphony"])
    assert result["measures"]["tempo"]["pieces"] == 5
    assert result["by_piece"][5]["measures"]["groove_consistency"] is None
    assert "reference" not in result
    shares = result["by_piece"][1]["by_minute"][0]["shares"]
    assert shares == {"violin": 1.0}
    printed = run(*MUSIC, styled).out
    assert all(name in printed for name in ("6 pieces", "key_clarity", "longest_stuck"))


def test_a_set_against_itself(run: Run, styled: Path) -> None:
    result = run(*MUSIC, styled, "--against", styled, "--json").json
    assert result["reference"]["pieces"] == 6
    assert 0.5 <= result["inside"] <= 1
    for name, found in result["measures"].items():
        assert found["reference"]["mean"] == found["mean"]
        if found["overlapped_area"] is not None:
            assert found["overlapped_area"] == pytest.approx(1.0, abs=0.01), name
        if found["unit"] == "yes":
            assert found["inside"] is None
    printed = run(*MUSIC, styled, "--against", styled).out
    assert "overlap" in printed
    assert f"{result['inside']:.0%} over all measures" in printed


def test_midi_against_a_part_of_a_corpus(run: Run, styled: Path, tmp_path: Path) -> None:
    for seed in range(3):
        save(melody(seed, 300), tmp_path / f"{seed}.mid")
    (tmp_path / "bad.mid").write_bytes(b"no music")
    command = (*MUSIC, tmp_path, "--against", styled, "--json")
    result = run(*command, "--style", "jazz").json
    assert (result["pieces"], result["reference"]["pieces"]) == (3, 3)
    assert list(result["left_out"].values()) == ["no sound MIDI file"]
    assert run(*command, "--length", "0:100000").json["reference"]["pieces"] == 6
    assert run(*command, "--instruments", "1:1").json["reference"]["pieces"] == 6
    assert run(*command, "--against-split", "train").json["reference"]["pieces"] == 2
    corpus = run(*MUSIC, styled, "--against", styled, "--style", "jazz", "--json").json
    assert (corpus["pieces"], corpus["reference"]["pieces"]) == (3, 3)
    run(*command, "--instruments", "2:").assert_fails("--instruments")
    some = run(*command, "--pieces", 2).json
    assert (some["pieces"], some["reference"]["pieces"]) == (2, 2)
    assert some == run(*command, "--pieces", 2).json
    assert json.dumps(some, allow_nan=False)


def test_what_cannot_be_chosen(run: Run, styled: Path, tmp_path: Path) -> None:
    run(*MUSIC, tmp_path / "missing").assert_fails("missing")
    run(*MUSIC, styled, "--style", "jaz").assert_fails("unknown style", "jazz")
    run(*MUSIC, styled, "--style", "ska").assert_fails("--style")
    run(*MUSIC, styled, "--length", "5000:").assert_fails("--length")
    run(*MUSIC, styled, "--length", "long").assert_fails("--length", "FROM:TO")
    run(*MUSIC, styled, "--instruments", "8:2").assert_fails("--instruments")
    run(*MUSIC, styled, "--split", "best").assert_fails("unknown split")
