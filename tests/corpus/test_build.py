from __future__ import annotations

import json
import os
import signal
import zipfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from music import melody, together, transposed_copy

from musenet.corpus.build import _ignore_interrupts, build
from musenet.corpus.shards import SPLITS, open_split
from musenet.errors import UserError
from musenet.events import encode
from musenet.midi import load, to_bytes
from musenet.score import TEMPO, records

PLAIN = 40
COLUMNS = ("archive", "path", "composer", "style", "genre", "licence", "source", "flag")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two archives with manifest, and loose files: tunes, copies, arrangements, bad files."""
    folder = tmp_path_factory.mktemp("sources")
    tunes = {f"tune-{seed:03d}.mid": to_bytes(melody(seed)) for seed in range(PLAIN)}
    bands = {
        f"rock/tune_{seed:03d}--Rock.mid": to_bytes(
            together([melody(seed + 900, instrument=33), melody(seed, instrument=36)])
        )
        for seed in range(PLAIN)
    }
    bad = {"short.mid": to_bytes(melody(0, 8)), "broken.mid": b"MThd"}
    copies = {
        "again.mid": tunes["tune-003.mid"],
        "higher.mid": to_bytes(transposed_copy(melody(4), 3)),
        "edition.mid": to_bytes(melody(5, bpm=66.0, notes=60)),
    }
    rows = ["\t".join(COLUMNS)]
    for archive, files, row in (
        ("a-plain.zip", tunes | bad, ("Trad.", "folk british", "folk", "pd", "tunes", "")),
        ("b-bands.zip", bands, ("Trad.", "arranged: rock", "rock", "gpl", "bands", "arranged")),
        ("c-copies.zip", copies, ("", "", "folk", "pd", "polish", "")),
    ):
        with zipfile.ZipFile(folder / archive, "w") as opened:
            for name, data in files.items():
                opened.writestr(name, data)
                rows.append("\t".join((archive, name, *row)))
    (folder / "manifest.tsv").write_text("\n".join(rows) + "\n", encoding="utf8")
    loose = folder / "Beethoven"
    loose.mkdir()
    (loose / "sonata.mid").write_bytes(to_bytes(melody(77)))
    return folder


@pytest.fixture(scope="module")
def corpus(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("corpus")
    build([sources], out, workers=1)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def splits_of(corpus: Path) -> dict[str, str]:
    """The split of each piece."""
    return {name: split for split in SPLITS for name in open_split(corpus, split).names}


def test_the_pieces_are_the_files(corpus: Path, sources: Path) -> None:
    found = 0
    for split in SPLITS:
        opened = open_split(corpus, split)
        for index, name in enumerate(opened.names):
            archive, path = name.removesuffix("#0").split("/", 1)
            if archive.endswith(".zip"):
                with zipfile.ZipFile(sources / archive) as file:
                    data = file.read(path)
            else:
                data = (sources / path).read_bytes()
            assert np.array_equal(opened.table(index), encode(load(data)))
            found += 1
    assert found == 2 * PLAIN + 2


def test_copies_and_bad_files_are_left_out_with_a_reason(corpus: Path) -> None:
    rejected = dict(
        line.split("\t") for line in (corpus / "rejected.tsv").read_text().splitlines()[1:]
    )
    assert rejected == {
        "a-plain.zip/broken.mid": "no sound MIDI file",
        "a-plain.zip/short.mid": "under 16 notes",
        "c-copies.zip/again.mid#0": "exact duplicate of a-plain.zip/tune-003.mid#0",
        "c-copies.zip/higher.mid#0": "transposed duplicate of a-plain.zip/tune-004.mid#0",
    }


def test_a_work_stands_on_one_side(corpus: Path) -> None:
    side = splits_of(corpus)
    for seed in range(PLAIN):
        tune = side[f"a-plain.zip/tune-{seed:03d}.mid#0"]
        assert side[f"b-bands.zip/rock/tune_{seed:03d}--Rock.mid#0"] == tune
    assert side["c-copies.zip/edition.mid#0"] == side["a-plain.zip/tune-005.mid#0"]
    works = [set(open_split(corpus, split).pieces["work"].tolist()) for split in SPLITS]
    assert sum(map(len, works)) == len(set().union(*works)) == PLAIN + 1


def test_pieces_are_labelled(corpus: Path) -> None:
    header = json.loads((corpus / "corpus.json").read_text())
    for split in SPLITS:
        opened = open_split(corpus, split)
        for piece, name in zip(opened.pieces, opened.names, strict=True):
            styles = {header["styles"][style] for style in piece["styles"] if style >= 0}
            arranged = name.startswith("b-bands")
            assert header["sources"][piece["source"]] in ("bands", "tunes", "polish", "unknown")
            assert piece["kind"] // 2 == (2 if arranged else 0)
            assert ("rock" in styles) == arranged
            assert ("beethoven" in styles) == name.endswith("sonata.mid#0")
            assert piece["key"] < 25
            assert not piece["tempo_guessed"]


def test_the_report_counts(corpus: Path) -> None:
    report = json.loads((corpus / "report.json").read_text())
    assert report["files"] == 2 * PLAIN + 6
    assert sum(count["pieces"] for count in report["splits"].values()) == 2 * PLAIN + 2
    assert sum(report["instruments"].values()) == sum(
        count["notes"] for count in report["splits"].values()
    )
    assert report["rejected"] == {
        "exact duplicate": 1, "no sound MIDI file": 1, "transposed duplicate": 1,
        "under 16 notes": 1,
    }  # fmt: skip
    assert report["arranged_styles"]["rock"]["pieces"] == PLAIN
    assert "| rock |" in (corpus / "report.md").read_text()


def test_any_number_of_workers_gives_the_same_bytes(
    corpus: Path, sources: Path, tmp_path: Path
) -> None:
    steps: list[str] = []
    build([sources], tmp_path, workers=2, progress=lambda step, done, total: steps.append(step))
    assert contents(tmp_path) == contents(corpus)
    assert {"reading music", "comparing melodies", "writing shards"} == set(steps)


def test_an_interrupted_build_goes_on(corpus: Path, sources: Path) -> None:
    before = contents(corpus)
    first, *others = sorted((corpus / ".parts").glob("*.npz"))
    times = {path: path.stat().st_mtime_ns for path in others}
    first.unlink()
    (corpus / "corpus.json").unlink()
    stale = corpus / ".parts" / "0123.npz"
    stale.write_bytes(b"of an older version")
    build([sources], corpus, workers=1)
    assert contents(corpus) == before
    assert {path: path.stat().st_mtime_ns for path in others} == times
    assert first.exists()
    assert not stale.exists()


def test_nothing_usable_is_told(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "broken.mid").write_bytes(b"MThd")
    with pytest.raises(UserError, match="none of the 1"):
        build([tmp_path / "in"], tmp_path / "out", workers=1)
    assert not (tmp_path / "out" / "corpus.json").exists()


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    place = os.fsencode(tmp_path / "in")
    Path(os.fsdecode(place + b"/caf\xe9.mid")).write_bytes(to_bytes(melody(1)))
    Path(os.fsdecode(place + b"/\xff.mid")).write_bytes(b"MThd")
    build([tmp_path / "in"], tmp_path / "out", workers=1)
    assert list(splits_of(tmp_path / "out")) == ["in/caf\\udce9.mid#0"]
    assert "in/\\udcff.mid\t" in (tmp_path / "out" / "rejected.tsv").read_text()


def test_a_process_that_died_is_told(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musenet.corpus.build._ignore_interrupts", partial(os._exit, 1))
    with pytest.raises(UserError, match="--workers"):
        build([sources], tmp_path, workers=1)


def test_ctrl_c_is_not_for_the_processes_that_read() -> None:
    with ProcessPoolExecutor(1, get_context("spawn"), _ignore_interrupts) as pool:
        assert pool.submit(signal.getsignal, signal.SIGINT).result() is signal.SIG_IGN


def test_guessed_tempos(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    rows = ["path\tsource\tcomposer"]
    for name, origin, bpm in (("a", "00sapo+OpenEWLD", 100.0), ("b", "00sapo+OpenEWLD", 97.0),
                              ("c", "elsewhere", 100.0)):  # fmt: skip
        score = replace(melody(ord(name)), tempos=records(TEMPO, [(0, bpm)]))
        (source / f"{name}.mid").write_bytes(to_bytes(score))
        rows.append(f"{name}.mid\t{origin}\t")
    (source / "manifest.tsv").write_text("\n".join(rows) + "\n")
    build([source], tmp_path / "out", workers=1)
    guessed = {
        name[-7]: bool(piece["tempo_guessed"])
        for split in SPLITS
        for opened in [open_split(tmp_path / "out", split)]
        for name, piece in zip(opened.names, opened.pieces, strict=True)
    }
    assert guessed == {"a": True, "b": False, "c": False}
