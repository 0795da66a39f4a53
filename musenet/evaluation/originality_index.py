"""The index of a corpus that `originality` searches: built, written and opened."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from musenet.condition import ARRANGED
from musenet.corpus.progress import Tell
from musenet.corpus.shards import Split, open_split
from musenet.errors import UserError
from musenet.evaluation.lines import NONE, NOTE, Lines, read_lines
from musenet.evaluation.originality import STRIDE, Index, steps_of, varied_grams
from musenet.events import Table
from musenet.files import write_atomically

FORMAT = 1
FILE = "originality.safetensors"
"""Name of the index in a corpus folder."""
VARIABLE = "MUSENET_INDEX"
"""Environment variable that names another index for `usual_index`."""
HUMAN_PIECES = 1000
"""Held-out pieces that are compared with the training pieces, at most."""

_KEPT = np.dtype([(name, NOTE[name]) for name in ("pitch", "ratio", "bar", "moment")])
_NAME = "musenet originality"
_AGAIN = "build it again with 'musenet corpus index'"


def usual_index() -> Path:
    """Where the index stands that composing uses unasked: what `VARIABLE` says, else the user's
    data folder."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen)
    from platformdirs import user_data_path

    return user_data_path("musenet") / FILE


def build_index(folder: Path, tell: Tell) -> Index:
    """The index of the training pieces of a corpus, with what held-out pieces share with them.

    Args:
        folder: a corpus.
        tell: called as the work goes on.

    Raises:
        UserError: the corpus is missing or damaged.
    """
    train = open_split(folder, "train")
    lines = _reduced(read_lines(_told(train, range(len(train)), "lines", tell)))
    steps = steps_of(lines)
    places, hashes = varied_grams(steps)
    places, hashes = places[::STRIDE], hashes[::STRIDE]
    order = np.argsort(hashes, kind="stable")
    nobody = np.zeros((0, 2), dtype=np.int64)
    index = Index(lines, steps, hashes[order], places[order], train.names, nobody, digest_of(train))
    return replace(index, human=_human(index, folder, tell))


def _reduced(lines: Lines) -> Lines:
    """Lines with the fields alone that the index keeps."""
    notes = np.zeros(len(lines.notes), dtype=_KEPT)
    for name in _KEPT.names or ():
        notes[name] = lines.notes[name]
    return Lines(notes, lines.starts)


def _told(split: Split, pieces: Sequence[int], step: str, tell: Tell) -> Iterator[Table]:
    for done, piece in enumerate(pieces, start=1):
        yield split.table(piece)
        if done % 50 == 0 or done == len(pieces):
            tell(step, done, len(pieces))


def _human(index: Index, folder: Path, tell: Tell) -> NDArray[np.int64]:
    """What a fixed random choice of held-out pieces share with those of the index.

    The corpus holds works apart, so that hardly one of them is a copy of a training piece.
    Arrangements are left out: their accompaniments come from one library.
    """
    held_out = [
        (split, piece)
        for split in _held_out(folder)
        for piece in np.flatnonzero(split.pieces["kind"] // 2 != ARRANGED).tolist()
    ]
    order = np.random.default_rng(0).permutation(len(held_out))[:HUMAN_PIECES]
    rows = []
    for done, place in enumerate(order.tolist(), start=1):
        split, piece = held_out[place]
        rows.append(index.longest_of_table(split.table(piece)))
        tell("human pieces", done, len(order))
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def _held_out(folder: Path) -> Iterator[Split]:
    """The splits that were not trained on, as far as they are there."""
    for name in ("valid", "test"):
        if (folder / f"{name}.pieces.npy").is_file():
            yield open_split(folder, name)


def digest_of(train: Split) -> str:
    """Tells corpora apart: of the names and dimensions of the training pieces."""
    digest = hashlib.blake2b(train.pieces.tobytes(), digest_size=16)
    digest.update("\n".join(train.names).encode("utf8"))
    return digest.hexdigest()


def save_index(index: Index, path: Path) -> None:
    """Write an index, whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    text = "\n".join(index.names).encode("utf8")
    tensors: dict[str, NDArray[Any]] = {
        "lines": index.lines.notes.view(np.uint8),
        "starts": index.lines.starts,
        "hashes": index.hashes,
        "places": index.places.astype(np.uint32),
        "names": np.frombuffer(text, dtype=np.uint8),
        "human": index.human,
    }
    facts = json.dumps({"format": FORMAT, "corpus": index.corpus})
    write_atomically(path, save(tensors, {_NAME: facts}))


def open_index(path: Path) -> Index:
    """An index that `save_index` wrote.

    Raises:
        UserError: the file is missing, damaged or of another format.
    """
    if not path.is_file():
        raise UserError(f"no index at {path}: make one with 'musenet corpus index'")
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads((file.metadata() or {})[_NAME])
            if facts["format"] != FORMAT:
                raise UserError(f"{path} has another format than {FORMAT}: {_AGAIN}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        index = _index(tensors, str(facts["corpus"]))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is damaged or no index: {_AGAIN}") from error
    if not _is_sound(index):
        raise UserError(f"{path} is damaged: {_AGAIN}")
    return index


def _index(tensors: dict[str, NDArray[Any]], corpus: str) -> Index:
    lines = Lines(tensors["lines"].view(_KEPT), tensors["starts"].astype(np.int64))
    names = tensors["names"].tobytes().decode("utf8").split("\n") if len(lines.starts) else []
    return Index(
        lines, steps_of(lines), tensors["hashes"].astype(np.uint32),
        tensors["places"].astype(np.int64), tuple(names), tensors["human"].astype(np.int64),
        corpus,
    )  # fmt: skip


def _is_sound(index: Index) -> bool:
    """Whether the parts fit together, so that every search stays within them."""
    notes, starts, places = index.lines.notes, index.lines.starts, index.places
    framed = len(notes) > 0 and notes["pitch"][0] == NONE == notes["pitch"][-1]
    return bool(
        framed
        and len(index.names) == len(starts)
        and np.all(np.diff(starts, prepend=1) >= 0)
        and len(index.hashes) == len(places)
        and np.all(index.hashes[1:] >= index.hashes[:-1])
        and np.all(places < len(notes))
        and np.all(index.steps[places] != 0)
        and index.human.ndim == 2
        and index.human.shape[1] == 2
    )


def index_of(place: Path, tell: Tell) -> Index:
    """The index in a file, or that of a corpus folder, built and kept there if it is not yet.

    Raises:
        UserError: neither an index nor a corpus, or the index cannot be written there.
    """
    if not place.is_dir():
        return open_index(place)
    path = place / FILE
    if path.is_file():
        index = open_index(path)
        if index.corpus == digest_of(open_split(place, "train")):
            return index
    index = build_index(place, tell)
    save_index(index, path)
    return index
