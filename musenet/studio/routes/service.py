"""Whether the server lives, is ready, and what it allows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from musenet import __version__
from musenet.model import parameters
from musenet.studio.rendering import formats
from musenet.studio.routes.vocabulary import has_map
from musenet.studio.services import Studio

router = APIRouter(tags=["service"])
_TOLD = ("body_bytes", "notes", "minutes", "candidates", "queue", "together", "deadline_seconds")


@router.get("/health")
async def health() -> dict[str, str]:
    """Whether the process lives."""
    return {"status": "ok"}


@router.get("/ready")
async def ready(studio: Studio) -> JSONResponse:
    """Whether it can compose."""
    if studio.worker.failure:
        return JSONResponse({"status": "failed"}, 503)
    if studio.worker.composer is None:
        return JSONResponse({"status": "loading"}, 503, {"Retry-After": "2"})
    return JSONResponse({"status": "ready"})


@router.get("/metrics", response_class=Response)
async def metrics(studio: Studio) -> Response:
    """Numbers for Prometheus."""
    return Response(studio.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/v1/about")
def about(studio: Studio) -> dict[str, Any]:
    """What this server is and allows."""
    composer, limits = studio.worker.composer, asdict(studio.settings.limits)
    model = None
    if composer is not None:
        model = {"name": composer.name, "context": composer.context,
                 "parameters": parameters(composer.model)}  # fmt: skip
    return {
        "version": __version__, "model": model, "limits": {name: limits[name] for name in _TOLD},
        "renderings": formats(), "map": has_map(),
        "originality": composer is not None and composer.judge.find_copy is not None,
    }  # fmt: skip
