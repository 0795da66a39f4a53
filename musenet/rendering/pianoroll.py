"""A piece as a picture: a piano roll over several systems, like a page of a score."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from musenet.files import write_atomically
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.rendering.appearance import drum_key_name, instrument_colours
from musenet.rendering.layout import (
    BAR_NUMBERS,
    BOTTOM,
    DRUM_ROW,
    LEFT,
    RIGHT,
    TEMPO_STRIP,
    WIDTH,
    System,
    lay_out,
)
from musenet.rendering.writing import suffix_of
from musenet.score import Array, Score, note_ends, seconds_at, tempo_map

FORMATS = (".png", ".svg", ".pdf")
"""Suffixes that can be written."""

_DPI = 150
_INK, _FAINT = "#23252e", "#8b8f9c"
_BLACK_KEY, _OCTAVE, _BAR, _FRAME = "#f3f3f7", "#d3d5df", "#dfe0e8", "#b4b7c4"
_TEMPO = "#c3c9da"
_BLACK_KEYS = (1, 3, 6, 8, 10)
_MARGIN = 0.45
_TITLE_HEIGHT, _LEGEND_ROW = 0.62, 0.24
_SWATCH, _LETTER, _DIGIT = 0.2, 0.073, 0.062
_NARROWEST = 0.014
_HIT = 0.04
_BAR_NUMBER_ROOM = 0.32
_FAINTEST = 0.35
_LONGEST_TITLE = 85


def piano_roll(score: Score, path: Path, *, title: str = "") -> None:
    """Draw a score into a PNG, SVG or PDF file, by suffix.

    Bars run from left to right in systems, pitches up. A note's colour is its instrument, its
    opacity its velocity; drums have a strip of their own below, and the tempo one above where
    it changes. A score without notes gives an empty roll.

    Raises:
        UserError: another suffix, or a path that cannot be written; nothing is left then.
    """
    suffix = suffix_of(path, FORMATS, "a piano roll")
    buffer = io.BytesIO()
    draw(score, title).savefig(buffer, format=suffix[1:], dpi=_DPI)
    write_atomically(path, buffer.getvalue())


def draw(score: Score, title: str = "") -> Figure:
    """The piano roll of a score as a matplotlib figure."""
    legend = _legend(score)
    header = _MARGIN + (_TITLE_HEIGHT if title else 0.3) + _LEGEND_ROW * len(legend)
    systems = lay_out(score, header)
    height = systems[-1].top + systems[-1].frame.foot + BOTTOM
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
    page.set_axis_off()
    _draw_header(page, score, title, legend)
    for system in systems:
        _draw_paper(page, system)
        _draw_bars(page, system, score)
        _draw_tempo(page, system, score)
        _draw_notes(page, system, score)
    return figure


def _legend(score: Score) -> list[list[tuple[float, int]]]:
    """Rows of the legend: where each instrument's entry begins, and its id."""
    rows: list[list[tuple[float, int]]] = []
    x = WIDTH
    for instrument in score.instruments:
        width = _SWATCH + 0.28 + _LETTER * len(INSTRUMENTS[instrument].name)
        if x + width > WIDTH - RIGHT:
            rows.append([])
            x = LEFT
        rows[-1].append((x, instrument))
        x += width
    return rows


def _draw_header(
    page: Axes, score: Score, title: str, legend: Sequence[Sequence[tuple[float, int]]]
) -> None:
    y = _MARGIN
    if title:
        line = " ".join(title.split())
        if len(line) > _LONGEST_TITLE:
            line = line[: _LONGEST_TITLE - 1] + "…"
        _write(page, LEFT, y, line, 17, weight="bold")
        y += 0.3
    facts = f"{_clock(score.seconds)}  ·  {len(score.notes):,} notes"
    _write(page, LEFT, y, facts, 9, color=_FAINT)
    colours = instrument_colours(score.instruments)
    for row, entries in enumerate(legend):
        middle = y + 0.32 + row * _LEGEND_ROW
        for x, instrument in entries:
            _boxes(page, x, x + _SWATCH, middle - 0.055, middle + 0.055, colours[instrument])
            _write(page, x + _SWATCH + 0.07, middle, INSTRUMENTS[instrument].name, 9)


