"""`build`: folders and archives of MIDI in, shards and a report out."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musenet.condition import ARRANGED, NOTATED
from musenet.corpus.catalogue import Catalogue, values
from musenet.corpus.labels import Labels, label, label_from_path
from musenet.corpus.prepare import NO_TEMPO, PREPARED, cached_part, read_part
from musenet.corpus.progress import Tell
from musenet.corpus.report import Report, make_report, write_report
from musenet.corpus.shards import (
    FORMAT,
    MAX_STYLES,
    PIECE,
    SPLITS,
    instrument_names,
    style_names,
    write_split,
    write_text,
)
from musenet.corpus.sources import Container, Entry, Provenance, chunks_of, find_containers
from musenet.corpus.titles import Title, work_keys
from musenet.corpus.works import Groups, Matches, find_matches, same_work, split_works, unite_by_key
from musenet.errors import UserError
from musenet.events import Table

LEFT_OUT = -1
"""In place of a split's number: a duplicate."""
GUESSED_TEMPOS: Mapping[str, tuple[float, ...]] = {
    "pl-wnifc+humdrum-polish-scores": (100.0,),
    "00sapo+OpenEWLD": (100.0,),
    "MarkGotham+When-in-Rome": (100.0,),
    "jw35+tunebook-abc": (100.0,),
    "rjl20+abc-tunebook": (100.0,),
    "cuthbertLab+music21": (120.0,),
    "music-encoding+sample-encodings": (120.0,),
    "AndyWeasley2004+POP909-CL-Dataset": (100.0, 120.0),
}
"""Sources of notated music that set a tempo where none is known: at least three quarters of
their files have one of these throughout."""


def build(
    sources: Sequence[Path], out: Path, *, exclude: Sequence[str] = (), workers: int = 0,
    progress: Tell | None = None,
) -> Report:  # fmt: skip
    """Make shards of all MIDI files in folders and zip archives.

    An interrupted build goes on where it stopped: what each chunk of files gave is kept in
    `out/.parts`. The result does not depend on the number of workers.

    Args:
        sources: folders and zip archives; a `manifest.tsv` beside or in them tells of their files.
        out: folder for the corpus; made if missing.
        exclude: shell patterns of `archive/path` of files to leave out.
        workers: processes, 0 for one a core.
        progress: told how far the build is.

    Raises:
        UserError: a source is missing or damaged, nothing can be used, or a process has died.
    """
    tell = progress or (lambda step, done, total: None)
    containers = find_containers(sources, exclude)
    (out / ".parts").mkdir(parents=True, exist_ok=True)
    paths = _prepare(containers, out / ".parts", workers or os.cpu_count() or 1, tell)
    catalogue = _catalogue(containers, paths)
    if not len(catalogue.facts):
        raise UserError(f"none of the {len(catalogue.entries)} MIDI files can be used")
    duplicates = _duplicates(catalogue)
    tell("comparing melodies", 0, 1)
    matches = find_matches(_fingerprints(paths), catalogue.arranged)
    works = _works(catalogue, matches)
    names = [catalogue.entries[file].name for file in catalogue.files]
    splits = split_works(works, names, catalogue.facts["notes"])
    splits[list(duplicates)] = LEFT_OUT
    tell("comparing melodies", 1, 1)
    pieces = _pieces(catalogue, works)
    _write(out, catalogue, pieces, splits, paths, tell)
    left_out = {catalogue.entries[file].name: reason for file, reason in catalogue.rejected.items()}
    left_out |= {catalogue.name(piece): reason for piece, reason in duplicates.items()}
    report = make_report(out, catalogue, pieces, splits, matches, left_out)
    write_report(out, report, left_out)
    _remove_stale(out / ".parts", paths)
    return report


def _prepare(containers: Sequence[Container], folder: Path, workers: int, tell: Tell) -> list[Path]:
    """The parts of all chunks in order, made by several processes where they are not there."""
    chunks = list(chunks_of(containers))
    paths: list[Path | None] = [None] * len(chunks)
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, _ignore_interrupts) as pool:
        try:
            jobs = {pool.submit(cached_part, folder, chunk): i for i, chunk in enumerate(chunks)}
            for done, job in enumerate(as_completed(jobs), 1):
                paths[jobs[job]] = job.result()
                tell("reading music", done, len(chunks))
        except BrokenProcessPool as error:
            raise UserError("a process that reads music has died: free memory, or give fewer "
                            "--workers; the same command goes on") from error  # fmt: skip
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [path for path in paths if path is not None]


