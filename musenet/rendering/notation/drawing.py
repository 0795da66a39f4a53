"""A page of Verovio's SVG as a matplotlib figure, every shape and letter an outline.

It knows what Verovio writes and no more of SVG: groups, uses, paths, polygons, polylines, rects,
ellipses and text, with translate, scale and rotate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D, Transform

from musenet.rendering.notation.outlines import parse_outline

_A4 = (8.27, 11.69)
_POINTS_AN_INCH = 72
_FONT = "DejaVu Serif"
_LINK = "{http://www.w3.org/1999/xlink}href"
_BOLD, _ITALIC = {"ending", "fing", "reh", "tempo"}, {"dir", "dynam", "mNum"}
_TRANSFORM = re.compile(r"(translate|scale|rotate)\(([^)]*)\)")
_ANCHORS = {"middle": 0.5, "end": 1.0}
_EM = 1000
_MUSIC_GAP = 0.1
_MUSIC = "\ue000"
_WORDS = re.compile("[\ue000-\uf8ff]+|[^\ue000-\uf8ff]+")
"""Runs of music characters (in the private use area) and of others."""


@dataclass(frozen=True)
class _Style:
    """What elements inherit."""

    matrix: Transform
    size: float = 0.0
    bold: bool = False
    italic: bool = False
    anchor: str = "start"


@dataclass
class _Page:
    """Outlines so far, with the widths of their lines, in units of the page."""

    glyphs: Mapping[str, Element]
    folder: File
    paths: list[Path] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    filled: list[bool] = field(default_factory=list)

    def add(self, path: Path, matrix: Transform, width: float = 0.0, filled: bool = True) -> None:
        self.paths.append(matrix.transform_path(path))
        self.widths.append(width)
        self.filled.append(filled)


def draw_page(svg: str, folder: File) -> Figure:
    """The figure of a page, A4.

    Args:
        svg: a page by Verovio.
        folder: outlines of the music font, a file for each code point such as E1D5.xml.
    """
    root = ElementTree.fromstring(svg)
    glyphs = {str(e.get("id")): e for e in root.iter() if e.get("id") and _tag(e) == "g"}
    page = _Page(glyphs, folder)
    inner = next(e for e in root if _tag(e) == "svg")
    width, height = (float(number) for number in str(inner.get("viewBox")).split()[2:])
    for child in inner:
        _draw(page, child, _Style(Affine2D()))
    figure = Figure(figsize=_A4, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    points = _A4[0] * _POINTS_AN_INCH / width
    axes.add_collection(
        PathCollection(
            page.paths,
            facecolors=["black" if filled else "none" for filled in page.filled],
            edgecolors="black",
            linewidths=[line * points for line in page.widths],
        ),
        autolim=False,
    )
    return figure


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _draw(page: _Page, element: Element, style: _Style) -> None:
    classes = set(str(element.get("class", "")).split())
    if "placeholder" in classes:
        return
    style = replace(
        style,
        matrix=_matrix(str(element.get("transform", ""))) + style.matrix,
        bold=style.bold or bool(classes & _BOLD),
        italic=style.italic or bool(classes & _ITALIC),
    )
    tag = _tag(element)
    if tag == "text":
        _draw_text(page, element, style)
    elif tag == "use":
        for child in page.glyphs[str(element.get(_LINK))[1:]]:
            _draw(page, child, style)
    elif tag == "g":
        for child in element:
            _draw(page, child, style)
    elif outline := _outline(tag, element):
        width = float(element.get("stroke-width", 0))
        scale = float(np.abs(style.matrix.transform((1, 0)) - style.matrix.transform((0, 0))).max())
        page.add(outline, style.matrix, width * scale, element.get("fill") != "none")


def _matrix(text: str) -> Affine2D:
    matrix = Affine2D()
    for kind, arguments in reversed(_TRANSFORM.findall(text)):
        numbers = [float(number) for number in re.split(r"[ ,]+", arguments.strip())]
        if kind == "translate":
            matrix.translate(numbers[0], numbers[1] if len(numbers) > 1 else 0.0)
        elif kind == "scale":
            matrix.scale(numbers[0], numbers[-1])
        else:
            x, y = numbers[1:] or (0.0, 0.0)
            matrix.rotate_deg_around(x, y, numbers[0])
    return matrix


def _outline(tag: str, element: Element) -> Path | None:
    """The outline of a shape, None for what is not drawn."""

    def number(name: str) -> float:
        return float(element.get(name, 0))

    if tag == "path":
        return parse_outline(str(element.get("d")))
    if tag in ("polygon", "polyline"):
        flat = [float(part) for part in re.split(r"[ ,]+", str(element.get("points")).strip())]
        points = np.array(flat).reshape(-1, 2)
        return Path(np.vstack([points, points[:1]]) if tag == "polygon" else points)
    if tag == "rect":
        box = Affine2D().scale(number("width"), number("height"))
        return box.translate(number("x"), number("y")).transform_path(Path.unit_rectangle())
    if tag == "ellipse":
        oval = Affine2D().scale(number("rx"), number("ry"))
        return oval.translate(number("cx"), number("cy")).transform_path(Path.unit_circle())
    return None


def _draw_text(page: _Page, element: Element, style: _Style) -> None:
    """Text and its spans; a span that has a place of its own begins a new line."""
    lines: list[tuple[float, float, str, list[tuple[str, _Style]]]] = []
    for span, inherited in _spans(element, style):
        if span.get("x") is not None:
            place = float(span.get("x", 0)), float(span.get("y", 0))
            lines.append((*place, str(span.get("text-anchor", inherited.anchor)), []))
        if span.text and not len(span):
            lines[-1][3].extend((word, inherited) for word in _WORDS.findall(span.text))
    for x, y, anchor, words in lines:
        outlines = [_letters(page.folder, word, how) for word, how in words]
        x -= _ANCHORS.get(anchor, 0.0) * sum(advance for _, advance in outlines)
        for path, advance in outlines:
            page.add(path, Affine2D().translate(x, y) + style.matrix)
            x += advance


def _spans(element: Element, style: _Style) -> Iterator[tuple[Element, _Style]]:
    size = float(str(element.get("font-size", style.size)).removesuffix("px"))
    bold = style.bold or element.get("font-weight") == "bold"
    italic = style.italic or element.get("font-style") == "italic"
    anchor = str(element.get("text-anchor", style.anchor))
    style = replace(style, size=size, bold=bold, italic=italic, anchor=anchor)
    yield element, style
    for child in element:
        yield from _spans(child, style)


def _letters(folder: File, text: str, style: _Style) -> tuple[Path, float]:
    """The outline of a word from (0, 0), y down, and how far it goes to the right."""
    if text >= _MUSIC:
        return _music_letters(folder, text, style.size)
    font = FontProperties(
        family=_FONT,
        weight="bold" if style.bold else "normal",
        style="italic" if style.italic else "normal",
        size=style.size,
    )
    vertices, codes = text_to_path.get_text_path(font, text)
    scale = style.size / float(text_to_path.FONT_SCALE)
    width = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
    if not len(vertices):
        return Path(np.zeros((0, 2))), width
    return Path(np.asarray(vertices) * (scale, -scale), codes), width


def _music_letters(folder: File, text: str, size: float) -> tuple[Path, float]:
    paths: list[Path] = []
    x = 0.0
    for letter in text:
        drawing = ElementTree.parse(folder / f"{ord(letter):04X}.xml").getroot()[0]
        matrix = Affine2D().scale(size / _EM, -size / _EM).translate(x, 0)
        paths.append(matrix.transform_path(parse_outline(str(drawing.get("d")))))
        x = float(paths[-1].get_extents().x1) + _MUSIC_GAP * size
    return Path.make_compound_path(*paths), x
