"""The map of styles as a picture: a dot and a name for each, coloured by family."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from musenet.evaluation.stylemap import FAMILIES, family_of
from musenet.files import write_atomically
from musenet.rendering.appearance import COLOURS, DRUM_COLOUR
from musenet.rendering.writing import suffix_of

FORMATS = (".png", ".svg", ".pdf")
"""Suffixes that can be written."""

_DPI = 100
_SIZE = (15.0, 11.5)
_PAGE = (0.02, 0.02, 0.96, 0.88)
_LETTERS, _DOT = 9.0, 5.0
_REACHES = (6.0, 13.0, 22.0, 34.0, 48.0)
"""Distances of a name from its dot that are tried, in points."""
_DIRECTIONS = np.deg2rad([0, 180, 90, 270, 45, 315, 135, 225])
_INK, _LINE = "#23252e", "#b4b7c4"
_COLOURS = dict(
    zip(
        FAMILIES,
        [
            *(COLOURS[name] for name in (
                "navy", "sky", "violet", "magenta", "blue", "gold", "green", "red", "orange",
                "teal", "brown",
            )),
            DRUM_COLOUR,
        ],
        strict=True,
    )
)  # fmt: skip

Box = tuple[float, float, float, float]
"""Left, foot, right and top, in points."""


def style_chart(points: NDArray[np.float64], names: Sequence[str], path: Path) -> None:
    """Draw a map of styles into a PNG, SVG or PDF file, by suffix.

    Args:
        points: coordinates of -1 to 1, shape (n, 2), as of `stylemap.style_map`.
        names: of the styles, in the same order; earlier ones get the better places.
        path: the file.

    Raises:
        UserError: another suffix, or a path that cannot be written; nothing is left then.
    """
    suffix = suffix_of(path, FORMATS, "a map")
    buffer = io.BytesIO()
    draw(points, names).savefig(buffer, format=suffix[1:], dpi=_DPI)
    write_atomically(path, buffer.getvalue())


def draw(points: NDArray[np.float64], names: Sequence[str]) -> Figure:
    """The map as a matplotlib figure."""
    figure = Figure(figsize=_SIZE, facecolor="white")
    width, height = _SIZE[0] * 72, _SIZE[1] * 72
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))
    page.set_axis_off()
    families = [family_of(name) for name in names]
    _draw_legend(page, families, width, height)
    left, foot, share_x, share_y = _PAGE
    frame = (left * width, foot * height, (left + share_x) * width, (foot + share_y) * height)
    dots = _on_page(points, frame)
    page.scatter(dots[:, 0], dots[:, 1], s=_DOT**2, c=[_COLOURS[f] for f in families], zorder=3)
    sizes = [_text_size(page, name, figure.dpi) for name in names]
    for dot, name, family, place in zip(
        dots, names, families, label_places(dots, sizes, frame), strict=True
    ):
        _draw_label(page, dot, name, _COLOURS[family], place)
    return figure


def label_places(
    dots: NDArray[np.float64], sizes: Sequence[tuple[float, float]], frame: Box
) -> list[Box]:
    """A box for the name of each dot, which overlaps neither dots nor boxes before it if it can.

    The nearest free place around the dot is taken; where there is none, the one that is covered
    least.

    Args:
        dots: shape (n, 2), in points.
        sizes: width and height of each name, in points.
        frame: where boxes may lie.
    """
    half = _DOT / 2 + 1
    taken = np.concatenate([dots - half, dots + half], axis=1)
    placed: list[Box] = []
    for dot, size in zip(dots, sizes, strict=True):
        boxes = _candidates(dot, size, frame)
        covered = _overlaps(boxes, taken).sum(axis=1)
        best = boxes[int(np.argmin(np.round(covered, 3)))]
        taken = np.concatenate([taken, best[None]])
        placed.append((float(best[0]), float(best[1]), float(best[2]), float(best[3])))
    return placed


def _candidates(
    dot: NDArray[np.float64], size: tuple[float, float], frame: Box
) -> NDArray[np.float64]:
    """Boxes around a dot within the frame, the nearest first, (places, 4)."""
    reach, angle = (a.ravel() for a in np.meshgrid(_REACHES, _DIRECTIONS, indexing="ij"))
    towards = np.stack([np.cos(angle), np.sin(angle)], axis=1).round(6)
    centres = dot + towards * (reach[:, None] + np.array(size) / 2 * np.abs(np.sign(towards)))
    half = np.array(size) / 2
    low, high = np.array(frame[:2]) + half, np.array(frame[2:]) - half
    centres = np.clip(centres, low, high)
    return np.concatenate([centres - half, centres + half], axis=1)


def _overlaps(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Areas that pairs of boxes share, (boxes, others)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    area: NDArray[np.float64] = np.maximum(high - low, 0.0).prod(axis=2)
    return area


def _on_page(points: NDArray[np.float64], frame: Box) -> NDArray[np.float64]:
    """Coordinates of -1 to 1 in points, with room for names beside the outermost dots."""
    room = np.array([60.0, 20.0])
    low, high = np.array(frame[:2]) + room, np.array(frame[2:]) - room
    spread = np.maximum(np.abs(points).max(axis=0), 1e-9)
    placed: NDArray[np.float64] = (low + high) / 2 + points / spread * (high - low) / 2
    return placed


def _text_size(page: Axes, text: str, dpi: float) -> tuple[float, float]:
    label = page.text(0, 0, text, size=_LETTERS, parse_math=False)
    extent = label.get_window_extent()
    label.remove()
    return extent.width * 72 / dpi, extent.height * 72 / dpi


def _draw_label(page: Axes, dot: NDArray[np.float64], name: str, colour: str, place: Box) -> None:
    left, foot, right, top = place
    nearest = np.clip(dot, (left, foot), (right, top))
    if np.linalg.norm(nearest - dot) > _REACHES[0] + 1:
        page.plot(*zip(dot, nearest, strict=True), color=_LINE, linewidth=0.6, zorder=1)
    page.text(
        (left + right) / 2, (foot + top) / 2, name, size=_LETTERS, color=colour, ha="center",
        va="center", parse_math=False, zorder=2,
    )  # fmt: skip


def _draw_legend(page: Axes, families: Sequence[str], width: float, height: float) -> None:
    """A title, and the families that stand on the map in two rows."""
    page.text(24, height - 26, "Styles as the model hears them", size=17, weight="bold", color=_INK)
    shown = [family for family in FAMILIES if family in families]
    columns = -(-len(shown) // 2)
    for place, family in enumerate(shown):
        x = 28 + (width - 48) / max(6, columns) * (place % columns)
        y = height - 50 - 16 * (place // columns)
        page.scatter([x], [y], s=(_DOT + 2) ** 2, c=_COLOURS[family])
        page.text(x + 9, y, family, size=10, va="center_baseline", color=_INK)
