"""Pages of music from MusicXML by Verovio (the extra `notation`), as SVG and PDF."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from musenet.errors import UserError

_PAGE = (2100, 2970)
"""Width and height of A4 in tenths of a millimetre."""
_UNIT, _SMALLEST_UNIT = 8.0, 4.5
_COMFORTABLE_STAVES = 9
_SCALE = 40
_SIZE = re.compile(r'<svg width="(\d+)px" height="(\d+)px"')


def engrave(musicxml: bytes, staves: int = 1) -> list[str]:
    """The pages of a MusicXML document as SVG, A4; the same each time.

    Args:
        musicxml: the document.
        staves: of one system; many are drawn smaller.

    Raises:
        UserError: Verovio is not installed.
    """
    toolkit = _toolkit()
    unit = max(_SMALLEST_UNIT, min(_UNIT, _UNIT * _COMFORTABLE_STAVES / staves))
    options = {
        "pageWidth": _PAGE[0], "pageHeight": _PAGE[1], "scale": _SCALE, "unit": unit,
        "breaks": "auto", "condense": "none", "footer": "none", "xmlIdSeed": 1,
    }  # fmt: skip
    toolkit.setOptions(options)
    if not toolkit.loadData(musicxml.decode()):
        raise RuntimeError(f"Verovio refuses a score: {toolkit.getLog()}")
    return [toolkit.renderToSVG(page) for page in range(1, toolkit.getPageCount() + 1)]


def stacked(pages: Sequence[str]) -> str:
    """All pages that `engrave` made in one SVG, one below the other."""
    sizes = [[int(side) for side in _SIZE.findall(page)[0]] for page in pages]
    tops = list(accumulate((height for _, height in sizes), initial=0))
    width = max(width for width, _ in sizes)
    inner = [
        page.replace("<svg ", f'<svg y="{top}" ', 1) for page, top in zip(pages, tops, strict=False)
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}px" height="{tops[-1]}px">'
    return "\n".join([head, *inner, "</svg>"])


def pdf_of(pages: Sequence[str]) -> bytes:
    """A PDF document of pages that `engrave` made."""
    from matplotlib.backends.backend_pdf import PdfPages

    from musenet.rendering.notation.drawing import draw_page

    buffer = io.BytesIO()
    with PdfPages(buffer, metadata={"CreationDate": None}) as document:
        for page in pages:
            document.savefig(draw_page(page, glyph_folder()))
    return buffer.getvalue()


def glyph_folder() -> Path:
    """Where Verovio keeps the outlines of its music font."""
    import verovio

    return Path(verovio.__file__).parent / "data" / "Leipzig"


def _toolkit() -> Any:  # noqa: ANN401 (Verovio carries no types)
    try:
        import verovio
    except ImportError as error:
        raise UserError(
            "a printed score needs Verovio: pip install 'musenet[notation]', or name a .musicxml "
            "file and open it in a notation program"
        ) from error
    # each thread has a path of its own, and importing sets only that of the first
    verovio.setDefaultResourcePath(str(glyph_folder().parent))
    return verovio.toolkit()
