"""Shards: a split of the corpus as memory-mapped event tables, read with numpy alone.

A corpus folder holds for each split `{split}.events.npy`, the tables of
`musenet.events.encode` one after another (uint8, shape (events, 5)), `{split}.pieces.npy`
(array of `PIECE`) and `{split}.names.txt` (one line a piece), and for all `corpus.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from musenet.errors import UserError
from musenet.events import Table
from musenet.files import replacing
from musenet.instruments import INSTRUMENTS
from musenet.styles import STYLES

FORMAT = 1
SPLITS = ("train", "valid", "test")
MAX_STYLES = 4

PIECE = np.dtype(
    [("offset", "<i8"), ("events", "<i4"), ("notes", "<i4"), ("seconds", "<f4"),
     ("source", "<i2"), ("licence", "<i2"), ("styles", "<i2", (MAX_STYLES,)), ("key", "i1"),
     ("kind", "i1"), ("tempo_guessed", "?"), ("work", "<i4")]
)  # fmt: skip
"""A piece: first row and rows in the events, notes, seconds, place in the corpus's `sources`
and `licences`, style ids (-1 for none), key id, kind id (`musenet.condition`), whether the
tempo is a guess, number of the work."""


def styles_of(piece: NDArray[np.void]) -> list[int]:
    """The style ids of one `PIECE`."""
    return [int(style) for style in piece["styles"] if style >= 0]


@dataclass(frozen=True)
class Split:
    """A split of a corpus.

    Attributes:
        events: all tables one after another, shape (events, 5), uint8, memory-mapped.
        pieces: array of `PIECE`, shape (pieces,).
        names: archive/path#movement of each piece.
    """

    events: NDArray[np.uint8]
    pieces: NDArray[np.void]
    names: tuple[str, ...]

    def __len__(self) -> int:
        """Number of pieces."""
        return len(self.pieces)

    @cached_property
    def by_style(self) -> dict[int, NDArray[np.int64]]:
        """The pieces of each style that stands in the split, by its id."""
        styles = self.pieces["styles"]
        present = np.unique(styles[styles >= 0]).tolist()
        return {style: np.flatnonzero((styles == style).any(axis=1)) for style in present}

    def table(self, index: int) -> Table:
        """The event table of a piece, a view of the file."""
        piece = self.pieces[index]
        return self.events[int(piece["offset"]) : int(piece["offset"]) + int(piece["events"])]


def instrument_names() -> list[str]:
    """Names of the instruments by id, as `corpus.json` records them."""
    return [instrument.name for instrument in INSTRUMENTS]


def style_names() -> list[str]:
    """Names of the styles by id, as `corpus.json` records them."""
    return [style.name for style in STYLES]


def read_header(folder: Path) -> dict[str, Any]:
    """The corpus.json of a corpus folder.

    Raises:
        UserError: it is missing, damaged, of another format, or was made with other
            instruments or styles (later ones may have come after them).
    """
    path = folder / "corpus.json"
    try:
        header = json.loads(path.read_text(encoding="utf8"))
    except OSError as error:
        raise UserError(f"{folder} is no corpus: make one with 'musenet corpus build'") from error
    except ValueError as error:
        raise UserError(f"{path} is damaged: {_AGAIN}") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise UserError(f"{path} has another format than {FORMAT}: {_AGAIN}")
    for key, names in (("instruments", instrument_names()), ("styles", style_names())):
        made_with = header.get(key)
        if not isinstance(made_with, list) or made_with != names[: len(made_with)]:
            raise UserError(f"{path} was made with other {key}: {_AGAIN}")
    return header


_AGAIN = "build the corpus again with 'musenet corpus build'"


def open_split(folder: Path, split: str) -> Split:
    """A split of the corpus in a folder.

    Args:
        folder: what `musenet corpus build` wrote.
        split: "train", "valid" or "test".

    Raises:
        UserError: the folder or the split is missing or damaged, or does not fit this version.
    """
    read_header(folder)
    if split not in SPLITS:
        raise UserError(f"unknown split '{split}': one of {', '.join(SPLITS)}")
    try:
        events = np.load(folder / f"{split}.events.npy", mmap_mode="r", allow_pickle=False)
        pieces = np.load(folder / f"{split}.pieces.npy", allow_pickle=False)
        names = (folder / f"{split}.names.txt").read_text(encoding="utf8").splitlines()
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{folder} has no whole split '{split}': {_AGAIN}") from error
    if pieces.dtype != PIECE or not _agree(events, pieces, names):
        raise UserError(f"the split '{split}' in {folder} is damaged: {_AGAIN}")
    return Split(events, pieces, tuple(names))


def _agree(events: NDArray[np.uint8], pieces: NDArray[np.void], names: Sequence[str]) -> bool:
    """Whether the three files of a split tell of the same pieces."""
    starts = np.r_[0, np.cumsum(pieces["events"], dtype=np.int64)]
    shaped = events.dtype == np.uint8 and events.shape == (int(starts[-1]), 5)
    return shaped and np.array_equal(pieces["offset"], starts[:-1]) and len(names) == len(pieces)


def write_split(
    folder: Path, split: str, tables: Iterable[Table], pieces: NDArray[np.void],
    names: Sequence[str],
) -> None:  # fmt: skip
    """Write a split, each of its files atomically.

    Args:
        folder: an existing folder.
        split: "train", "valid" or "test".
        tables: the event tables, read once, one at a time.
        pieces: array of `PIECE`; `offset` is filled in here, `events` must be right.
        names: one a piece, without line breaks.

    Raises:
        ValueError: the tables are not as long as `pieces` says.
    """
    placed = pieces.copy()
    placed["offset"] = np.r_[0, np.cumsum(pieces["events"], dtype=np.int64)][:-1]
    rows = int(pieces["events"].sum(dtype=np.int64))
    with replacing(folder / f"{split}.events.npy") as file:
        _write_header(file, (rows, 5))
        written = sum(file.write(np.ascontiguousarray(table).tobytes()) for table in tables)
        if written != rows * 5:
            raise ValueError(f"{written} bytes of events where {rows * 5} were announced")
    with replacing(folder / f"{split}.pieces.npy") as file:
        np.save(file, placed, allow_pickle=False)
    write_text(folder / f"{split}.names.txt", "".join(f"{name}\n" for name in names))


def _write_header(file: IO[bytes], shape: tuple[int, int]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with replacing(path) as file:
        file.write(text.encode("utf8"))
