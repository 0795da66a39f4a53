"""`musenet evaluate music`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

from musenet.cli.music import Music, music_of
from musenet.cli.options import Json
from musenet.cli.output import print_json, print_table, progress, say
from musenet.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from musenet.corpus.shards import Split
    from musenet.evaluation.coherence import Minute
    from musenet.evaluation.comparing import Summary
    from musenet.events import Table

_SPLITS = "train|valid|test"
_ANY = 0.0, math.inf
_PLACES = "A corpus folder, or folders, zip archives and files of MIDI"


@dataclass(frozen=True)
class _Choice:
    """Which pieces of some music are measured.

    Attributes:
        pieces: at most so many, a fixed random choice; None for all.
        style: those alone that carry it; None for any.
        seconds: from and to which length.
        instruments: from and to how many instruments.
    """

    pieces: int | None = None
    style: int | None = None
    seconds: tuple[float, float] = _ANY
    instruments: tuple[float, float] = _ANY

    def of(self, split: Split) -> list[int]:
        """The numbers of the pieces in rising order.

        Raises:
            UserError: there are none.
        """
        wanted = _within(split.pieces["seconds"], self.seconds)
        if self.style is not None:
            wanted &= (split.pieces["styles"] == self.style).any(axis=1)
        found = np.flatnonzero(wanted)
        if self.instruments != _ANY:
            found = found[
                _within([_instruments(split.table(int(i))) for i in found], self.instruments)
            ]
        if not len(found):
            raise UserError("no piece is so: widen --style, --length or --instruments")
        order = np.random.default_rng(0).permutation(len(found))[: self.pieces]
        return [int(piece) for piece in found[np.sort(order)]]


def _within(values: ArrayLike, bounds: tuple[float, float]) -> NDArray[np.bool_]:
    array = np.asarray(values)
    result: NDArray[np.bool_] = (array >= bounds[0]) & (array <= bounds[1])
    return result


def _instruments(table: Table) -> int:
    from musenet.events import is_note

    return len(np.unique(table[is_note(table), 1]))


@dataclass(frozen=True)
class _Measured:
    """Pieces with their measures; `values` has a row a piece and a column a measure."""

    music: Music
    chosen: Sequence[int]
    values: NDArray[np.float64]
    minutes: Sequence[Sequence[Minute]]

    def facts(self) -> dict[str, object]:
        split = self.music.pieces.pieces[list(self.chosen)]
        return {
            "pieces": len(self.chosen), "notes": int(split["notes"].sum()),
            "minutes": float(split["seconds"].sum(dtype=np.float64) / 60),
            "left_out": dict(self.music.left_out),
        }  # fmt: skip


def music(
    data: Annotated[
        list[Path],
        typer.Argument(metavar="DATA...", exists=True, help=f"{_PLACES}."),
    ],
    against: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", exists=True, show_default="none",
                     help=f"What to compare with: {_PLACES[0].lower()}{_PLACES[1:]}; "
                     "may be given several times."),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default="any",
                     help="Pieces of this style alone; with --against it does not "
                     "choose among MIDI files that are compared with it."),
    ] = None,
    length: Annotated[
        str | None,
        typer.Option(metavar="FROM:TO", show_default="any",
                     help="Pieces of so many seconds alone; 180:300 for the coherence of four "
                     "minutes."),
    ] = None,
    instruments: Annotated[
        str | None,
        typer.Option(metavar="FROM:TO", show_default="any",
                     help="Pieces for so many instruments alone, such as 8: for eight and more."),
    ] = None,
    pieces: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", min=1, show_default="all",
                     help="A fixed random choice of at most so many pieces on either side."),
    ] = None,
    split: Annotated[
        str, typer.Option(metavar=_SPLITS, help="Part of a corpus to measure.")
    ] = "test",
    against_split: Annotated[
        str, typer.Option(metavar=_SPLITS, help="Part of a corpus to compare with.")
    ] = "test",
    json: Json = False,
) -> None:  # fmt: skip
    """Musical measures of pieces, and how they compare with those of other music.

    Harmony, texture, repetition, time, endings, and coherence over minutes: docs/measures.md
    has the definitions.
    """
    from musenet.styles import style_id

    chosen = _Choice(
        pieces, style_id(style) if style else None, _bounds("--length", length),
        _bounds("--instruments", instruments),
    )  # fmt: skip
    own = _measured(data, split, chosen, told_style=not against)
    reference = _measured(against, against_split, chosen) if against else None
    result = _result(own, reference)
    if json:
        print_json(result)
    else:
        _print(result)


def _bounds(option: str, text: str | None) -> tuple[float, float]:
    """What FROM:TO says, either of which may be left out; all numbers for None.

    Raises:
        typer.BadParameter: it is not two numbers that rise.
    """
    parts = [part.strip() for part in (text or ":").split(":")]
    try:
        low, high = (float(part or open_end) for part, open_end in zip(parts, _ANY, strict=True))
    except ValueError as error:
        raise typer.BadParameter(f"{option} '{text}' is not FROM:TO") from error
    if not 0 <= low <= high:
        raise typer.BadParameter(f"{option} '{text}' does not rise from 0 or more")
    return low, high


def _measured(
    places: Sequence[Path], split: str, choice: _Choice, *, told_style: bool = True
) -> _Measured:
    """The measures of what is chosen of some music.

    Composed files carry no style: without `told_style` it is asked of a corpus alone.
    """
    from musenet.condition import has_beat
    from musenet.evaluation.coherence import by_minute
    from musenet.evaluation.measures import MEASURES, measures
    from musenet.events import decode

    music = music_of(places, split)
    corpus = music.train is not None
    chosen = (choice if told_style or corpus else replace(choice, style=None)).of(music.pieces)
    values = np.full((len(chosen), len(MEASURES)), math.nan)
    minutes = []
    with progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        for row, piece in enumerate(bar.track(chosen)):
            facts = music.pieces.pieces[piece]
            beats = has_beat(int(facts["kind"]))
            score = decode(music.pieces.table(piece))
            found = measures(score, beats=beats, tempos=not facts["tempo_guessed"])
            values[row] = list(found.values())
            minutes.append(by_minute(score))
    return _Measured(music, chosen, values, minutes)


def _result(own: _Measured, reference: _Measured | None) -> dict[str, Any]:
    from musenet.evaluation.comparing import inside, overlapped_area, summary
    from musenet.evaluation.measures import MEASURES, YES_NO

    table: dict[str, dict[str, Any]] = {}
    within = np.full(own.values.shape, math.nan)
    for column, (name, measure) in enumerate(MEASURES.items()):
        values = own.values[:, column]
        table[name] = {"unit": measure.unit, **_facts(summary(values))}
        if reference is None:
            continue
        theirs = reference.values[:, column]
        their = summary(theirs)
        if measure.unit != YES_NO:
            within[:, column] = inside(values, their)
        table[name] |= {
            "reference": _facts(their), "inside": _mean(within[:, column]),
            "overlapped_area": overlapped_area(values, theirs),
        }  # fmt: skip
    compared = {"reference": reference.facts(), **_inside(within)} if reference else {}
    return {**own.facts(), **compared, "measures": table, "by_piece": _by_piece(own, within)}


def _inside(within: NDArray[np.float64]) -> dict[str, float]:
    """Share inside the reference's interquartile range, over all measures and of coherence."""
    from musenet.evaluation.measures import MEASURES

    minute = [name.startswith("minute_") for name in MEASURES]
    return {"inside": _mean(within), "inside_coherence": _mean(within[:, minute])}