def _draw_paper(page: Axes, system: System) -> None:
    """The shaded rows of black keys, octave lines with their names, and drum key names."""
    frame, semitone = system.frame, system.frame.semitone
    left, right = system.x(system.start), system.x(system.stop)
    black = [pitch for pitch in frame.pitches if pitch % 12 in _BLACK_KEYS]
    tops = system.pitch_top(black)
    _boxes(page, left, right, tops, tops + semitone, _BLACK_KEY)
    octaves = [pitch for pitch in frame.pitches if pitch % 12 == 0]
    feet = system.pitch_top(octaves) + semitone
    _lines(page, left, right, feet, feet, _OCTAVE, 0.6)
    for pitch, foot in zip(octaves, feet, strict=True):
        _write(page, LEFT - 0.07, foot - semitone / 2, f"C{pitch // 12 - 1}", 7, ha="right")
    rows = system.drum_top(frame.drum_keys)
    _boxes(page, left, right, rows[::2], rows[::2] + DRUM_ROW, _BLACK_KEY)
    for key, top in zip(frame.drum_keys, rows, strict=True):
        _write(page, LEFT - 0.07, top + DRUM_ROW / 2, drum_key_name(key), 5.5, ha="right")


def _draw_bars(page: Axes, system: System, score: Score) -> None:
    """Bar lines, bar numbers, metres where they change, and the time at the start."""
    frame, x = system.frame, system.x(system.bars)
    stretches = [(frame.roll_top, frame.roll_foot), (frame.drums_top, frame.foot)]
    for top, foot in (stretch for stretch in stretches if stretch[1] > stretch[0]):
        _lines(page, x, x, system.top + top, system.top + foot, _BAR, 0.7)
        outline = np.array([x[0], x[-1]])
        _lines(page, outline, outline, system.top + top, system.top + foot, _FRAME, 0.9)
        edges = system.top + np.array([top, foot])
        _lines(page, x[0], x[-1], edges, edges, _FRAME, 0.9)
    y = system.top + BAR_NUMBERS / 2
    clock = _clock(float(seconds_at(score, [system.start])[0]))
    _write(page, LEFT - 0.07, y, clock, 8, ha="right", weight="bold")
    metres = _metre_changes(score)
    widest = _BAR_NUMBER_ROOM / max(float(np.median(np.diff(x))), 1e-6)
    every = next((n for n in (1, 2, 4, 8, 16, 32, 64) if n >= widest), 128)
    for index, tick in enumerate(system.bars[:-1].tolist()):
        number = str(system.first_bar + index)
        if index % every == 0 or tick in metres:
            _write(page, float(x[index]) + 0.02, y, number, 7, color=_FAINT)
        if tick in metres:
            indent = 0.07 + _DIGIT * len(number)
            _write(page, float(x[index]) + indent, y, metres[tick], 7, weight="bold")


def _metre_changes(score: Score) -> dict[int, str]:
    """The metres by tick, without those that only repeat the one in force."""
    changes: dict[int, str] = {}
    last = ""
    for tick, numerator, denominator in score.metres.tolist():
        metre = f"{numerator}/{denominator}"
        if metre != last:
            changes[tick] = last = metre
    return changes