def _ignore_interrupts() -> None:
    """Ctrl-C comes to all processes of a group and is for the one that waits for the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _remove_stale(folder: Path, paths: Sequence[Path]) -> None:
    """Delete parts of files or versions that are no more."""
    for path in set(folder.glob("*.npz")) - set(paths):
        path.unlink()


def _catalogue(containers: Sequence[Container], paths: Sequence[Path]) -> Catalogue:
    entries, provenance, labels = [], [], []
    for container in containers:
        for entry in container.entries:
            row = container.provenance(entry)
            entries.append(entry)
            provenance.append(row)
            labels.append(_labels(entry, row))
    facts, files = [np.zeros(0, PREPARED)], [np.zeros(0, np.int64)]
    rejected: dict[int, str] = {}
    start = 0
    for chunk, path in zip(chunks_of(containers), paths, strict=True):
        part = read_part(path)
        facts.append(part.pieces)
        files.append(part.pieces["file"] + np.int64(start))
        rejected |= {start + index: reason for index, reason in part.rejected.items()}
        start += len(chunk.entries)
    return Catalogue(
        np.concatenate(facts), np.concatenate(files), entries, provenance, labels, rejected
    )


def _labels(entry: Entry, row: Provenance) -> Labels:
    if row == Provenance():
        return label_from_path(f"{entry.archive}/{entry.path}")
    return label(row.composer, row.style, row.genre, row.flag, entry.path)


def _duplicates(catalogue: Catalogue) -> dict[int, str]:
    """Pieces that are copies of an earlier one, as they are or transposed, with the reason."""
    seen: dict[tuple[str, int], int] = {}
    reasons: dict[int, str] = {}
    exact, transposed = (catalogue.facts[name].tolist() for name in ("exact", "transposed"))
    for piece, own in enumerate(zip(exact, transposed, strict=True)):
        for reason, digest in zip(("exact duplicate", "transposed duplicate"), own, strict=True):
            first = seen.setdefault((reason, digest), piece)
            if first != piece and piece not in reasons:
                reasons[piece] = f"{reason} of {catalogue.name(first)}"
    return reasons


def _fingerprints(paths: Sequence[Path]) -> list[NDArray[np.uint32]]:
    return [shingles for path in paths for shingles in read_part(path).fingerprints()]


def _works(catalogue: Catalogue, matches: Matches) -> NDArray[np.int64]:
    """Number of the work of each piece, counted in the order of their first pieces."""
    groups = Groups(len(catalogue.facts))
    titles = [
        Title(entry, row, labels.composer)
        for entry, row, labels in zip(
            catalogue.entries, catalogue.provenance, catalogue.labels, strict=True
        )
    ]
    keys = [own | {f"file {place}"} for place, own in enumerate(work_keys(titles))]
    digests = catalogue.facts["transposed"].tolist()
    of_pieces = zip(catalogue.files.tolist(), digests, strict=True)
    unite_by_key(groups, enumerate({*keys[file], digest} for file, digest in of_pieces))
    strong = matches.where(same_work(matches))
    for one, other in zip(strong.first.tolist(), strong.second.tolist(), strict=True):
        groups.unite(one, other)
    return np.unique(groups.roots(), return_inverse=True)[1].astype(np.int64)


def _pieces(catalogue: Catalogue, works: NDArray[np.int64]) -> NDArray[np.void]:
    """The array of `PIECE` of all pieces; offsets are not set."""
    facts = catalogue.facts
    pieces = np.zeros(len(facts), dtype=PIECE)
    for field in ("events", "notes", "seconds", "key"):
        pieces[field] = facts[field]
    pieces["work"] = works
    of_file = {"source": _places(catalogue.provenance, "source"),
               "licence": _places(catalogue.provenance, "licence")}  # fmt: skip
    for field, places in of_file.items():
        pieces[field] = places[catalogue.files]
    pieces["styles"] = _style_rows(catalogue.labels)[catalogue.files]
    source = np.where(catalogue.arranged, ARRANGED, facts["source"])
    pieces["kind"] = 2 * source + facts["expressive"]
    pieces["tempo_guessed"] = _tempo_guessed(catalogue)
    return pieces


def _style_rows(labels: Sequence[Labels]) -> NDArray[np.int16]:
    rows = np.full((len(labels), MAX_STYLES), -1, dtype=np.int16)
    for row, own in zip(rows, labels, strict=True):
        row[: len(own.styles)] = own.styles
    return rows


def _places(provenance: Sequence[Provenance], field: str) -> NDArray[np.int16]:
    known = {value: place for place, value in enumerate(values(provenance, field))}
    return np.array([known[getattr(row, field) or "unknown"] for row in provenance], dtype=np.int16)


def _tempo_guessed(catalogue: Catalogue) -> NDArray[np.bool_]:
    bpm, notated = catalogue.facts["bpm"], catalogue.facts["source"] == NOTATED
    guessed = bpm == NO_TEMPO
    of_file = np.array([row.source for row in catalogue.provenance])
    for source, tempos in GUESSED_TEMPOS.items():
        own = notated & (of_file == source)[catalogue.files]
        guessed |= own & np.isclose(bpm[:, None], tempos, atol=0.01).any(axis=1)
    result: NDArray[np.bool_] = guessed
    return result


def _write(
    out: Path, catalogue: Catalogue, pieces: NDArray[np.void], splits: NDArray[np.int8],
    paths: Sequence[Path], tell: Tell,
) -> None:  # fmt: skip
    """Write the splits and, last, the header that makes them a corpus."""
    (out / "corpus.json").unlink(missing_ok=True)
    counts = {}
    for number, split in enumerate(SPLITS):
        tell("writing shards", number, len(SPLITS))
        chosen = splits == number
        own = pieces[chosen]
        names = [catalogue.name(int(piece)) for piece in np.flatnonzero(chosen)]
        write_split(out, split, _tables(paths, chosen), own, names)
        counts[split] = {
            "pieces": len(own), "works": len(np.unique(own["work"])),
            "notes": int(own["notes"].sum(dtype=np.int64)),
            "hours": round(float(own["seconds"].sum(dtype=np.float64)) / 3600, 2),
        }  # fmt: skip
    header = {
        "format": FORMAT, "instruments": instrument_names(), "styles": style_names(),
        "sources": values(catalogue.provenance, "source"),
        "licences": values(catalogue.provenance, "licence"), "splits": counts,
    }  # fmt: skip
    write_text(out / "corpus.json", json.dumps(header, indent=1, ensure_ascii=False) + "\n")
    tell("writing shards", len(SPLITS), len(SPLITS))


def _tables(paths: Sequence[Path], chosen: NDArray[np.bool_]) -> Iterator[Table]:
    """The tables of the chosen pieces, with one part in memory at a time."""
    piece = 0
    for path in paths:
        for table in read_part(path).tables():
            if chosen[piece]:
                yield table
            piece += 1