def _facts(measured: Summary) -> dict[str, Any]:
    return asdict(measured)


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _by_piece(own: _Measured, within: NDArray[np.float64]) -> list[dict[str, Any]]:
    from musenet.evaluation.measures import MEASURES

    split = own.music.pieces
    return [
        {
            "name": split.names[piece], "seconds": float(split.pieces["seconds"][piece]),
            "inside": _mean(inside),
            "measures": dict(zip(MEASURES, map(float, values), strict=True)),
            "by_minute": [asdict(minute) for minute in minutes],
        }
        for piece, inside, values, minutes in zip(
            own.chosen, within, own.values, own.minutes, strict=True
        )
    ]  # fmt: skip


def _print(result: Mapping[str, Any]) -> None:
    reference = result.get("reference")
    say(_headline(result) + (f", beside {_headline(reference)}" if reference else ""))
    columns = ["", "unit", "pieces", "mean", "95 %"]
    columns += (
        ["others' mean", "their quartiles", "inside", "overlap"] if reference else ["quartiles"]
    )
    rows = [_row(name, found) for name, found in result["measures"].items() if found["pieces"]]
    print_table(columns, rows)
    if reference:
        say(f"inside: share of pieces between the first and third quartile of the others, "
            f"{result['inside']:.0%} over all measures, "
            f"{result['inside_coherence']:.0%} over those by minute")  # fmt: skip
    if result["left_out"]:
        say(f"left out as unusable: {len(result['left_out'])} files (--json names them)")


def _headline(facts: Mapping[str, Any]) -> str:
    return (
        f"{facts['pieces']:,} pieces with {facts['notes']:,} notes, {facts['minutes']:.0f} minutes"
    )


def _row(name: str, found: Mapping[str, Any]) -> tuple[object, ...]:
    own = name, found["unit"], found["pieces"], _short(found["mean"]), _range(found)
    other = found.get("reference")
    if other is None:
        return *own, _quartiles(found)
    compared = _short(found["inside"]), _short(found["overlapped_area"])
    return *own, _short(other["mean"]), _quartiles(other), *compared


def _range(found: Mapping[str, Any]) -> str:
    return f"{found['low']:.3g} to {found['high']:.3g}"


def _quartiles(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{value:.3g}" for value in found["quartiles"])


def _short(value: float) -> float | None:
    """Three digits, None for what is no number."""
    return None if math.isnan(value) else float(f"{value:.3g}")
