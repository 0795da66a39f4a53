"""`musenet corpus build`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from musenet.cli.options import Json, check_place
from musenet.cli.output import print_json, print_table, say, steps

if TYPE_CHECKING:
    from musenet.corpus.report import Count, Report


def build(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCES...", help="Folders and zip archives of MIDI; a "
                       "manifest.tsv in or beside them tells of their files."),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where the corpus goes; an "
                           "interrupted build goes on where it stopped.")
    ],
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Shell pattern of archive/path of files to leave "
                     "out; may be given again."),
    ] = None,
    workers: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, help="Processes; 0 for one a core.")
    ] = 0,
    json: Json = False,
) -> None:  # fmt: skip
    """Clean, label, de-duplicate and split MIDI files into a corpus to train on."""
    from musenet.corpus.build import build as build_corpus

    check_place(out)
    with steps() as tell:
        report = build_corpus(sources, out, exclude=exclude or (), workers=workers, progress=tell)
    if json:
        print_json({"corpus": str(out), **asdict(report)})
    else:
        _summary(report, out)


def _summary(report: Report, out: Path) -> None:
    say(f"{report.files:,} MIDI files")
    _counts("split", report.splits)
    _counts("source", report.sources)
    if report.rejected:
        print_table(("left out because", "files or pieces"), list(report.rejected.items()))
    say(f"the corpus is in {out}, its report in {out / 'report.md'}; train on it with: "
        f"musenet train --data {out} --out RUN --minutes 60")  # fmt: skip


def _counts(kind: str, counts: Mapping[str, Count]) -> None:
    rows = [(name, c.pieces, c.works, c.notes, c.hours) for name, c in counts.items()]
    print_table((kind, "pieces", "works", "notes", "hours"), rows)
