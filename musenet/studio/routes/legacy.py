"""The routes of OpenAI's MuseNet service of 2019."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError

from musenet import midi, openai_encoding
from musenet.composing.composer import Composer
from musenet.composing.finishing import Composition
from musenet.composing.prompt import LONGEST_OPENING, MIN_MINUTES, opening_of
from musenet.composing.prompt import Prompt as ComposerPrompt
from musenet.errors import UserError
from musenet.studio import legacy, pieces
from musenet.studio.jobs import Job, Watch
from musenet.studio.models import Encoded, GivenMidi, Sample
from musenet.studio.problems import Problem, over_limit
from musenet.studio.rendering import TYPES, rendered
from musenet.studio.services import Services, Studio

router = APIRouter(tags=["the service of 2019"])
_POLL = 0.1
_SPARE = 1.15
"""Share of the shortest length behind a long opening that leaves room for new notes."""
Read = TypeVar("Read", bound=BaseModel)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"content": content, "required": True}}


async def _body(request: Request, model: type[Read]) -> Read:
    """The body, whatever its content type says."""
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Problem(422, "invalid", f"{place}: {first['msg']}".lstrip(": ")) from error


@router.post("/sample", openapi_extra=_schema(Sample))
async def sample(studio: Studio, request: Request) -> dict[str, Any]:
    """Four completions of an encoding."""
    wish = await _body(request, Sample)
    form = legacy.audio_format(wish.audioFormat)
    job, made = await run_in_threadpool(_queued, studio, wish)
    while not job.over.is_set():
        if await request.is_disconnected():
            studio.worker.cancel(job)
        await asyncio.sleep(_POLL)
    if job.state != "finished":
        raise job.failure or Problem(503, "failed", job.state)
    audio = [await _audio(studio, ids, form) for ids in made] if form else [b""] * len(made)
    rows = zip(made, audio, strict=True)
    return {"completions": [legacy.completion(ids, sound) for ids, sound in rows]}


def _queued(studio: Services, wish: Sample) -> tuple[Job, list[list[int]]]:
    """A job for a request, and the list that gets its encodings."""
    studio.worker.ready()
    ids, made = legacy.ids_of(wish.encoding), list[list[int]]()
    score = openai_encoding.decode(ids)
    given = pieces.written(score) if len(score.notes) else None
    cut = 0.0
    seconds = legacy.SECONDS_A_TOKEN * wish.generationLength
    if given is not None:
        cut = opening_of(ComposerPrompt(minutes=60.0), midi.load(given), ()).seconds
        seconds = max(cut + seconds, _SPARE * cut / LONGEST_OPENING)
    minutes = max(MIN_MINUTES, seconds / 60)
    if minutes > studio.settings.limits.minutes:
        raise over_limit("the encoding is too long to go on: send a shorter one")
    players, styles = legacy.players_of(wish.instrument), legacy.style_of(wish.genre)
    seed = secrets.randbelow(2**31)

    def compose(by: Composer, watch: Watch) -> list[Composition]:
        return by.compose(
            styles=styles, instruments=players, minutes=minutes, given=given, seed=seed,
            temperature=wish.temperature, candidates=legacy.COMPLETIONS, progress=watch.progress,
            stop=watch.stop,
        )  # fmt: skip

    def deliver(_: Job, found: Sequence[Composition]) -> None:
        most = wish.generationLength
        made.extend(legacy.continued(ids, piece.score, cut, most) for piece in found)

    job = Job(compose, deliver, lambda _: None, 60 * minutes, legacy.COMPLETIONS)
    studio.worker.submit(job)
    return job, made


@router.post("/audio", openapi_extra=_schema(Encoded))
async def audio(studio: Studio, request: Request) -> Response:
    """An encoding as a file."""
    wish = await _body(request, Encoded)
    form = legacy.audio_format(wish.audioFormat) or "mp3"
    data = await _audio(studio, legacy.ids_of(wish.encoding), form)
    return Response(data, media_type=TYPES[form])


@router.post("/midi", openapi_extra=_schema(GivenMidi))
async def given_midi(studio: Studio, request: Request) -> dict[str, Any]:
    """A MIDI file as an encoding."""
    wish = await _body(request, GivenMidi)
    form = legacy.audio_format(wish.audioFormat)

    def encode() -> list[int]:
        score = pieces.read(legacy.given_midi(wish.midi), studio.settings.limits)
        return openai_encoding.encode(score)

    ids = await run_in_threadpool(encode)
    return legacy.completion(ids, await _audio(studio, ids, form) if form else b"")


async def _audio(studio: Services, ids: Sequence[int], form: str) -> bytes:
    """Ids as sound, or as MIDI."""

    def make() -> dict[str, bytes]:
        score = openai_encoding.decode(ids)
        if not len(score.notes):
            raise UserError("there are no notes in the encoding: send some")
        pieces.check(score, studio.settings.limits)
        data = pieces.written(score)
        return {form: data if form == "mid" else _sound(data, form, studio)}

    return await studio.renderer.once(form, make)


def _sound(data: bytes, form: str, studio: Services) -> bytes:
    return rendered(data, form, studio.settings.soundfont, "")[form]
