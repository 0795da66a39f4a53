"""Printed scores: Verovio takes every document without a word, and pages become PDF."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from matplotlib.path import Path as Outline
from music import melody, together
from strategies import scores

from musenet.errors import UserError
from musenet.instruments import instrument_id
from musenet.rendering.notation.drawing import draw_page
from musenet.rendering.notation.engraving import engrave, glyph_folder, pdf_of
from musenet.rendering.notation.musicxml import to_musicxml
from musenet.rendering.notation.notate import notate
from musenet.rendering.notation.outlines import parse_outline
from musenet.rendering.notation.saving import save_notation
from musenet.score import Score

BAND = ("flute", "viola", "cello", "piano", "drums", "electric bass")


def band(notes: int = 96) -> Score:
    return together(melody(i, notes, instrument=instrument_id(name)) for i, name in enumerate(BAND))


@given(scores(max_beats=10, max_notes=16))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_verovio_says_nothing(capfd: pytest.CaptureFixture[str], score: Score) -> None:
    pages = engrave(to_musicxml(notate(score), "Any"))
    assert pages and all(page.startswith("<svg") for page in pages)
    assert capfd.readouterr() == ("", "")


def test_a_band_is_engraved_the_same_each_time() -> None:
    document = to_musicxml(notate(band()), "Band")
    pages = engrave(document, staves=7)
    assert pages == engrave(document, staves=7)
    assert len(pages) > 1
    assert pages[0].count('class="note"') > 100
    assert "Viola" in pages[0]


def test_a_page_is_drawn_with_its_title() -> None:
    pages = engrave(to_musicxml(notate(melody(0)), "Price: $5 & $6"))
    figure = draw_page(pages[0], glyph_folder())
    (drawn,) = figure.axes[0].collections
    assert len(drawn.get_paths()) > 200
    x0, y0, x1, y1 = figure.axes[0].viewLim.extents
    for outline in drawn.get_paths():
        assert (outline.vertices[:, 0] >= x0 - 1).all() and (outline.vertices[:, 0] <= x1).all()
        assert (outline.vertices[:, 1] >= min(y0, y1) - 1).all()


def test_files_by_suffix(tmp_path: Path) -> None:
    notation = notate(band())
    starts = {"musicxml": b"<?xml", "xml": b"<?xml", "mxl": b"PK", "pdf": b"%PDF"}
    for suffix, start in starts.items():
        path = tmp_path / f"piece.{suffix}"
        assert save_notation(notation, path, title="Piece") == [path]
        assert path.read_bytes().startswith(start)
    pages = save_notation(notation, tmp_path / "piece.svg")
    assert [page.name for page in pages][:2] == ["piece-1.svg", "piece-2.svg"]
    short = save_notation(notate(melody(0, 8)), tmp_path / "short.svg")
    assert short == [tmp_path / "short.svg"]
    assert pdf_of([short[0].read_text()]).count(b"/Type /Page ") == 1


def test_a_score_cannot_be_a_sound(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.mxl, \.svg or \.pdf"):
        save_notation(notate(melody(0)), tmp_path / "piece.wav")


def test_without_verovio_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "verovio", None)
    with pytest.raises(UserError, match=r"musenet\[notation\]"):
        save_notation(notate(melody(0)), tmp_path / "piece.pdf")
    assert list(tmp_path.iterdir()) == []


def test_outlines_are_read() -> None:
    outline = parse_outline("M1 2h3v-1l-1.5.5zm10 0C0 0 1 1 2 2s1-1 2-2")
    assert outline.vertices.tolist() == [
        [1, 2], [4, 2], [4, 1], [2.5, 1.5], [1, 2], [11, 2], [0, 0], [1, 1], [2, 2], [3, 3],
        [3, 1], [4, 0],
    ]  # fmt: skip
    codes = [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY, Outline.MOVETO]
    assert outline.codes.tolist() == [*codes, *[Outline.CURVE4] * 6]