def _draw_tempo(page: Axes, system: System, score: Score) -> None:
    """The tempo as a filled curve, from the slowest of the piece at its foot upwards."""
    if not system.frame.tempos:
        return
    slowest, fastest = system.frame.tempos
    ticks, _, per_tick = tempo_map(score)
    bpm = 60.0 / (per_tick * score.ticks_per_beat)
    inside = (ticks < system.stop) & (np.r_[ticks[1:], system.stop + 1] > system.start)
    starts = np.maximum(ticks[inside], system.start)
    stops = np.r_[starts[1:], system.stop]
    foot = system.top + BAR_NUMBERS + TEMPO_STRIP
    share = 0.15 + 0.85 * (bpm[inside] - slowest) / (fastest - slowest)
    _boxes(page, system.x(starts), system.x(stops), foot - share * TEMPO_STRIP, foot, _TEMPO)
    label = f"♩ = {bpm[inside][0]:.0f}"
    _write(page, LEFT - 0.07, foot - TEMPO_STRIP / 2, label, 6.5, ha="right", color=_FAINT)


def _draw_notes(page: Axes, system: System, score: Score) -> None:
    """All notes that sound in a system, long ones first so that they hide no short ones."""
    ends = note_ends(score)
    inside = (score.notes["onset"] < system.stop) & (ends > system.start)
    longest_first = np.argsort(-score.notes["duration"][inside].astype(np.int64), kind="stable")
    notes, ends = score.notes[inside][longest_first], ends[inside][longest_first]
    left = system.x(np.maximum(notes["onset"], system.start))
    right = np.maximum(system.x(np.minimum(ends, system.stop)), left + _NARROWEST)
    colours = _note_colours(notes, score)
    drums = notes["instrument"] == DRUMS
    top = system.pitch_top(notes["pitch"][~drums])
    _boxes(
        page, left[~drums], right[~drums], top, top + system.frame.semitone, colours[~drums], 0.25
    )
    hits = drums & (notes["onset"] >= system.start)
    top = system.drum_top(notes["pitch"][hits]) + DRUM_ROW * 0.12
    _boxes(page, left[hits], left[hits] + _HIT, top, top + DRUM_ROW * 0.76, colours[hits], 0.25)


def _note_colours(notes: Array, score: Score) -> NDArray[np.float64]:
    """RGBA of some notes of a score, shape (notes, 4); its loudest is opaque."""
    palette = instrument_colours(score.instruments)
    loudest = max(1, score.notes["velocity"].max(initial=1))
    table = np.zeros((len(INSTRUMENTS), 4))
    for instrument, colour in palette.items():
        table[instrument] = to_rgba_array(colour)[0]
    colours: NDArray[np.float64] = table[notes["instrument"]]
    colours[:, 3] = _FAINTEST + (1 - _FAINTEST) * notes["velocity"] / loudest
    return colours


def _boxes(
    page: Axes,
    left: ArrayLike,
    right: ArrayLike,
    top: ArrayLike,
    foot: ArrayLike,
    colours: str | NDArray[np.float64],
    edge: float = 0.0,
) -> None:
    """Rectangles; `edge` is the width of their white outline in points."""
    x0, x1, y0, y1 = np.broadcast_arrays(*(np.atleast_1d(v) for v in (left, right, top, foot)))
    corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=-1).reshape(-1, 4, 2)
    boxes = PolyCollection(
        list(corners), facecolors=colours, edgecolors="white", linewidths=edge, zorder=1
    )
    page.add_collection(boxes, autolim=False)


def _lines(
    page: Axes,
    x0: ArrayLike,
    x1: ArrayLike,
    y0: ArrayLike,
    y1: ArrayLike,
    colour: str,
    width: float,
) -> None:
    ends = np.broadcast_arrays(*(np.atleast_1d(v) for v in (x0, y0, x1, y1)))
    segments = np.stack(ends, axis=-1).reshape(-1, 2, 2)
    lines = LineCollection(list(segments), colors=colour, linewidths=width, zorder=1)
    page.add_collection(lines, autolim=False)


def _write(
    page: Axes,
    x: float,
    y: float,
    text: str,
    size: float,
    *,
    ha: str = "left",
    color: str = _INK,
    weight: str = "normal",
) -> None:
    page.text(
        x, y, text, size=size, ha=ha, va="center_baseline", color=color, weight=weight,
        parse_math=False,
    )  # fmt: skip


def _clock(seconds: float) -> str:
    """Minutes and seconds, such as 4:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"
