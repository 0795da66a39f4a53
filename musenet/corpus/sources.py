"""Where the music comes from: folders and zip archives of MIDI, and the manifest beside them."""

from __future__ import annotations

import csv
import fnmatch
import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from musenet.errors import UserError

MIDI_SUFFIXES = frozenset({".mid", ".midi", ".kar"})
MANIFEST = "manifest.tsv"
CHUNK_FILES = 128
"""Files that are prepared together and whose result is kept together."""


@dataclass(frozen=True)
class Provenance:
    """What a manifest says of a file; empty where it says nothing."""

    composer: str = ""
    style: str = ""
    genre: str = ""
    licence: str = ""
    source: str = ""
    flag: str = ""


@dataclass(frozen=True)
class Entry:
    """A MIDI file in a container.

    Attributes:
        archive: name of the zip archive or folder it is in.
        path: path in it, with forward slashes.
        identity: size and checksum (archives) or time of change (folders).
    """

    archive: str
    path: str
    identity: str

    @property
    def name(self) -> str:
        """Archive and path, as in reports: on one line, with bytes that are no UTF-8 escaped."""
        text = " ".join(f"{self.archive}/{self.path}".split())
        return text.encode("utf8", "backslashreplace").decode("utf8")


@dataclass(frozen=True)
class Container:
    """A zip archive, or a folder of loose files.

    Attributes:
        location: where it is.
        entries: its MIDI files in the order of their paths.
        manifest: provenance of the files, by path.
    """

    location: Path
    entries: tuple[Entry, ...]
    manifest: Mapping[str, Provenance]

    def provenance(self, entry: Entry) -> Provenance:
        """What the manifest says of a file, or nothing."""
        return self.manifest.get(entry.path, Provenance())


@dataclass(frozen=True)
class Chunk:
    """Files of one container that are prepared together."""

    location: Path
    entries: tuple[Entry, ...]

    def key(self, version: int) -> str:
        """Hexadecimal digest of the files' identities and the version of the preparation."""
        members = [(entry.archive, entry.path, entry.identity) for entry in self.entries]
        text = json.dumps([version, members])
        return hashlib.blake2b(text.encode("utf8"), digest_size=12).hexdigest()


def find_containers(sources: Sequence[Path], exclude: Sequence[str] = ()) -> list[Container]:
    """The containers under the given folders and archives, in the order of their names.

    Containers of the same name are told apart by the folder they are in. Files whose
    `archive/path` matches a shell pattern of `exclude` are left out.

    Raises:
        UserError: a source does not exist, is neither folder nor zip archive, or holds no MIDI.
    """
    locations = sorted({place for source in sources for place in _locations(source)})
    names = _distinct_names(locations)
    manifests = {folder: _read_manifest(folder) for folder in {p.parent for p in locations}
                 | {p for p in locations if p.is_dir()}}  # fmt: skip
    containers = [
        _without(_container(place, names[place], manifests), exclude) for place in locations
    ]
    found = sorted((c for c in containers if c.entries), key=lambda c: c.entries[0].archive)
    if not found:
        raise UserError(f"no MIDI files in {', '.join(map(str, sources))}")
    return found


def _locations(source: Path) -> list[Path]:
    """The archives in a source, and the source itself where it is a folder."""
    if source.is_dir():
        root = source.resolve()
        return [root, *(path for path in root.rglob("*.zip") if path.is_file())]
    if not source.exists():
        raise UserError(f"{source} does not exist: give folders or zip archives of MIDI")
    if not zipfile.is_zipfile(source):
        raise UserError(f"{source} is no zip archive: give folders or zip archives of MIDI")
    return [source.resolve()]


def _distinct_names(locations: Sequence[Path]) -> dict[Path, str]:
    plain = Counter(path.name for path in locations)
    names = {p: p.name if plain[p.name] == 1 else f"{p.parent.name}/{p.name}" for p in locations}
    longer = Counter(names.values())
    return {path: name if longer[name] == 1 else str(path) for path, name in names.items()}


def _container(
    place: Path, name: str, manifests: Mapping[Path, Mapping[tuple[str, str], Provenance]]
) -> Container:
    members = _folder_members(place) if place.is_dir() else _zip_members(place)
    entries = tuple(Entry(name, path, identity) for path, identity in sorted(members))
    rows = {**manifests[place.parent], **manifests.get(place, {})}
    archives = {place.name, "", "."} if place.is_dir() else {place.name}
    return Container(place, entries, {p: row for (a, p), row in rows.items() if a in archives})


def _without(container: Container, patterns: Sequence[str]) -> Container:
    def unwanted(entry: Entry) -> bool:
        return any(fnmatch.fnmatchcase(entry.name, pattern) for pattern in patterns)

    return replace(container, entries=tuple(e for e in container.entries if not unwanted(e)))


def _is_midi(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return Path(name).suffix.lower() in MIDI_SUFFIXES and not name.startswith(".")


def _folder_members(folder: Path) -> list[tuple[str, str]]:
    members = []
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).as_posix()
        if _is_midi(inside) and path.is_file():
            stat = path.stat()
            members.append((inside, f"{stat.st_size}-{stat.st_mtime_ns}"))
    return members


def _zip_members(archive: Path) -> list[tuple[str, str]]:
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = [info for info in opened.infolist() if _is_midi(info.filename)]
    except (zipfile.BadZipFile, OSError) as error:
        raise UserError(f"cannot read {archive}: {error}") from error
    members = {info.filename: f"{info.file_size}-{info.CRC:08x}" for info in infos}
    return list(members.items())


def _read_manifest(folder: Path) -> dict[tuple[str, str], Provenance]:
    """Provenance by archive and path, empty without a manifest.

    Raises:
        UserError: the manifest lacks a path column or is not text.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}") from error
    if rows and "path" not in rows[0]:
        raise UserError(f"{path} has no column 'path'")
    return {(row.get("archive") or "", row["path"]): _provenance(row) for row in rows}


def _provenance(row: Mapping[str, str | None]) -> Provenance:
    fields = Provenance.__dataclass_fields__
    return Provenance(**{name: (row.get(name) or "").strip() for name in fields})


def chunks_of(containers: Iterable[Container]) -> Iterator[Chunk]:
    """The work to do, in pieces of at most `CHUNK_FILES` files."""
    for container in containers:
        for start in range(0, len(container.entries), CHUNK_FILES):
            yield Chunk(container.location, container.entries[start : start + CHUNK_FILES])


def read_entries(chunk: Chunk) -> Iterator[tuple[Entry, bytes | None]]:
    """The bytes of each file of a chunk, None for a file that cannot be read."""
    if chunk.location.is_dir():
        for entry in chunk.entries:
            yield entry, _read_file(chunk.location / entry.path)
        return
    with zipfile.ZipFile(chunk.location) as archive:
        for entry in chunk.entries:
            yield entry, _read_member(archive, entry.path)


def _read_file(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _read_member(archive: zipfile.ZipFile, path: str) -> bytes | None:
    try:
        return archive.read(path)
    except (zipfile.BadZipFile, OSError, KeyError, RuntimeError, ValueError):
        return None
