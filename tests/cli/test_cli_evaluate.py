from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from musenet.checkpoint import load_model
from musenet.corpus.shards import open_split
from musenet.evaluation.likelihood import NOTHING, score, split_samples, unigram_bits
from musenet.events import FIELDS, SIZES

if TYPE_CHECKING:
    from conftest import Run


def test_likelihood_on_a_corpus(run: Run, model: Path, corpus: Path) -> None:
    command = ("evaluate", "likelihood", corpus, "--model", model)
    result = run(*command, "--json").json
    bits = result["bits_per_note"]
    test = open_split(corpus, "test")
    windows = split_samples(test, range(len(test)), 256)
    total = sum(score(load_model(model)[0], windows, 8192), NOTHING)
    assert bits["no prompt"]["all"] == pytest.approx(total.bits_per_note)
    assert result["pieces"] == len(test)
    assert result["unigram_counted_on"] == "train"
    train = open_split(corpus, "train")
    counted = unigram_bits(
        (train.table(i) for i in range(len(train))), (test.table(i) for i in range(len(test)))
    )
    assert bits["unigram"]["all"] == pytest.approx(counted.bits_per_note)
    assert 0 < bits["LZMA"]["all"] < bits["no prompt"]["all"]
    printed = run(*command).out
    assert f"{bits['LZMA']['all']:.4f}"[:4] in printed
    assert all(field in printed for field in FIELDS)


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
