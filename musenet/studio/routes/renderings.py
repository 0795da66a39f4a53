"""Files of a piece: MIDI, sound, pictures, scores, stems."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathPart
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from musenet import midi
from musenet.files import digest
from musenet.instruments import INSTRUMENTS, instrument_id
from musenet.rendering.appearance import instrument_colours
from musenet.studio import stems
from musenet.studio.openings import OPENINGS, opening_midi
from musenet.studio.problems import Problem, not_found
from musenet.studio.rendering import TYPES, formats, rendered
from musenet.studio.services import Services, Studio
from musenet.studio.store import Row

router = APIRouter(prefix="/v1", tags=["renderings"])
Format = Literal[
    "mid", "wav", "flac", "mp3", "ogg", "png", "svg", "pdf", "musicxml", "mxl", "score.svg",
    "score.pdf",
]  # fmt: skip
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_AGAIN = {"Cache-Control": "private, no-cache"}
_MOST = 99_999
"""Pages, and segments of stems, that anything may have."""
_UNFIT = re.compile(r"[^\w\- ]+")


@router.get("/nodes/{node}/renderings/{form}", response_class=FileResponse)
async def rendering(
    studio: Studio, request: Request, node: str, form: Format, download: bool = False,
    page: Annotated[int | None, Query(ge=1, le=_MOST)] = None,
) -> Response:  # fmt: skip
    """A node's current revision as a file."""
    row = await run_in_threadpool(studio.projects.node, node)
    label = row["label"] or "musenet"
    stored = studio.store.files / row["file"]
    name = stored.stem
    made = await _file(studio, name, stored.read_bytes, form, page)
    return _answer(request, made, form, label, download=download)


@router.get("/openings/{opening}/renderings/{form}", response_class=FileResponse)
async def opening_rendering(
    studio: Studio, request: Request, opening: str, form: Format, download: bool = False,
    page: Annotated[int | None, Query(ge=1, le=_MOST)] = None,
) -> Response:  # fmt: skip
    """An opening as a file."""
    known = next((name for name in OPENINGS if name == opening), None)
    if known is None:
        raise not_found("opening")
    data = opening_midi(known)
    name = f"opening-{digest(data)}"
    made = await _file(studio, name, lambda: data, form, page)
    return _answer(request, made, form, OPENINGS[known].title, download=download)


async def _file(
    studio: Services, name: str, read: Callable[[], bytes], form: Format, page: int | None
) -> Path:
    """The file of a rendering, or of a page of `score.svg`."""
    if form not in formats():
        raise Problem(501, "not_installed", "a printed score needs Verovio: "
                      "pip install 'musenet[notation]'")  # fmt: skip

    def make() -> dict[str, bytes]:
        if form == "mid":
            return {"mid": read()}
        return rendered(read(), form, studio.settings.soundfont, "")

    suffix = f"{page}.{form}" if form == "score.svg" and page else form
    return await studio.renderer.file(name, form, make, suffix)


def _answer(request: Request, path: Path, form: Format, label: str, *, download: bool) -> Response:
    headers = {**_AGAIN, "ETag": f'"{path.parent.name}-{path.name}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if form == "score.svg":
        own = path.name.partition(".")[0]
        headers["X-Pages"] = str(len(list(path.parent.glob(f"{own}.*.{form}"))))
    if download:
        plain = _UNFIT.sub("", label).strip()[:80] or "musenet"
        told = quote(f"{plain}.{form}")
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{told}"
    return FileResponse(path, media_type=TYPES[form], headers=headers)


@router.get("/nodes/{node}/stems")
def stem_list(studio: Studio, node: str) -> dict[str, Any]:
    """What to fetch to play a node an instrument at a time."""
    row = studio.projects.node(node)
    score = midi.load(studio.store.midi(row))
    colours = instrument_colours(score.instruments)
    address = f"/v1/nodes/{row['id']}/stems"
    return {
        "revision": row["revision"], "seconds": round(score.seconds, 4),
        "sample_rate": stems.RATE, "segment_seconds": stems.SEGMENT,
        "overlap_seconds": stems.OVERLAP, "segments": stems.segments_of(score),
        "stems": [
            {"instrument": INSTRUMENTS[player].name, "colour": colours[player],
             "gain": stems.GAIN, "silent": stems.silent_segments(score, player),
             "url": f"{address}/{quote(INSTRUMENTS[player].name)}/{{segment}}"
                    f"?revision={row['revision']}&sound={_sound(studio, row)}"}
            for player in score.instruments
        ],
    }  # fmt: skip


@router.get("/nodes/{node}/stems/{instrument}/{number}", response_class=FileResponse)
async def stem(
    studio: Studio, node: str, instrument: str, number: Annotated[int, PathPart(ge=0, le=_MOST)],
    revision: Annotated[int, Query(ge=1, le=2**53)], sound: str = "",
) -> Response:  # fmt: skip
    """A segment of an instrument as WAV."""
    row = await run_in_threadpool(studio.projects.node, node)
    found = await run_in_threadpool(studio.store.revision, row["id"], revision)
    if found is None:
        raise not_found("revision of this node")
    player = instrument_id(instrument)
    name = f"{found['file'].removesuffix('.mid')}.{player}.{number}"

    def make() -> dict[str, bytes]:
        score = midi.load(studio.store.midi(found))
        if player not in score.instruments or number >= stems.segments_of(score):
            raise not_found("such segment of the piece")
        made = stems.segment(score, player, number, studio.settings.soundfont)
        return {"stem.wav": made}

    path = await studio.renderer.file(name, "stem", make, "stem.wav")
    kept = _FOR_EVER if sound == _sound(studio, found) else _AGAIN
    return FileResponse(path, media_type="audio/wav", headers=dict(kept))


def _sound(studio: Services, row: Row) -> str:
    """Names in an address how the file of a node's or revision's row sounds here."""
    return digest(f"{studio.renderer.fingerprint} {row['file']}".encode())
