"""What the routes work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from musenet.composing.composer import Composer
from musenet.studio.compositions import Compositions
from musenet.studio.jobs import Worker
from musenet.studio.metrics import Metrics
from musenet.studio.projects import Projects
from musenet.studio.rendering import Renderer, folder_of
from musenet.studio.settings import Settings
from musenet.studio.store import Store


@dataclass(frozen=True)
class Services:
    """The parts of a running server."""

    settings: Settings
    metrics: Metrics
    store: Store
    projects: Projects
    worker: Worker
    compositions: Compositions
    renderer: Renderer

    def close(self) -> None:
        """Stop them, in an order in which none misses another."""
        self.worker.close()
        self.renderer.close()
        self.store.close()


def started(settings: Settings, metrics: Metrics, load: Callable[[], Composer]) -> Services:
    """Services with their threads running.

    Raises:
        UserError: the folder or the SoundFont cannot be used.
    """
    store = Store(settings.data)
    projects = Projects(store, settings.limits)
    worker = Worker(load, settings.limits, metrics)
    folder = folder_of(settings.data / "renderings", settings.soundfont)
    renderer = Renderer(folder, settings.limits, metrics)
    made = Services(
        settings, metrics, store, projects, worker, Compositions(projects, worker), renderer
    )
    worker.start()
    return made


async def _of(request: Request) -> Services:  # if not async, another thread would run it
    services: Services = request.app.state.services
    return services


Studio = Annotated[Services, Depends(_of)]
