from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from music import BEAT, melody

from musenet.condition import BEATLESS, NOTATED, PERFORMED
from musenet.corpus import prepare
from musenet.corpus.prepare import (
    NO_TEMPO,
    SEVERAL_TEMPOS,
    cached_part,
    prepare_chunk,
    read_part,
    source_kind,
)
from musenet.corpus.sources import Chunk, chunks_of, find_containers
from musenet.errors import UserError
from musenet.events import decode, encode
from musenet.midi import to_bytes
from musenet.score import TEMPO, Score, records


def shaken(score: Score, ticks: int, seed: int = 0) -> Score:
    notes = score.notes.copy()
    notes["onset"] += np.random.default_rng(seed).integers(0, ticks, len(notes), dtype=np.int32)
    return replace(score, notes=notes)


def chunk_of(path: Path, files: dict[str, bytes]) -> Chunk:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    (chunk,) = chunks_of(find_containers([path]))
    return chunk


def test_kinds_of_source() -> None:
    default = records(TEMPO, [(0, 120.0)])
    assert source_kind(melody(0, 500)) == NOTATED
    assert source_kind(shaken(melody(0, 500), 4)) == NOTATED
    assert source_kind(shaken(melody(0, 500), 60)) == PERFORMED
    assert source_kind(replace(shaken(melody(0, 500), 60), tempos=default)) == PERFORMED
    assert source_kind(replace(shaken(melody(0, 500), BEAT), tempos=default)) == BEATLESS
    assert source_kind(shaken(melody(0, 500), BEAT)) == PERFORMED


def test_a_chunk_gives_pieces_and_reasons(tmp_path: Path) -> None:
    files = {
        "a.mid": to_bytes(melody(1)),
        "b.mid": b"no music",
        "c.mid": to_bytes(melody(2, 10)),
        "d.mid": to_bytes(replace(melody(3), tempos=records(TEMPO, [(0, 90), (BEAT * 8, 60)]))),
    }
    part = prepare_chunk(chunk_of(tmp_path / "a.zip", files))
    assert part.rejected == {1: "no sound MIDI file", 2: "under 16 notes"}
    assert part.pieces["file"].tolist() == [0, 3]
    assert part.pieces["bpm"].tolist() == pytest.approx([90.0, SEVERAL_TEMPOS], abs=0.01)
    first, second = part.tables()
    assert np.array_equal(first, encode(melody(1)))
    assert part.pieces["seconds"][1] == pytest.approx(decode(second).seconds)
    assert [len(shingles) for shingles in part.fingerprints()] == part.pieces["shingles"].tolist()
    assert not part.pieces["expressive"].any()


def test_a_chunk_without_music(tmp_path: Path) -> None:
    part = prepare_chunk(chunk_of(tmp_path / "a.zip", {"a.mid": b""}))
    assert part.tables() == part.fingerprints() == []
    assert list(part.rejected) == [0]


def test_expressive_velocities_and_no_tempo() -> None:
    score = melody(1)
    notes = score.notes.copy()
    notes["velocity"] = np.arange(len(notes)) % 4 + 60
    bare = replace(score, notes=notes, tempos=records(TEMPO))
    (piece,) = prepare._prepare_file(0, to_bytes(bare))
    facts = np.array(piece.facts, dtype=prepare.PREPARED)
    assert facts["expressive"]
    assert facts["bpm"] in (NO_TEMPO, 120.0)


def test_an_unforeseen_error_costs_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = chunk_of(tmp_path / "a.zip", {"a.mid": b"x", "b.mid": to_bytes(melody(1))})
    real = prepare.load

    def load(data: bytes) -> Score:
        return real(data) if data != b"x" else [][0]

    monkeypatch.setattr(prepare, "load", load)
    part = prepare_chunk(chunk)
    assert part.rejected == {0: "failed with IndexError"}
    assert len(part.pieces) == 1


def test_parts_are_kept_and_read_again(tmp_path: Path) -> None:
    chunk = chunk_of(tmp_path / "a.zip", {"a.mid": to_bytes(melody(1)), "b.mid": b""})
    path = cached_part(tmp_path, chunk)
    before = path.stat().st_mtime_ns
    assert cached_part(tmp_path, chunk) == path
    assert path.stat().st_mtime_ns == before
    part, fresh = read_part(path), prepare_chunk(chunk)
    assert np.array_equal(part.pieces, fresh.pieces)
    assert np.array_equal(part.events, fresh.events)
    assert np.array_equal(part.shingles, fresh.shingles)
    assert part.rejected == fresh.rejected
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match="damaged"):
        read_part(path)
