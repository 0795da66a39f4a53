"""Projects."""

from __future__ import annotations

import json
import time
from typing import Any

from fastapi import APIRouter, Response

from musenet.studio.models import NewProject, Project, ProjectChange, Projects, Tree
from musenet.studio.problems import over_limit
from musenet.studio.projects import told_node, told_project
from musenet.studio.services import Services, Studio

router = APIRouter(prefix="/v1/projects", tags=["projects"])
_LARGEST_VIEW = 65_536


def _told(studio: Services, project: str) -> dict[str, Any]:
    return told_project(studio.projects.project(project))


@router.get("", response_model=Projects)
def projects(studio: Studio, deleted: bool = False) -> dict[str, Any]:
    """All projects, or all that are deleted."""
    return {"projects": [told_project(row) for row in studio.store.projects(deleted)]}


@router.post("", status_code=201, response_model=Project)
def add(studio: Studio, wish: NewProject | None = None) -> dict[str, Any]:
    """A new project."""
    name = wish.name if wish and wish.name else "New project"
    return _told(studio, studio.store.add_project(name))


@router.get("/{project}", response_model=Tree)
def project(studio: Studio, project: str) -> dict[str, Any]:
    """A project with its nodes."""
    told = _told(studio, project)
    return told | {"tree": [told_node(row) for row in studio.store.nodes(project)]}


@router.patch("/{project}", response_model=Project)
def change(studio: Studio, project: str, wish: ProjectChange) -> dict[str, Any]:
    """Another name, or the state of a page."""
    studio.projects.project(project)
    view = None if wish.view is None else json.dumps(wish.view, ensure_ascii=False)
    if view is not None and len(view.encode()) > _LARGEST_VIEW:
        raise over_limit("view is more than 64 KiB: keep less in it")
    if wish.name is not None:
        studio.store.change_project(project, name=wish.name)
    if view is not None:
        studio.store.keep_view(project, view)
    return _told(studio, project)


@router.delete("/{project}", status_code=204)
def delete(studio: Studio, project: str) -> Response:
    """Delete a project, for 30 days to be brought back."""
    studio.projects.project(project)
    studio.store.change_project(project, deleted=time.time())
    return Response(status_code=204)


@router.post("/{project}/restore", response_model=Project)
def restore(studio: Studio, project: str) -> dict[str, Any]:
    """Bring a deleted project back."""
    studio.projects.project(project, deleted=True)
    studio.store.change_project(project, deleted=None)
    return _told(studio, project)


@router.post("/{project}/duplicate", status_code=201, response_model=Project)
def duplicate(studio: Studio, project: str, wish: NewProject | None = None) -> dict[str, Any]:
    """A copy of a project."""
    old = studio.projects.project(project)
    name = wish.name if wish and wish.name else f"{old['name']} (copy)"[:200]
    return _told(studio, studio.store.duplicate(project, name))
