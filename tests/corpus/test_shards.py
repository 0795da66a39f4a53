from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from musenet.corpus.shards import (
    FORMAT,
    PIECE,
    instrument_names,
    open_split,
    style_names,
    write_split,
)
from musenet.errors import UserError
from musenet.events import Table

HEADER = {"format": FORMAT, "instruments": instrument_names(), "styles": style_names()}


def pieces_of(tables: list[Table]) -> NDArray[np.void]:
    pieces = np.zeros(len(tables), dtype=PIECE)
    pieces["events"] = [len(table) for table in tables]
    pieces["work"] = np.arange(len(tables))
    return pieces


def write(folder: Path, tables: list[Table], header: object = HEADER) -> None:
    (folder / "corpus.json").write_text(json.dumps(header))
    names = [f"a.zip/{i}.mid#0" for i in range(len(tables))]
    write_split(folder, "train", tables, pieces_of(tables), names)


@given(st.lists(st.integers(0, 30), max_size=8), st.integers(0, 1000))
def test_tables_come_back(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(seed)
    tables = [rng.integers(0, 256, (length, 5), dtype=np.uint8) for length in lengths]
    write(folder, tables)
    split = open_split(folder, "train")
    assert len(split) == len(tables) == len(split.names)
    for index, table in enumerate(tables):
        assert np.array_equal(split.table(index), table)
    assert np.array_equal(split.pieces["work"], np.arange(len(tables)))


def test_events_are_mapped_and_not_read(tmp_path: Path) -> None:
    write(tmp_path, [np.ones((7, 5), dtype=np.uint8)])
    split = open_split(tmp_path, "train")
    assert isinstance(split.events, np.memmap)
    assert not split.events.flags.writeable


def test_styles_that_came_later_do_no_harm(tmp_path: Path) -> None:
    write(tmp_path, [np.ones((7, 5), dtype=np.uint8)], HEADER | {"styles": style_names()[:-3]})
    assert len(open_split(tmp_path, "train")) == 1


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ([], "another format"),
        (HEADER | {"format": 0}, "another format"),
        (HEADER | {"instruments": ["kazoo"]}, "other instruments"),
        (HEADER | {"styles": ["noise"]}, "other styles"),
        (HEADER | {"styles": None}, "other styles"),
    ],
)
def test_a_header_that_does_not_fit(tmp_path: Path, header: object, message: str) -> None:
    write(tmp_path, [np.ones((7, 5), dtype=np.uint8)], header)
    with pytest.raises(UserError, match=message):
        open_split(tmp_path, "train")


def test_what_is_missing_or_damaged(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no corpus"):
        open_split(tmp_path, "train")
    write(tmp_path, [np.ones((7, 5), dtype=np.uint8)])
    with pytest.raises(UserError, match="unknown split"):
        open_split(tmp_path, "dev")
    with pytest.raises(UserError, match="no whole split"):
        open_split(tmp_path, "test")
    events = tmp_path / "train.events.npy"
    events.write_bytes(events.read_bytes()[:-5])
    with pytest.raises(UserError, match="no whole split"):
        open_split(tmp_path, "train")
    (tmp_path / "corpus.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        open_split(tmp_path, "train")


def test_files_that_disagree(tmp_path: Path) -> None:
    write(tmp_path, [np.ones((7, 5), dtype=np.uint8)])
    (tmp_path / "train.names.txt").write_text("one\ntwo\n")
    with pytest.raises(UserError, match="damaged"):
        open_split(tmp_path, "train")


def test_a_failed_write_leaves_the_old_split(tmp_path: Path) -> None:
    table = np.ones((7, 5), dtype=np.uint8)
    write(tmp_path, [table])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match="announced"):
        write_split(tmp_path, "train", [table], pieces_of([table, table]), ["a", "b"])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
