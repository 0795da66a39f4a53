"""The page: files that the package carries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from musenet.studio.problems import not_found

router = APIRouter(include_in_schema=False)
_TYPES = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml", ".json": "application/json", ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json", ".png": "image/png", ".ico": "image/x-icon",
}  # fmt: skip
_AGAIN = {"Cache-Control": "no-cache"}


@cache
def files() -> Mapping[str, Path]:
    """The files of the page by their address: nothing else is ever read."""
    folder = Path(str(resources.files("musenet") / "studio" / "page"))
    found = (path for path in sorted(folder.rglob("*")) if path.suffix in _TYPES)
    return {path.relative_to(folder).as_posix(): path for path in found if path.is_file()}


@router.get("/{address:path}")
async def page(address: str) -> Response:
    """A file of the page; `/` is index.html."""
    path = files().get(address or "index.html")
    if path is None:
        raise not_found("page")
    kind = _TYPES[path.suffix]
    return FileResponse(path, media_type=kind, headers=dict(_AGAIN))
