"""The report on a corpus: what it holds, what was left out and why, and how clean the split is."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from musenet.condition import ARRANGED, SOURCES
from musenet.corpus.catalogue import Catalogue, values
from musenet.corpus.shards import SPLITS, instrument_names, open_split, style_names, write_text
from musenet.corpus.works import Matches
from musenet.instruments import DRUMS

LARGEST_WORKS = 12
NEAREST_MATCHES = 12


@dataclass(frozen=True)
class Count:
    """How much of something there is."""

    pieces: int
    works: int
    notes: int
    hours: float


@dataclass(frozen=True)
class Report:
    """What a build made.

    Attributes:
        files: MIDI files found.
        rejected: files and movements left out, by reason.
        splits, styles, sources, licences, kinds: counts by name.
        arranged_styles: counts of the arrangements alone, by style.
        instruments: notes by instrument.
        largest_works: the first piece, number of pieces and notes of the largest works.
        nearest_matches: pairs of pieces on two sides of the split with the most in common:
            names, shared shingles, share of the smaller one.
    """

    files: int
    rejected: dict[str, int]
    splits: dict[str, Count]
    styles: dict[str, Count]
    arranged_styles: dict[str, Count]
    sources: dict[str, Count]
    licences: dict[str, Count]
    kinds: dict[str, Count]
    instruments: dict[str, int]
    largest_works: list[tuple[str, int, int]]
    nearest_matches: list[tuple[str, str, int, float]]


def make_report(
    out: Path, catalogue: Catalogue, pieces: NDArray[np.void], splits: NDArray[np.int8],
    matches: Matches, left_out: Mapping[str, str],
) -> Report:  # fmt: skip
    """The report on a corpus whose shards stand in a folder.

    Args:
        out: the corpus folder.
        catalogue: all pieces, the duplicates among them included.
        pieces: array of `PIECE` of all pieces.
        splits: place in `SPLITS` of each piece, -1 for duplicates.
        matches: pairs of pieces that share melody.
        left_out: reason by name of each file or piece left out.
    """
    kept = pieces[splits >= 0]
    arranged = kept[kept["kind"] // 2 == ARRANGED]
    kinds = [f"{source}, {touch}" for source in SOURCES for touch in ("flat", "expressive")]
    reasons = Counter(reason.split(" of ")[0] for reason in left_out.values())
    return Report(
        files=len(catalogue.entries),
        rejected=dict(sorted(reasons.items())),
        splits={name: _count(pieces[splits == place]) for place, name in enumerate(SPLITS)},
        styles=_by_style(kept),
        arranged_styles=_by_style(arranged),
        sources=_by(kept, "source", values(catalogue.provenance, "source")),
        licences=_by(kept, "licence", values(catalogue.provenance, "licence")),
        kinds=_by(kept, "kind", kinds),
        instruments=_notes_by_instrument(out),
        largest_works=_largest_works(catalogue, pieces, splits),
        nearest_matches=_nearest_matches(catalogue, splits, matches),
    )


def _count(pieces: NDArray[np.void]) -> Count:
    return Count(
        len(pieces), len(np.unique(pieces["work"])), int(pieces["notes"].sum(dtype=np.int64)),
        round(float(pieces["seconds"].sum(dtype=np.float64)) / 3600, 2),
    )  # fmt: skip


def _by(pieces: NDArray[np.void], field: str, names: Sequence[str]) -> dict[str, Count]:
    """Counts by the value of a field, those with pieces alone."""
    present = np.unique(pieces[field]).tolist()
    return {names[value]: _count(pieces[pieces[field] == value]) for value in present}


def _by_style(pieces: NDArray[np.void]) -> dict[str, Count]:
    bearing = {name: (pieces["styles"] == style).any(axis=1)
               for style, name in enumerate(style_names())}  # fmt: skip
    counts = {name: _count(pieces[chosen]) for name, chosen in bearing.items() if chosen.any()}
    without = pieces[(pieces["styles"] < 0).all(axis=1)]
    return counts | ({"none": _count(without)} if len(without) else {})


def _notes_by_instrument(out: Path) -> dict[str, int]:
    notes = np.zeros(64, dtype=np.int64)
    for split in SPLITS:
        events = open_split(out, split).events
        for start in range(0, len(events), 1 << 22):
            notes += np.bincount(events[start : start + (1 << 22), 1], minlength=64)
    return {name: int(notes[i]) for i, name in enumerate(instrument_names()) if i <= DRUMS}


def _largest_works(
    catalogue: Catalogue, pieces: NDArray[np.void], splits: NDArray[np.int8]
) -> list[tuple[str, int, int]]:
    kept = np.flatnonzero(splits >= 0)
    members = np.bincount(pieces["work"][kept])
    notes = np.bincount(pieces["work"][kept], pieces["notes"][kept])
    works, first = np.unique(pieces["work"][kept], return_index=True)
    names = dict(zip(works.tolist(), kept[first].tolist(), strict=True))
    order = np.argsort(-notes, kind="stable")[:LARGEST_WORKS].tolist()
    return [(catalogue.name(names[work]), int(members[work]), int(notes[work]))
            for work in order if work in names]  # fmt: skip


def _nearest_matches(
    catalogue: Catalogue, splits: NDArray[np.int8], matches: Matches
) -> list[tuple[str, str, int, float]]:
    one, other = splits[matches.first], splits[matches.second]
    across = matches.where((one != other) & (one >= 0) & (other >= 0) & (matches.shared > 2))
    order = np.lexsort([across.second, across.first, -across.shared, -across.containment])
    return [
        (catalogue.name(int(across.first[i])), catalogue.name(int(across.second[i])),
         int(across.shared[i]), round(float(across.containment[i]), 4))
        for i in order[:NEAREST_MATCHES].tolist()
    ]  # fmt: skip


def write_report(out: Path, report: Report, left_out: Mapping[str, str]) -> None:
    """Write report.json, report.md and rejected.tsv, each atomically."""
    text = json.dumps(asdict(report), indent=1, ensure_ascii=False)
    write_text(out / "report.json", text + "\n")
    write_text(out / "report.md", "\n".join(_markdown(report)) + "\n")
    rows = "".join(f"{name}\t{reason}\n" for name, reason in sorted(left_out.items()))
    write_text(out / "rejected.tsv", "file\treason\n" + rows)


def _markdown(report: Report) -> Iterable[str]:
    yield f"# Corpus\n\n{report.files:,} MIDI files were found.\n"
    yield "A piece is a movement; a work is all its movements, editions and arrangements."
    tables = {
        "split": report.splits, "source": report.sources, "licence": report.licences,
        "kind (source, velocities)": report.kinds, "style": report.styles,
        "style, arrangements alone": report.arranged_styles,
    }  # fmt: skip
    for title, counts in tables.items():
        yield from _table(
            [title, "pieces", "works", "notes", "hours"],
            [[name, c.pieces, c.works, c.notes, c.hours] for name, c in counts.items()],
        )
    played = {name: notes for name, notes in report.instruments.items() if notes}
    yield from _table(["instrument", "notes"], [[*row] for row in played.items()])
    left_out: list[list[str | int]] = [[*row] for row in report.rejected.items()]
    yield from _table(["left out because", "files or pieces"], left_out)
    yield from _table(
        ["largest works (first piece)", "pieces", "notes"], [[*row] for row in report.largest_works]
    )
    yield from _table(
        ["nearest across the split", "and", "shared shingles", "of the smaller"],
        [[*row] for row in report.nearest_matches],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str | int | float]]) -> Iterable[str]:
    yield f"\n| {' | '.join(head)} |"
    yield f"|---|{'--:|' * (len(head) - 1)}"
    for row in rows:
        cells = [f"{cell:,}" if isinstance(cell, int | float) else cell for cell in row]
        yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
