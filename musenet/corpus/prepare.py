"""One file of music made into pieces: a pure function, and its results on disk by chunk."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musenet.condition import BEATLESS, NOTATED, PERFORMED
from musenet.corpus.clean import RejectedError, clean, default_tempo, sane_tempos
from musenet.corpus.fingerprint import Shingles, digests, fingerprint
from musenet.corpus.sources import Chunk, read_entries
from musenet.errors import UserError
from musenet.events import Table, encode, is_note
from musenet.features import moments_of
from musenet.files import replacing
from musenet.key import key_of
from musenet.midi import load
from musenet.score import Score

VERSION = 5
"""Version of the preparation: raise it when the same file would give other pieces."""

MIN_ON_GRID = 0.75
"""Share of onsets on the twelfths and eighths of the beat that makes a file notated."""
GRID_TOLERANCE = 0.01
"""In beats: some programs write a notated onset a tick early or late."""
MIN_PULSE = 0.2
"""A performance at the default tempo whose onsets gather less around sixteenths has no beat."""
EXPRESSIVE_VELOCITIES = 4
"""Distinct velocities that make velocities expressive."""
NO_TEMPO, SEVERAL_TEMPOS = 0.0, -1.0

PREPARED = np.dtype(
    [("file", "<i4"), ("movement", "<i4"), ("events", "<i4"), ("notes", "<i4"),
     ("seconds", "<f4"), ("key", "i1"), ("source", "i1"), ("expressive", "?"), ("bpm", "<f4"),
     ("shingles", "<i4"), ("exact", "<u8"), ("transposed", "<u8")]
)  # fmt: skip
"""A piece before it is labelled: place of its file in the chunk, its movement, rows, notes,
length, key, place in `SOURCES`, whether velocities are expressive, the tempo if one stands
throughout (else `NO_TEMPO` or `SEVERAL_TEMPOS`), number of shingles, and its digests."""


@dataclass(frozen=True)
class Part:
    """What a chunk of files gave.

    Attributes:
        events: tables one after another, shape (events, 5).
        pieces: array of `PREPARED`.
        shingles: fingerprints one after another.
        rejected: reason for each file without pieces, by its place in the chunk.
    """

    events: Table
    pieces: NDArray[np.void]
    shingles: Shingles
    rejected: Mapping[int, str]

    def tables(self) -> list[Table]:
        """The event table of each piece."""
        return np.split(self.events, np.cumsum(self.pieces["events"]))[:-1]

    def fingerprints(self) -> list[Shingles]:
        """The fingerprint of each piece."""
        return np.split(self.shingles, np.cumsum(self.pieces["shingles"]))[:-1]


@dataclass(frozen=True)
class _Piece:
    table: Table
    shingles: Shingles
    facts: tuple[float, ...]


def prepare_chunk(chunk: Chunk) -> Part:
    """Read, clean, split and encode the files of a chunk; what fails is left out with a reason."""
    pieces: list[_Piece] = []
    rejected: dict[int, str] = {}
    for index, (_, data) in enumerate(read_entries(chunk)):
        try:
            pieces += _prepare_file(index, data)
        except RejectedError as error:
            rejected[index] = str(error)
        except Exception as error:  # one file in thousands must not end a build; it is counted
            rejected[index] = f"failed with {type(error).__name__}"
    return Part(
        np.concatenate([np.zeros((0, 5), dtype=np.uint8), *(p.table for p in pieces)]),
        np.array([piece.facts for piece in pieces], dtype=PREPARED),
        np.concatenate([np.zeros(0, dtype=np.uint32), *(p.shingles for p in pieces)]),
        rejected,
    )


def _prepare_file(index: int, data: bytes | None) -> list[_Piece]:
    if data is None:
        raise RejectedError("cannot be read from its archive or folder")
    try:
        score = load(data)
    except UserError as error:
        raise RejectedError("no sound MIDI file") from error
    movements = clean(score)
    expressive = len(np.unique(score.notes["velocity"])) >= EXPRESSIVE_VELOCITIES
    kind = source_kind(score), expressive, _only_tempo(sane_tempos(score))
    return [_piece(movement, (index, place), kind) for place, movement in enumerate(movements)]


def _piece(score: Score, place: tuple[int, int], kind: tuple[int, bool, float]) -> _Piece:
    table = encode(score)
    shingles = fingerprint(table)
    seconds = float(moments_of(table).seconds[-1])
    sizes = len(table), int(is_note(table).sum()), seconds
    facts = *place, *sizes, key_of(score)[0], *kind, len(shingles), *digests(table)
    return _Piece(table, shingles, facts)


def _only_tempo(score: Score) -> float:
    tempos = np.unique(score.tempos["bpm"])
    if not len(tempos):
        return NO_TEMPO
    return float(tempos[0]) if len(tempos) == 1 else SEVERAL_TEMPOS


def source_kind(score: Score) -> int:
    """Whether a score is notated, performed to a beat or beatless, as a place in `SOURCES`.

    Notated music stands on the grid of the file's own ticks. A performance that MIDI's default
    tempo governs throughout, and whose onsets do not gather around sixteenths, has no beat.
    """
    beat, onsets = score.ticks_per_beat, score.notes["onset"].astype(np.int64)
    if (_near(onsets / beat, 12) | _near(onsets / beat, 8)).mean() >= MIN_ON_GRID:
        return NOTATED
    pulse = np.abs(np.exp(2j * np.pi * 4 * onsets / beat).mean())
    return BEATLESS if default_tempo(score) and pulse < MIN_PULSE else PERFORMED


def _near(beats: NDArray[np.float64], parts: int) -> NDArray[np.bool_]:
    """Which times lie on a division of the beat."""
    result: NDArray[np.bool_] = np.abs(beats - np.rint(beats * parts) / parts) <= GRID_TOLERANCE
    return result


def cached_part(folder: Path, chunk: Chunk) -> Path:
    """The file with the part of a chunk, made unless it is there already."""
    path = folder / f"{chunk.key(VERSION)}.npz"
    if not path.exists():
        write_part(path, prepare_chunk(chunk))
    return path


def write_part(path: Path, part: Part) -> None:
    """Write a part atomically."""
    rejected = json.dumps({str(index): reason for index, reason in part.rejected.items()})
    with replacing(path) as file:
        np.savez(
            file, events=part.events, pieces=part.pieces, shingles=part.shingles,
            rejected=np.frombuffer(rejected.encode("utf8"), dtype=np.uint8),
        )  # fmt: skip


def read_part(path: Path) -> Part:
    """A part as it was written.

    Raises:
        UserError: the file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            rejected = json.loads(data["rejected"].tobytes())
            return Part(
                data["events"], data["pieces"], data["shingles"],
                {int(index): reason for index, reason in rejected.items()},
            )  # fmt: skip
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged: delete it and build again") from error
