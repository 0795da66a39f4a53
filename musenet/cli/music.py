"""Music to measure a model on: a split of a corpus, or MIDI prepared as for a corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from musenet.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from musenet.corpus.prepare import Part
    from musenet.corpus.shards import Split
    from musenet.corpus.sources import Chunk


@dataclass(frozen=True)
class Music:
    """Pieces, and what is known beside them.

    Attributes:
        pieces: what to measure on.
        sources: archive or folder of each piece.
        train: the training split of the same corpus, or None.
        left_out: reason for each file that could not be used.
    """

    pieces: Split
    sources: tuple[str, ...]
    train: Split | None
    left_out: Mapping[str, str]

    def some(self, events: int | None) -> list[int]:
        """Numbers of all pieces, or of a fixed random choice of about so many events."""
        if events is None:
            return list(range(len(self.pieces)))
        order = np.random.default_rng(0).permutation(len(self.pieces))
        total = np.cumsum(self.pieces.pieces["events"][order])
        return [int(piece) for piece in order[: max(1, int((total <= events).sum()))]]


def music_of(places: Sequence[Path], split: str) -> Music:
    """The split of one corpus folder, or the pieces of folders, archives and files of MIDI.

    Raises:
        UserError: the corpus is damaged, or none of the files can be used.
    """
    from musenet.corpus.shards import open_split

    if len(places) == 1 and (places[0] / "corpus.json").is_file():
        pieces = open_split(places[0], split)
        sources = tuple(name.split("/")[0] for name in pieces.names)
        return Music(pieces, sources, open_split(places[0], "train"), {})
    return _prepared(_chunks(places))


def _chunks(places: Sequence[Path]) -> Iterator[Chunk]:
    from musenet.corpus.sources import MIDI_SUFFIXES, Chunk, Entry, chunks_of, find_containers

    containers = []
    for place in places:
        if place.is_file() and place.suffix.lower() in MIDI_SUFFIXES:
            folder = place.resolve().parent
            yield Chunk(folder, (Entry(folder.name, place.name, ""),))
        else:
            containers.append(place)
    if containers:
        yield from chunks_of(find_containers(containers))


def _prepared(chunks: Iterable[Chunk]) -> Music:
    from musenet.corpus.prepare import prepare_chunk
    from musenet.corpus.shards import PIECE, Split

    events, pieces = [np.zeros((0, 5), np.uint8)], [np.zeros(0, PIECE)]
    names: list[str] = []
    sources: list[str] = []
    left_out: dict[str, str] = {}
    for chunk in chunks:
        part = prepare_chunk(chunk)
        events.append(part.events)
        pieces.append(_labelled(part, chunk))
        files = [chunk.entries[file] for file in part.pieces["file"]]
        names += [file.name for file in files]
        sources += [file.archive for file in files]
        left_out |= {chunk.entries[file].name: why for file, why in part.rejected.items()}
    table = np.concatenate(pieces)
    if not len(table):
        raise UserError(f"none of the MIDI files can be used: {'; '.join(set(left_out.values()))}")
    table["offset"] = np.cumsum(table["events"], dtype=np.int64) - table["events"]
    split = Split(np.concatenate(events), table, tuple(names))
    return Music(split, tuple(sources), None, left_out)


def _labelled(part: Part, chunk: Chunk) -> NDArray[np.void]:
    """The pieces of a chunk with styles told by the paths of their files."""
    from musenet.corpus.labels import label_from_path
    from musenet.corpus.shards import PIECE

    pieces = np.zeros(len(part.pieces), PIECE)
    for field in ("events", "notes", "seconds", "key"):
        pieces[field] = part.pieces[field]
    pieces["kind"] = 2 * part.pieces["source"] + part.pieces["expressive"]
    pieces["styles"] = -1
    for row, file in zip(pieces, part.pieces["file"].tolist(), strict=True):
        styles = label_from_path(chunk.entries[file].name).styles
        row["styles"][: len(styles)] = styles
    return pieces
