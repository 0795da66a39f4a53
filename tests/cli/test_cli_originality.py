from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from music import melody
from toys import toy_corpus

from musenet.evaluation.originality_index import FILE
from musenet.midi import save
from musenet.score import transpose

if TYPE_CHECKING:
    from conftest import Run


def test_a_copy_and_other_music(run: Run, tmp_path: Path) -> None:
    corpus = toy_corpus(tmp_path / "corpus")
    save(transpose(melody(3, 61), 2), tmp_path / "copy.mid")
    save(melody(900, 60), tmp_path / "other.mid")
    command = ("originality", tmp_path / "copy.mid", tmp_path / "other.mid", "--data", corpus)
    copy, other = run(*command, "--json").json["pieces"]
    assert (corpus / FILE).is_file()
    assert copy["passage"]["piece"] == "toys/3.mid#0"
    assert (copy["passage"]["notes"], copy["passage"]["semitones"]) == (61, 2)
    assert copy["passage"]["instrument"] == "piano"
    assert (copy["longer_than"], copy["human_pieces"]) == (1, 4)
    assert other["passage"] is None or other["passage"]["notes"] < 15
    printed = run(*command).out
    assert "61 notes" in printed
    assert "stands 2 semitones lower in toys/3.mid#0" in printed
    assert "longer than in 100% of 4 human pieces" in printed


def test_an_index_elsewhere(run: Run, corpus: Path, tmp_path: Path) -> None:
    index = tmp_path / "some.index"
    facts = run("corpus", "index", corpus, "-o", index, "--json").json
    assert facts["bytes"] == index.stat().st_size
    assert (facts["pieces"], facts["human_pieces"]) == (16, 7)
    assert "human percentiles" in run("corpus", "index", corpus, "-o", index).out
    save(melody(2, 54), tmp_path / "a.mid")
    result = run("originality", tmp_path / "a.mid", "--data", index, "--json").json
    assert result["pieces"][0]["passage"]["piece"] == "toys/2.mid#0"


def test_composing_compares_with_the_usual_index(
    run: Run, model: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "data" / "some.index"
    monkeypatch.setenv("MUSENET_INDEX", str(index))
    asked = ("compose", "--minutes", 0.1, "--seed", 4, "--audio", "none", "--model", model)
    without = run(*asked, "-o", tmp_path / "a")
    assert "corpus index CORPUS --usual" in without.err and "shared with" not in without.out
    assert run("corpus", "index", corpus, "--usual", "--json").json["index"] == str(index)
    told = run(*asked, "-o", tmp_path / "b")
    assert "shared with" in told.out and "--usual" not in told.err
    assert "copy" in run(*asked, "-o", tmp_path / "c", "--json").json["pieces"][0]
    run("corpus", "index", corpus, "--usual", "-o", "x").assert_fails("--usual")


def test_what_cannot_be_compared(run: Run, corpus: Path, tmp_path: Path) -> None:
    save(melody(2), tmp_path / "a.mid")
    bad = tmp_path / "bad"
    bad.write_bytes(b"no index")
    run("originality", tmp_path / "a.mid", "--data", bad).assert_fails("corpus index")
    run("originality", tmp_path / "a.mid", "--data", tmp_path).assert_fails("no corpus")
    run("originality", bad, "--data", corpus).assert_fails("bad")
    run("originality", tmp_path / "a.mid").assert_fails("--data")
    run("corpus", "index", tmp_path).assert_fails("no corpus")
