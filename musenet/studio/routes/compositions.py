"""Compositions and their events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from musenet.studio import models
from musenet.studio.events import EventLog, stream
from musenet.studio.jobs import Job
from musenet.studio.problems import Problem
from musenet.studio.projects import told_node
from musenet.studio.services import Services, Studio

router = APIRouter(prefix="/v1", tags=["composing"])
_LONGEST_NUMBER = 15
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.post("/compositions", status_code=202, response_model=models.Composition)
def compose(studio: Studio, wish: models.NewComposition | None = None) -> dict[str, Any]:
    """Compose candidates, new or behind what is given."""
    job = studio.compositions.compose(wish or models.NewComposition.model_validate({}))
    return studio.compositions.told(job.id)


@router.post("/nodes/{node}/arrangements", status_code=202, response_model=models.Composition)
def arrange(studio: Studio, node: str, wish: models.NewArrangement) -> dict[str, Any]:
    """Compose into a node: bars anew, other parts, or parts to add."""
    return studio.compositions.told(studio.compositions.arrange(node, wish).id)


@router.get("/compositions", response_model=models.Compositions)
def compositions(studio: Studio, project: str | None = None) -> dict[str, Any]:
    """Compositions in the making, then the latest."""
    return {"compositions": studio.compositions.latest(project)}


@router.get("/compositions/{composition}", response_model=models.Composition)
def composition(studio: Studio, composition: str) -> dict[str, Any]:
    """The state of a composition."""
    return studio.compositions.told(composition)


@router.delete("/compositions/{composition}", response_model=models.Composition)
def cancel(studio: Studio, composition: str) -> dict[str, Any]:
    """Give a composition up."""
    if job := studio.compositions.job(composition):
        studio.worker.cancel(job)
        job.over.wait(1.0)
    return studio.compositions.told(composition)


@router.get("/compositions/{composition}/events", response_class=StreamingResponse)
async def events(
    studio: Studio,
    composition: str,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """What happens to a composition, as server-sent events."""
    seen = _number(last_event_id) if last_event_id else after
    job = studio.compositions.job(composition)
    log = job.log if job else _past(studio, composition)
    left, closed = log.after(seen)
    if closed and not left:
        return Response(status_code=204)
    followed = _followed(studio, job, log, seen)
    return StreamingResponse(followed, media_type="text/event-stream", headers=_HEADERS)


async def _followed(
    studio: Services, job: Job | None, log: EventLog, seen: int
) -> AsyncIterator[str]:
    """The stream, counted among those that follow the job."""
    if job:
        job.follow(1)
    studio.metrics.followers.inc()
    try:
        async for text in stream(log.follow(seen)):
            yield text
    finally:
        studio.metrics.followers.dec()
        if job:
            job.follow(-1)


def _past(studio: Services, composition: str) -> EventLog:
    """The events of a composition whose own are gone: its candidates and its end."""
    told, log = studio.compositions.told(composition), EventLog()
    for rank, node in enumerate(told["nodes"], 1):
        row = studio.store.node(node)
        if row:
            node_told = told_node(row)
            candidate = node_told["candidate"]
            log.add("candidate", {"candidate": candidate, "rank": rank, "node": node_told})
    log.add("end", told, last=True)
    return log


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise Problem(400, "bad_request", "Last-Event-ID is no number of an event: leave it out")
    return int(text)
