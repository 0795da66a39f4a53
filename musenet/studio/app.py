"""The application: its services, its routes, the page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI

from musenet import __version__
from musenet.composing.composer import Composer, load
from musenet.composing.ranking import FindCopy
from musenet.studio import problems
from musenet.studio.metrics import Metrics
from musenet.studio.routes import (
    compositions,
    legacy,
    nodes,
    page,
    projects,
    renderings,
    service,
    vocabulary,
)
from musenet.studio.security import Gate
from musenet.studio.services import started
from musenet.studio.settings import Settings

_ABOUT = "Compose, edit and render music. The contract in words is docs/api.md of musenet."


def create_app(
    settings: Settings, composer: Callable[[], Composer] | None = None,
    find_copy: FindCopy | None = None,
) -> FastAPI:  # fmt: skip
    """An application, whose services start and stop with it.

    Args:
        settings: where and what to serve.
        composer: gets the model, in a thread of its own; by default that of the settings.
        find_copy: looks for passages of the training music in what is composed, or None not to.
    """
    metrics = Metrics()

    def loaded() -> Composer:
        made = composer() if composer else load(settings.model, device=settings.device)
        if find_copy is not None:
            made.judge = replace(made.judge, find_copy=find_copy)
        return made

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        services = started(settings, metrics, loaded)
        app.state.services = services
        try:
            yield
        finally:
            services.close()

    app = FastAPI(
        title="musenet studio", version=__version__, description=_ABOUT, lifespan=running,
        docs_url=None, redoc_url=None,
    )  # fmt: skip
    problems.install(app)
    for module in (service, vocabulary, projects, nodes, compositions, renderings, legacy, page):
        app.include_router(module.router)
    app.add_middleware(Gate, settings=settings, metrics=metrics)
    return app
