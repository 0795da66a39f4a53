from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from musenet.corpus.sources import (
    CHUNK_FILES,
    Container,
    Entry,
    Provenance,
    chunks_of,
    find_containers,
    read_entries,
)
from musenet.errors import UserError


def make_zip(path: Path, *names: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, f"music of {name}")
    return path


def names(containers: list[Container]) -> list[str]:
    return [entry.name for container in containers for entry in container.entries]


def test_folders_and_archives_in_order(tmp_path: Path) -> None:
    make_zip(tmp_path / "b.zip", "z.mid", "sub/a.MIDI", "notes.txt", "sub/._a.mid")
    make_zip(tmp_path / "deep" / "a.zip", "x.kar")
    (tmp_path / "loose.mid").write_bytes(b"music of loose.mid")
    found = find_containers([tmp_path])
    assert names(found) == ["a.zip/x.kar", "b.zip/sub/a.MIDI", "b.zip/z.mid",
                            f"{tmp_path.name}/loose.mid"]  # fmt: skip
    data = {entry.path: data for chunk in chunks_of(found) for entry, data in read_entries(chunk)}
    assert data["sub/a.MIDI"] == b"music of sub/a.MIDI"
    assert data["loose.mid"] == b"music of loose.mid"
    assert names(find_containers([tmp_path / "b.zip", tmp_path])) == names(found)


def test_the_manifest_beside_archives_and_in_folders(tmp_path: Path) -> None:
    make_zip(tmp_path / "a.zip", "x.mid", "y.mid")
    (tmp_path / "loose.mid").write_bytes(b"")
    (tmp_path / "manifest.tsv").write_text(
        'archive\tpath\tcomposer\tlicence\na.zip\tx.mid\tA "Trad."\tpd\n\tloose.mid\tBach\t\n',
        encoding="utf8",
    )
    rows = {
        entry.path: container.provenance(entry)
        for container in find_containers([tmp_path])
        for entry in container.entries
    }
    assert rows == {
        "x.mid": Provenance(composer='A "Trad."', licence="pd"),
        "y.mid": Provenance(),
        "loose.mid": Provenance(composer="Bach"),
    }


def test_archives_of_one_name_stay_apart(tmp_path: Path) -> None:
    make_zip(tmp_path / "open" / "a.zip", "x.mid")
    make_zip(tmp_path / "nc" / "a.zip", "x.mid")
    assert names(find_containers([tmp_path])) == ["nc/a.zip/x.mid", "open/a.zip/x.mid"]


def test_excluded_files_are_left_out(tmp_path: Path) -> None:
    make_zip(tmp_path / "a.zip", "keep/x.mid", "leave/x.mid")
    assert names(find_containers([tmp_path], ["a.zip/leave/*"])) == ["a.zip/keep/x.mid"]


def test_chunks_change_with_their_files_alone(tmp_path: Path) -> None:
    entries = tuple(Entry("a.zip", f"{i}.mid", str(i)) for i in range(CHUNK_FILES + 3))
    here, there = (list(chunks_of([Container(tmp_path / place, entries, {})])) for place in "ab")
    assert [len(chunk.entries) for chunk in here] == [CHUNK_FILES, 3]
    assert [chunk.key(1) for chunk in here] == [chunk.key(1) for chunk in there]
    other = (Entry("a.zip", "0.mid", "changed"), *entries[1:])
    changed = list(chunks_of([Container(tmp_path, other, {})]))
    assert changed[0].key(1) != here[0].key(1)
    assert changed[1].key(1) == here[1].key(1)
    assert here[0].key(2) != here[0].key(1)


def test_a_name_that_is_no_utf8_is_escaped(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mid")).write_bytes(b"music")
    found = find_containers([tmp_path])
    assert names(found) == [f"{tmp_path.name}/caf\\udce9.mid"]
    (chunk,) = chunks_of(found)
    assert [data for _, data in read_entries(chunk)] == [b"music"]


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        find_containers([tmp_path / "nothing"])
    with pytest.raises(UserError, match="no MIDI files"):
        find_containers([tmp_path])
    plain = tmp_path / "text.txt"
    plain.write_text("no archive")
    with pytest.raises(UserError, match="no zip archive"):
        find_containers([plain])
    make_zip(tmp_path / "a.zip", "x.mid")
    (tmp_path / "manifest.tsv").write_text("file\nx.mid\n")
    with pytest.raises(UserError, match="no column 'path'"):
        find_containers([tmp_path])


def test_a_damaged_member_is_none(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", "x.mid", "y.mid")
    data = bytearray(path.read_bytes())
    place = data.index(b"music of x.mid")
    data[place] ^= 0xFF
    path.write_bytes(data)
    (chunk,) = chunks_of(find_containers([path]))
    assert [data for _, data in read_entries(chunk)] == [None, b"music of y.mid"]
