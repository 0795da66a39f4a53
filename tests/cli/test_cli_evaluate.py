from __future__ import annotations

import math
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from toys import toy_split, toy_tables

from musenet.checkpoint import load_model, save_model
from musenet.corpus.shards import open_split
from musenet.evaluation.likelihood import NOTHING, score, split_samples, unigram_bits
from musenet.events import FIELDS, SIZES
from musenet.model import Model
from musenet.presets import tiny
from musenet.styles import style_id

if TYPE_CHECKING:
    from conftest import Run


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose every weight matters; an untrained one rates all events alike."""
    torch.manual_seed(1)
    network = Model(tiny())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    path = tmp_path_factory.mktemp("lively") / "model.safetensors"
    save_model(path, network)
    return path


def test_likelihood_on_a_corpus(run: Run, model: Path, corpus: Path) -> None:
    command = ("evaluate", "likelihood", corpus, "--model", model)
    result = run(*command, "--json").json
    bits = result["bits_per_note"]
    test = open_split(corpus, "test")
    windows = split_samples(test, range(len(test)), 256, overlap=127)
    total = sum(score(load_model(model)[0], windows, 8192), NOTHING)
    assert bits["no prompt"]["all"] == pytest.approx(total.bits_per_note)
    assert result["pieces"] == len(test)
    assert (result["context"], result["overlap"]) == (256, 127)
    seconds = test.pieces["seconds"].sum()
    assert result["bits_per_second"]["no prompt"] == pytest.approx(total.bits.sum() / seconds)
    assert result["unigram_counted_on"] == "train"
    train = open_split(corpus, "train")
    tables = [test.table(i) for i in range(len(test))]
    counted = sum(unigram_bits((train.table(i) for i in range(len(train))), tables), NOTHING)
    assert bits["unigram"]["all"] == pytest.approx(counted.bits_per_note)
    assert 0 < bits["LZMA"]["all"] < bits["no prompt"]["all"]
    printed = run(*command).out
    assert f"{bits['LZMA']['all']:.4f}"[:4] in printed
    assert all(field in printed for field in FIELDS)


def test_the_batch_does_not_change_the_result(run: Run, lively: Path, corpus: Path) -> None:
    command = ("evaluate", "likelihood", corpus, "--model", lively, "--context", 32, "--json")
    one, many = (
        run(*command, "--batch-events", number).json["bits_per_note"] for number in (1, 9_999)
    )
    for scorer, bits in one.items():
        assert bits == pytest.approx(many[scorer], rel=1e-5)


def test_windows_that_are_asked_for(run: Run, model: Path, corpus: Path) -> None:
    command = ("evaluate", "likelihood", corpus, "--model", model)
    result = run(*command, "--context", 64, "--json").json
    assert (result["context"], result["overlap"]) == (64, 31)
    assert (
        "64 events at once, at least 20 before"
        in run(*command, "--context", 64, "--overlap", 20).out
    )
    run(*command, "--context", 64, "--overlap", 62).assert_fails("--overlap 32")


def test_windows_are_as_long_as_the_model_was_made_for(
    run: Run, tmp_path: Path, corpus: Path
) -> None:
    path = tmp_path / "long.safetensors"
    for context, expected in ((512, (448, 223)), (4096, (2048, 1024))):
        save_model(path, Model(replace(tiny(), context=context)))
        result = run("evaluate", "likelihood", corpus, "--model", path, "--json").json
        assert (result["context"], result["overlap"]) == expected


def test_bf16_is_near(run: Run, lively: Path, corpus: Path) -> None:
    command = ("evaluate", "likelihood", corpus, "--model", lively, "--json")
    exact, near = run(*command).json, run(*command, "--bf16").json
    assert (exact["precision"], near["precision"]) == ("fp32", "bf16")
    bits = [result["bits_per_note"]["no prompt"]["all"] for result in (exact, near)]
    assert bits[0] != bits[1]
    assert bits[1] == pytest.approx(bits[0], rel=1e-3)


def test_a_model_with_learned_positions_holds_no_more(
    run: Run, tmp_path: Path, corpus: Path
) -> None:
    learned = tmp_path / "learned.safetensors"
    save_model(
        learned, Model(replace(tiny(), positions="learned", musical_time=False, context=133))
    )
    command = ("evaluate", "likelihood", corpus, "--model", learned)
    assert run(*command, "--json").json["context"] == 128
    run(*command, "--context", 129).assert_fails("--context 128")


def test_styles_and_sources_are_told_apart(run: Run, model: Path, tmp_path: Path) -> None:
    bach, folk = style_id("bach"), style_id("folk")
    styles = [[bach, folk, -1, -1], [folk, -1, -1, -1], [-1] * 4]
    names = ["one.zip/a.mid#0", "two.zip/b/c.mid#0", "one.zip/d.mid#1"]
    for part in ("train", "test"):
        toy_split(tmp_path, part, toy_tables(3), styles=styles, names=names)
    command = ("evaluate", "likelihood", tmp_path, "--model", model)
    result = run(*command, "--json").json
    pieces = {name: own["pieces"] for name, own in result["by_style"].items()}
    assert pieces == {"(no style)": 1, "bach": 1, "folk": 2}
    pieces = {name: own["pieces"] for name, own in result["by_source"].items()}
    assert pieces == {"one.zip": 2, "two.zip": 1}
    assert sum(own["notes"] for own in result["by_source"].values()) == result["notes"]
    for name in ("no prompt", "with prompt", "unigram", "LZMA"):
        parts = [
            own["bits_per_note"][name]["all"] * own["notes"] for own in result["by_source"].values()
        ]
        whole = result["bits_per_note"][name]["all"] * result["notes"]
        assert sum(parts) == pytest.approx(whole)
    assert "bach" in run(*command, "--by", "style").out
    assert "two.zip" in run(*command, "--by", "source").out
    assert "two.zip" not in run(*command).out


def test_sources_of_midi_are_folders_and_archives(
    run: Run, model: Path, tunes: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "some.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.write(tunes / "tune-3.mid", "inside/tune-3.mid")
    other = tmp_path / "loose"
    other.mkdir()
    shutil.copy(tunes / "tune-1.mid", other)
    places = (archive, other, tunes / "tune-2.mid")
    result = run("evaluate", "likelihood", *places, "--model", model, "--json").json
    pieces = {name: own["pieces"] for name, own in result["by_source"].items()}
    assert pieces == {"some.zip": 1, "loose": 1, tunes.name: 1}


def test_likelihood_on_midi(run: Run, model: Path, tunes: Path) -> None:
    whole = run("evaluate", "likelihood", tunes, "--model", model, "--json").json
    assert (whole["pieces"], whole["notes"]) == (8, 8 * 64)
    command = ("evaluate", "likelihood", tunes / "tune-0.mid", "--model", model, "--json")
    one = run(*command).json
    assert (one["pieces"], one["notes"], one["split"]) == (1, 64, None)
    uniform = sum(math.log2(size) for size in SIZES)
    assert one["bits_per_note"]["no prompt"]["all"] == pytest.approx(uniform, rel=0.1)


def test_a_part_is_the_same_every_time(run: Run, model: Path, tunes: Path) -> None:
    command = ("evaluate", "likelihood", tunes, "--model", model, "--max-events", 150, "--json")
    first = run(*command).json
    assert first["pieces"] == 2
    assert run(*command).json == first


def test_what_cannot_be_measured(run: Run, model: Path, corpus: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mid"
    bad.write_bytes(b"no music")
    command = ("evaluate", "likelihood", "--model", model)
    run(*command, bad).assert_fails("no sound MIDI file")
    run(*command, tmp_path / "missing").assert_fails("missing")
    run(*command, corpus, "--split", "best").assert_fails("unknown split")
    run("evaluate", "likelihood", corpus, "--model", bad).assert_fails("bad.mid")
