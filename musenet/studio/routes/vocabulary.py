"""Styles, instruments and openings."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import State

from musenet import midi
from musenet.composing.composer import Composer
from musenet.composing.notes import pitch_name
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.rendering.appearance import drum_key_name, instrument_colours
from musenet.studio import pieces
from musenet.studio.openings import OPENINGS, opening_midi
from musenet.studio.own import own_rows
from musenet.studio.problems import not_found
from musenet.studio.services import Studio
from musenet.styles import STYLES

router = APIRouter(prefix="/v1", tags=["words to ask with"])
_FEWEST_WORKS = 20
_drawing = threading.Lock()


def has_map() -> bool:
    """Whether styles can be given places."""
    return find_spec("sklearn") is not None


@router.get("/styles")
def styles(studio: Studio, request: Request) -> dict[str, Any]:
    """The styles, and where they lie on the map; behind them those of one's own."""
    composer = studio.worker.composer
    base = None if composer is None else composer.name
    return {"styles": [*_known(composer, request.app.state), *own_rows(base)]}


def _known(composer: Composer | None, state: State) -> list[dict[str, Any]]:
    """The styles that musenet knows; the map is drawn once."""
    with _drawing:
        if composer is None:
            return _styles(None)
        if not hasattr(state, "styles"):
            state.styles = _styles(composer)
        rows: list[dict[str, Any]] = state.styles
        return rows


def _styles(composer: Composer | None) -> list[dict[str, Any]]:
    from musenet.evaluation.stylemap import family_of

    counts = composer.facts.get("style_counts", {}) if composer else {}
    places = _places(composer) if composer else {}
    rows = []
    for index, style in enumerate(STYLES):
        works, arranged = counts.get(style.name, (0, 0)) if counts else (None, None)
        x, y = places.get(index, (None, None))
        rows.append(
            {"name": style.name, "kind": style.kind, "aliases": list(style.aliases),
             "family": family_of(style.name), "works": works, "arranged": arranged, "x": x, "y": y}
        )  # fmt: skip
    return rows


def _places(composer: Composer) -> dict[int, tuple[float, float]]:
    """The place of each style that the model knows well on the map; none without it."""
    from musenet.evaluation.stylemap import FEWEST_STYLES, known_styles, style_map

    known = known_styles(composer.facts.get("style_counts", {}), _FEWEST_WORKS)
    if not has_map() or len(known) < FEWEST_STYLES:
        return {}
    weights = composer.model.style.weight.detach().cpu().numpy()
    points = style_map(weights[known]).round(4).tolist()
    return {style: (x, y) for style, (x, y) in zip(known, points, strict=True)}


@router.get("/instruments")
def instruments() -> dict[str, Any]:
    """The instruments and the names of drum keys."""
    rows = [
        {"name": one.name, "programs": list(one.programs), "low": one.low, "high": one.high,
         "lowest": pitch_name(one.low), "highest": pitch_name(one.high),
         "colour": instrument_colours([index])[index], "drums": index == DRUMS}
        for index, one in enumerate(INSTRUMENTS)
    ]  # fmt: skip
    kit = INSTRUMENTS[DRUMS]
    keys = [{"key": key, "name": drum_key_name(key)} for key in range(kit.low, kit.high + 1)]
    return {"instruments": rows, "drum_keys": keys}


@router.get("/openings")
def openings() -> dict[str, Any]:
    """Themes to go on from."""
    rows = []
    for name, opening in OPENINGS.items():
        facts = pieces.summary(midi.load(opening_midi(name)))
        rows.append(
            {"id": name, "title": opening.title, "composer": opening.composer,
             "year": opening.year, "style": opening.style, "bars": facts["bars"],
             "seconds": facts["seconds"], "instruments": list(opening.parts)}
        )  # fmt: skip
    return {"openings": rows}


@router.get("/openings/{opening}/score")
def opening_score(opening: str) -> dict[str, Any]:
    """The notes of an opening."""
    if opening not in OPENINGS:
        raise not_found("opening")
    return {"revision": 1, **pieces.to_json(midi.load(opening_midi(opening)))}
