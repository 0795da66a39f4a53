"""Renderings of pieces: made by one thread in the order of request, kept in a folder."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from musenet import __version__, midi
from musenet.files import digest, write_atomically
from musenet.rendering.audio import read_soundfont
from musenet.studio.metrics import Metrics
from musenet.studio.problems import Problem, not_found
from musenet.studio.settings import Limits
from musenet.studio.store import new_id

TYPES = {
    "mid": "audio/midi", "wav": "audio/wav", "flac": "audio/flac", "mp3": "audio/mpeg",
    "ogg": "audio/ogg", "png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf",
    "musicxml": "application/vnd.recordare.musicxml+xml",
    "mxl": "application/vnd.recordare.musicxml", "score.svg": "image/svg+xml",
    "score.pdf": "application/pdf",
}  # fmt: skip
"""Media type of each format."""
_SOUND, _PICTURES = ("wav", "flac", "mp3", "ogg"), ("png", "svg", "pdf")
_PRINTED = ("score.svg", "score.pdf")


def formats() -> list[str]:
    """The formats that this installation can make."""
    return [name for name in TYPES if name not in _PRINTED or find_spec("verovio")]


def rendered(data: bytes, form: str, soundfont: Path | None, title: str) -> dict[str, bytes]:
    """The files of a rendering by their suffix: one, but for `score.svg`, whole and by pages.

    Raises:
        UserError: the piece cannot be rendered.
    """
    if form in _SOUND:
        from musenet.rendering.audio import encode, render

        return {form: encode(render(data, soundfont=soundfont), 44100, f".{form}")}
    score = midi.load(data)
    if form in _PICTURES:
        import io

        from musenet.rendering.pianoroll import draw

        buffer = io.BytesIO()
        draw(score, title).savefig(buffer, format=form, dpi=150)
        return {form: buffer.getvalue()}
    from musenet.rendering.notation.engraving import engrave, pdf_of, stacked
    from musenet.rendering.notation.musicxml import compressed, to_musicxml
    from musenet.rendering.notation.notate import notate

    notation = notate(score)
    document = to_musicxml(notation, title)
    if form == "musicxml":
        return {form: document}
    if form == "mxl":
        return {form: compressed(document)}
    pages = engrave(document, sum(len(part.staves) for part in notation.parts))
    if form == "score.pdf":
        return {form: pdf_of(pages)}
    single = {f"{number}.{form}": page.encode() for number, page in enumerate(pages, 1)}
    return {form: stacked(pages).encode(), **single}


def folder_of(renderings: Path, soundfont: Path | None) -> Path:
    """The folder of what this version renders with a SoundFont; what others made is removed.

    Args:
        renderings: where it stands; all in there is ours.
        soundfont: an SF2 file, or None for the one that comes with the installation.

    Raises:
        UserError: the SoundFont cannot be read, or is none.
    """
    own = renderings / _fingerprint(soundfont)
    own.mkdir(parents=True, exist_ok=True)
    for other in renderings.iterdir():
        if other.is_dir() and other != own:
            shutil.rmtree(other, ignore_errors=True)
        elif other != own:
            other.unlink(missing_ok=True)
    return own


def _fingerprint(soundfont: Path | None) -> str:
    """Tells what sounds and looks otherwise apart: by version and SoundFont."""
    return digest(__version__.encode() + read_soundfont(soundfont))


class Renderer:
    """Makes files once and keeps them while there is room."""

    def __init__(self, folder: Path, limits: Limits, metrics: Metrics) -> None:
        """Keep files in a folder, which is made."""
        self.folder, self.limits, self.metrics = folder, limits, metrics
        folder.mkdir(parents=True, exist_ok=True)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="rendering")
        self._pending: dict[str, asyncio.Task[None]] = {}

    @property
    def fingerprint(self) -> str:
        """Another where the same would sound or look otherwise."""
        return self.folder.name

    def close(self) -> None:
        """Finish the rendering in the making, and no other."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def file(
        self, name: str, kind: str, make: Callable[[], dict[str, bytes]], page: str
    ) -> Path:
        """The file `name.page`, made together with its others if it is not there.

        Args:
            name: of ours, never of a client; files are told apart by it.
            kind: for the metrics.
            make: gives all files by suffix.
            page: suffix of the one that is wanted.

        Raises:
            Problem: too many wait, or there is no such page.
            UserError: what `make` raises.
        """
        path = self.folder / f"{name}.{page}"
        if not path.is_file():
            await self._made(name, kind, make)
        if not path.is_file():
            raise not_found("page")
        return path

    async def once(self, kind: str, make: Callable[[], dict[str, bytes]]) -> bytes:
        """A file that is not kept.

        Raises:
            Problem: too many wait.
            UserError: what `make` raises.
        """
        name = f"once-{new_id()}"
        path = await self.file(name, kind, make, kind)
        data = path.read_bytes()
        path.unlink(missing_ok=True)
        return data

    async def _made(self, name: str, kind: str, make: Callable[[], dict[str, bytes]]) -> None:
        """Make the files, once for all who wait for them."""
        task = self._pending.get(f"{name}/{kind}")
        if task is None:
            if len(self._pending) >= self.limits.renderings:
                raise Problem(429, "busy", "many renderings wait already: come back in 5 s",
                              {"Retry-After": "5"})  # fmt: skip
            loop = asyncio.get_running_loop()

            async def run() -> None:
                try:
                    await loop.run_in_executor(self._pool, self._make, name, kind, make)
                finally:
                    del self._pending[f"{name}/{kind}"]

            task = self._pending[f"{name}/{kind}"] = asyncio.create_task(run())
        await asyncio.shield(task)

    def _make(self, name: str, kind: str, make: Callable[[], dict[str, bytes]]) -> None:
        begun = time.monotonic()
        for suffix, data in make().items():
            write_atomically(self.folder / f"{name}.{suffix}", data)
        self.metrics.renderings.labels(kind).inc()
        self.metrics.rendering.observe(time.monotonic() - begun)
        self._tidy()

    def _tidy(self) -> None:
        """Remove the oldest files where they take more room than they may."""
        found = []
        for file in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # `once` takes its own away meanwhile
                told = file.stat()
                found.append((told.st_mtime, told.st_size, file))
        room = sum(size for _, size, _ in found) - self.limits.cache_bytes
        for _, size, file in sorted(found):
            if room <= 0:
                return
            file.unlink(missing_ok=True)
            room -= size
