"""Notation -> files, by the end of their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from musenet.files import write_atomically
from musenet.rendering.notation.engraving import engrave, pdf_of
from musenet.rendering.notation.musicxml import compressed, to_musicxml
from musenet.rendering.notation.notate import Notation
from musenet.rendering.writing import suffix_of

MUSICXML = (".musicxml", ".xml", ".mxl")
"""Suffixes of files for notation programs."""
PAGES = (".svg", ".pdf")
"""Suffixes of printed scores, which need Verovio."""


def check_name(path: Path) -> str:
    """The suffix of a score's file.

    Raises:
        UserError: no score can be written to such a file.
    """
    return suffix_of(path, (*MUSICXML, *PAGES), "a score")


def save_notation(notation: Notation, path: Path, *, title: str = "") -> list[Path]:
    """Write a score, as MusicXML or as printed pages; the files written.

    SVG of several pages becomes files with the number of the page in their names, such as
    score-1.svg.

    Raises:
        UserError: another suffix, a path that cannot be written, or pages without Verovio.
    """
    suffix = check_name(path)
    document = to_musicxml(notation, title)
    staves = sum(len(part.staves) for part in notation.parts)
    if suffix == ".svg":
        files = _numbered(path, engrave(document, staves))
    elif suffix == ".pdf":
        files = {path: pdf_of(engrave(document, staves))}
    else:
        files = {path: compressed(document) if suffix == ".mxl" else document}
    for name, data in files.items():
        write_atomically(name, data)
    return list(files)


def _numbered(path: Path, pages: Sequence[str]) -> dict[Path, bytes]:
    if len(pages) == 1:
        return {path: pages[0].encode()}
    return {
        path.with_stem(f"{path.stem}-{number}"): page.encode()
        for number, page in enumerate(pages, 1)
    }
