"""`musenet judge` and `musenet evaluate styles`: training, measuring and asking the style judge."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from musenet.cli.options import Json, check_weights, positive
from musenet.cli.output import bar, print_facts, print_json, print_table, say
from musenet.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from musenet.corpus.shards import Split
    from musenet.evaluation.judge_measures import Heard
    from musenet.judge import StyleJudge

_HELD_OUT = ("valid", "test")
_TOP = 3
_HEARINGS = {"with instruments": True, "notes alone": False}

Judge = Annotated[
    Path | None,
    typer.Option("--judge", metavar="FILE", exists=True, dir_okay=False,
                 show_default="the bundled one", help="The judge."),
]  # fmt: skip
Pairs = Annotated[
    int, typer.Option(metavar="NUMBER", min=1, help="Pairs of pieces that are mixed to measure by.")
]
Corpus = Annotated[
    Path, typer.Option("--data", metavar="CORPUS", exists=True, file_okay=False, help="A corpus.")
]


def train(
    data: Corpus,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE.safetensors", help="The judge.")
    ],
    minutes: Annotated[
        float, typer.Option(metavar="NUMBER", callback=positive, help="How long to train.")
    ] = 8.0,
    works: Annotated[
        int, typer.Option(metavar="NUMBER", min=1,
                          help="Works that a style needs in the validation and the test split "
                          "together to be judged.")
    ] = 10,
    go_on: Annotated[
        Path | None, typer.Option("--judge", metavar="FILE", exists=True, dir_okay=False,
                                  help="A judge of these styles to go on from.")
    ] = None,
    pairs: Pairs = 400,
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, max=2**63 - 1, help="Of weights and order.")
    ] = 0,
    json: Json = False,
) -> None:  # fmt: skip
    """Train the judge of styles: a small network of its own that hears the style of a piece.

    It learns from the training pieces of a corpus and is measured on the held-out works.
    """
    from musenet.corpus.shards import open_split
    from musenet.evaluation.judge_training import fit, judged_styles
    from musenet.judge import load_judge, save_judge

    check_weights(out)
    held_out = [open_split(data, split) for split in _HELD_OUT]
    learnt = open_split(data, "train")
    styles = judged_styles(held_out, works)
    begun = load_judge(go_on)[0] if go_on else None
    if begun is not None and list(begun.styles) != styles:
        raise UserError(f"{go_on} judges other styles than these: leave --judge out")
    judge = fit(learnt, styles, _clock(60 * minutes), seed, begun)
    facts = {
        "minutes": minutes, "seed": seed, "training_pieces": len(learnt),
        "held_out": _measured(judge, held_out), "blends": _blends(judge, held_out, learnt, pairs),
    }  # fmt: skip
    save_judge(out, judge, facts)
    _tell({"judge": str(out), **facts}, as_json=json)


def evaluate(
    data: Corpus,
    judge: Judge = None,
    split: Annotated[
        str | None,
        typer.Option(metavar="train|valid|test", show_default="valid and test together",
                     help="Part of the corpus."),
    ] = None,
    pairs: Pairs = 400,
    json: Json = False,
) -> None:  # fmt: skip
    """How well the judge hears the styles of human works, beside chance, and two at once."""
    from musenet.corpus.shards import open_split
    from musenet.judge import load_judge

    head, _ = load_judge(judge)
    splits = [open_split(data, name) for name in ((split,) if split else _HELD_OUT)]
    facts = {
        "split": split or " and ".join(_HELD_OUT), "held_out": _measured(head, splits),
        "blends": _blends(head, splits, open_split(data, "train"), pairs),
    }  # fmt: skip
    _tell(facts, as_json=json)


def styles(
    data: Annotated[
        list[Path],
        typer.Argument(metavar="DATA...", exists=True,
                       help="Folders, zip archives and files of MIDI, or a corpus folder."),
    ],
    judge: Judge = None,
    notes_alone: Annotated[
        bool,
        typer.Option("--notes-alone", help="Do not let the judge hear which instruments play."),
    ] = False,
    split: Annotated[
        str, typer.Option(metavar="train|valid|test", help="Part of a corpus.")
    ] = "test",
    json: Json = False,
) -> None:  # fmt: skip
    """Which styles the judge hears in pieces, the likeliest first.

    A probability is the share of the piece that is of a style, if all judged styles were equally
    likely.
    """
    import numpy as np

    from musenet.cli.music import music_of
    from musenet.judge import LEAST_NOTES, load_judge
    from musenet.styles import STYLES

    head, _ = load_judge(judge)
    pieces = music_of(data, split).pieces
    chosen = np.flatnonzero(pieces.pieces["notes"] >= LEAST_NOTES).tolist()
    if not chosen:
        raise UserError(f"no piece has {LEAST_NOTES} notes: too little to tell a style by")
    names = [STYLES[style].name for style in head.styles]
    found = _probabilities(head, pieces, chosen, instruments=not notes_alone)
    result = {
        "instruments": not notes_alone,
        "pieces": [
            {"name": pieces.names[piece], "styles": _ranked(names, row)}
            for piece, row in zip(chosen, found, strict=True)
        ],
        "mean": _ranked(names, found.mean(axis=0)),
        "too_short": len(pieces) - len(chosen),
    }
    if json:
        print_json(result)
    else:
        _print_styles(result)


def _clock(seconds: float) -> Iterator[float]:
    """How much of some seconds has gone, again and again, until they are over."""
    started = time.monotonic()
    with bar("training") as shown:
        task = shown.add_task("", total=seconds)
        while (gone := time.monotonic() - started) < seconds:
            shown.update(task, completed=gone)
            yield gone / seconds


def _measured(judge: StyleJudge, splits: Sequence[Split]) -> dict[str, Any]:
    """What is measured of a judge, with the instruments and by the notes alone."""
    from musenet.evaluation.judge_measures import measured, together

    return {
        name: measured(together([_heard(judge, split, hears) for split in splits]), judge.styles)
        for name, hears in _HEARINGS.items()
    }


def _blends(
    judge: StyleJudge, splits: Sequence[Split], learnt: Split, count: int
) -> dict[str, Any]:
    """How well a judge hears two styles at once, with the instruments and by the notes alone."""
    from musenet.corpus.relatives import relatives
    from musenet.evaluation.judge_blends import blends_heard, pairs_of

    kin = relatives(learnt, judge.styles)
    pairs = pairs_of(splits, judge.styles, kin, count)
    with bar("hearing blends") as shown:
        return {
            name: blends_heard(judge, shown.track(pairs), kin, instruments=hears)
            for name, hears in _HEARINGS.items()
        }


def _heard(judge: StyleJudge, split: Split, instruments: bool) -> Heard:
    from musenet.evaluation.judge_measures import hear, usable

    with bar("hearing") as shown:
        pieces = usable(split, judge.styles)
        if not pieces:
            raise UserError("no piece of these splits is of a judged style: use a larger corpus")
        return hear(judge, split, shown.track(pieces), instruments=instruments)


def _probabilities(
    judge: StyleJudge, pieces: Split, chosen: Sequence[int], *, instruments: bool
) -> np.ndarray[Any, np.dtype[np.float64]]:
    import numpy as np

    with bar("hearing") as shown:
        return np.array([
            judge.probabilities(pieces.table(piece), instruments=instruments)
            for piece in shown.track(chosen)
        ])  # fmt: skip


def _ranked(names: Sequence[str], row: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
    return {names[place]: round(float(row[place]), 4) for place in (-row).argsort(kind="stable")}


def _tell(facts: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    print_facts({name: facts[name] for name in facts if name not in ("held_out", "blends")})
    hearings: Mapping[str, Mapping[str, Any]] = facts["held_out"]
    numbers = [name for name in next(iter(hearings.values())) if name != "styles"]
    columns = ("", *(name.replace("_", " ") for name in numbers))
    print_table(columns, [(name, *map(_short, map(own.get, numbers)))
                          for name, own in hearings.items()])  # fmt: skip
    for name, own in hearings.items():
        say(f"by style, {name}:")
        rows = [(style, *map(_short, row.values())) for style, row in own["styles"].items()]
        print_table(("", "works", "own", "first", "AUC"), rows)
    say("own: share of the works whose likeliest style is one of their own; first: is this one; "
        "AUC: how often a work of the style is above another work")  # fmt: skip
    say("human music of two styles, both above all others but relatives:")
    blends: Mapping[str, Mapping[str, Mapping[str, float]]] = facts["blends"]
    rows = [
        (name, kind, *map(_short, row.values()))
        for name, own in blends.items() for kind, row in own.items()
    ]  # fmt: skip
    print_table(("", "", "share", "95 % from", "to"), rows)


def _short(value: float | None) -> float | None:
    return round(value, 3) if isinstance(value, float) else value


def _print_styles(result: Mapping[str, Any]) -> None:
    rows = [(piece["name"], *_first(piece["styles"])) for piece in result["pieces"]]
    print_table(("", *(f"{place}." for place in range(1, len(rows[0])))), rows)
    say(f"mean over {len(result['pieces'])} pieces: {', '.join(_first(result['mean']))}")
    if result["too_short"]:
        say(f"left out as too short: {result['too_short']} pieces")


def _first(ranked: Mapping[str, float]) -> list[str]:
    return [f"{name} {chance:.0%}" for name, chance in list(ranked.items())[:_TOP]]
