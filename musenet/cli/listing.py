"""`musenet styles`, `musenet instruments` and `musenet info`."""

from __future__ import annotations

import json as json_text
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from musenet.cli.options import Json, Model, check_place
from musenet.cli.output import print_facts, print_json, print_table, say
from musenet.errors import UserError


def styles(
    model: Model = None,
    map_: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE.png|svg|pdf", show_default="none",
                     help="Draw where the styles lie that the model has learnt; --json then has "
                     "the places. Needs scikit-learn: pip install 'musenet[map]'."),
    ] = None,
    works: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, help="Fewest works of a style on the map.")
    ] = 20,
    json: Json = False,
) -> None:  # fmt: skip
    """List the styles that can be asked for, your own too, and how many works are behind each."""
    from musenet.styles import STYLES

    counts = _style_counts(model)
    places = _draw_map(map_, model, counts, works) if map_ else {}
    rows = [asdict(style) | _works(counts, style.name) for style in STYLES]
    rows += _own_rows(counts)
    if json:
        print_json({"styles": [row | places.get(row["name"], {}) for row in rows]})
    elif map_:
        say(f"{map_} is made")
    else:
        columns = ["name", "kind", *(("works", "arranged") if counts else ()), "aliases"]
        print_table(columns, [[row[column] for column in columns] for row in rows])


def _own_rows(counts: Mapping[str, Sequence[int]]) -> list[dict[str, Any]]:
    """The styles of one's own; one that cannot be read says so."""
    from musenet.adapters import load_adapter
    from musenet.own_styles import own_styles

    rows = []
    for path in own_styles():
        kind, pieces = "your own", 0
        try:
            pieces = int(load_adapter(path).facts.get("pieces", 0))
        except UserError:
            kind = "your own, damaged"
        works = {"works": pieces, "arranged": 0} if counts else {}
        rows.append({"name": path.stem, "kind": kind, "aliases": (), **works})
    return rows


def _draw_map(
    file: Path, model: Path | None, counts: Mapping[str, Sequence[int]], works: int
) -> dict[str, dict[str, float]]:
    """Draw the map of styles; the place of each on it."""
    from musenet.checkpoint import load_model
    from musenet.composing.composer import bundled_model
    from musenet.evaluation.stylemap import known_styles, style_map
    from musenet.rendering.stylechart import FORMATS, style_chart
    from musenet.rendering.writing import suffix_of
    from musenet.styles import STYLES

    suffix_of(file, FORMATS, "a map")
    check_place(file.parent)
    network, _ = load_model(model or bundled_model())
    known = known_styles(counts, works)
    points = style_map(network.style.weight.detach().numpy()[known])
    names = [STYLES[style].name for style in known]
    style_chart(points, names, file)
    places = points.round(4).tolist()
    return {name: {"x": x, "y": y} for name, (x, y) in zip(names, places, strict=True)}


def _works(counts: Mapping[str, Sequence[int]], name: str) -> dict[str, int]:
    if not counts:
        return {}
    real, arranged = counts.get(name, (0, 0))
    return {"works": real, "arranged": arranged}


def _style_counts(model: Path | None) -> Mapping[str, Sequence[int]]:
    """Works behind each style, real and arranged, as the model tells; or nothing.

    The bundled model need not be there.
    """
    from musenet.checkpoint import read_tensors
    from musenet.composing.composer import bundled_model

    path = model or bundled_model()
    counts: Mapping[str, Sequence[int]] = {}
    if model or path.is_file():
        file = path / "model.safetensors" if path.is_dir() else path
        counts = read_tensors(file)[1]["facts"].get("style_counts", counts)
    return counts


def instruments(json: Json = False) -> None:
    """List the instruments with their General MIDI programs, from 0, and their ranges."""
    from musenet.composing.notes import pitch_name
    from musenet.instruments import INSTRUMENTS

    rows = [
        {"name": instrument.name, "programs": list(instrument.programs),
         "lowest": pitch_name(instrument.low), "highest": pitch_name(instrument.high)}
        for instrument in INSTRUMENTS
    ]  # fmt: skip
    if json:
        print_json({"instruments": rows})
    else:
        columns = ("name", "lowest", "highest", "programs")
        print_table(columns, [[row[column] for column in columns] for row in rows])


def info(
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, help="A MIDI file, a model, a style of your "
                       "own, the folder of a run or of a corpus."),
    ],
    chords: Annotated[
        bool, typer.Option("--chords", help="The chords that are heard in a MIDI file, bar by bar, "
                           "as 'musenet compose --chords' takes them.")
    ] = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Tell what is in a MIDI file, a model, a style of your own, a run or a corpus."""
    if chords:
        _tell_chords(path, json)
        return
    facts = _facts(path)
    if json:
        print_json(facts)
        return
    tracks = facts.pop("tracks", [])
    print_facts(facts)
    if tracks:
        columns = list(tracks[0])
        print_table(columns, [[track[column] for column in columns] for track in tracks])


def _tell_chords(path: Path, as_json: bool) -> None:
    from musenet.chords import heard_chords, written
    from musenet.key import KEYS, key_of
    from musenet.midi import load

    score = load(path)
    progression = written(heard_chords(score))
    if as_json:
        print_json({"key": KEYS[key_of(score)[0]], "chords": progression})
    else:
        say(progression)


def _facts(path: Path) -> dict[str, Any]:
    if (path / "corpus.json").is_file():
        return _corpus_facts(path)
    if (path / "config.json").is_file():
        return _run_facts(path)
    if path.is_dir():
        raise UserError(f"{path} is neither a corpus nor a run: give one, or a file")
    if path.suffix == ".safetensors":
        return _style_facts(path) or _model_facts(path)
    from musenet.midi import describe

    return {"kind": "MIDI file", **describe(path)}


def _corpus_facts(folder: Path) -> dict[str, Any]:
    from musenet.corpus.shards import read_header

    header = read_header(folder)
    told = ("splits", "sources", "licences")
    return {"kind": "corpus", **{name: header[name] for name in told if name in header}}


def _style_facts(path: Path) -> dict[str, Any]:
    """What is in a style of one's own; nothing where the file is none."""
    from musenet.checkpoint import fingerprint, read_tensors

    meta = read_tensors(path)[1]
    if "style" not in meta:
        return {}
    return {
        "kind": "style", "name": meta["style"], "fingerprint": fingerprint(path),
        "bytes": path.stat().st_size, "model": meta["base"], "facts": meta["facts"],
    }  # fmt: skip


def _model_facts(path: Path) -> dict[str, Any]:
    from musenet.checkpoint import fingerprint, load_model
    from musenet.model import parameters

    model, facts = load_model(path)
    return {
        "kind": "model", "fingerprint": fingerprint(path), "bytes": path.stat().st_size,
        "parameters": parameters(model), "network": asdict(model.config), "facts": facts,
    }  # fmt: skip


def _run_facts(folder: Path) -> dict[str, Any]:
    try:
        config = json_text.loads((folder / "config.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{folder / 'config.json'} is damaged: begin a new run") from error
    facts: dict[str, Any] = {"kind": "run", "config": config}
    weights = folder / "model.safetensors"
    return facts | ({"model": _model_facts(weights)} if weights.is_file() else {})
