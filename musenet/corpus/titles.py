"""What a file's name, folders and manifest say about which work it is.

Keys are strings; files that share one are taken for the same work (or for the same opus,
manuscript or folder, which is as good when works must not stand on both sides of a split).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from musenet.corpus.sources import Entry, Provenance
from musenet.styles import fold

MAX_FOLDER_FILES = 16
"""A folder at least three deep with at most so many files is one work."""
MIN_TITLE_WORDS, MIN_TITLE_LETTERS = 3, 12
"""A title this long names a work whoever wrote it."""
MIN_TUNE_LETTERS = 6
"""A file name at least this long ties an arrangement to its plain tune."""
ARRANGED = "arranged"

_CATALOGUES = (
    ("bwv", r"bwv ?(\d+)"), ("k", r"(?:kv|k) ?(\d{2,3})"), ("d", r"d ?(\d{2,3})"),
    ("hob", r"hob ?([ivx]+ ?\d+)"), ("rv", r"rv ?(\d+)"), ("hwv", r"hwv ?(\d+)"),
    ("wab", r"wab ?(\d+)"), ("woo", r"woo ?(\d+)"), ("op", r"(?:opus|op|o) ?(\d+)"),
)  # fmt: skip
_OF_ONE_COMPOSER = {"bwv": "bach", "wab": "bruckner", "hwv": "handel"}
_NUMBER = re.compile(r"^(?:no|nr|n|mov|mvt|movement|[ivx]+|\d+\w?)$")
_MANUSCRIPT = re.compile(r"^(?P<shelf>[a-z]+-[a-z]+--.*?)(?:--(?P<work>\d{3})(?:-\d{3})*)?_")
"""Names of the RISM kind: siglum--shelfmark--work-movement_composer--title."""
_GENERIC_WORDS = """
a allegro and andante aria c d e et f g b h major minor dur moll concerto duet flat for
from fugue hymn in la largo le mass menuet minuet missa moderato movement of op opus
part partita piano prelude quartet quintet rondo score sharp sinfonia sonata song string
study suite symphony the theme to trio variation variations violin voice waltz with
"""
_GENERIC = frozenset(_GENERIC_WORDS.split())


@dataclass(frozen=True)
class Title:
    """A file as the keys see it.

    Attributes:
        entry: the file.
        provenance: its row of the manifest.
        composer: canonical composer, or empty.
    """

    entry: Entry
    provenance: Provenance
    composer: str


def work_keys(titles: Sequence[Title]) -> list[set[str]]:
    """The keys of each file."""
    folders = _small_folders(titles)
    arranged = {_squashed(_stem(title)) for title in titles if _is_arranged(title)}
    return [
        _folder_keys(title, folders) | _catalogue_keys(title) | _title_keys(title)
        | _manuscript_keys(title) | _tune_keys(title, arranged)
        for title in titles
    ]  # fmt: skip


def _is_arranged(title: Title) -> bool:
    return title.provenance.flag == ARRANGED


def _stem(title: Title) -> str:
    """The file's name without suffix; of an arrangement the tune's name alone.

    Arrangements are called tune--groove or composer--tune.
    """
    stem = PurePosixPath(title.entry.path).stem
    if not _is_arranged(title) or "--" not in stem:
        return stem
    first, _, second = stem.partition("--")
    return second if _squashed(first) == _squashed(title.provenance.composer) else first


def _squashed(text: str) -> str:
    return fold(text).replace(" ", "")


def _folders(entry: Entry) -> list[str]:
    """The folders at least three deep that a file is in."""
    parts = entry.path.split("/")[:-1]
    return [f"{entry.archive}/{'/'.join(parts[:depth])}" for depth in range(3, len(parts) + 1)]


def _small_folders(titles: Iterable[Title]) -> set[str]:
    counts = Counter(folder for title in titles for folder in _folders(title.entry))
    return {folder for folder, count in counts.items() if count <= MAX_FOLDER_FILES}


def _folder_keys(title: Title, small: set[str]) -> set[str]:
    return {f"folder {folder}" for folder in _folders(title.entry) if folder in small}


def _catalogue_keys(title: Title) -> set[str]:
    text = fold(re.sub(r"[/_\-.,:()]", " ", title.entry.path))
    keys = set()
    for name, pattern in _CATALOGUES:
        composer = title.composer or _OF_ONE_COMPOSER.get(name, "")
        if composer:
            numbers = re.findall(rf"(?<![^\W\d_]){pattern}(?!\d)", text)
            keys |= {f"{composer} {name} {number.replace(' ', '').lstrip('0')}"
                     for number in numbers}  # fmt: skip
    return keys


def _title_keys(title: Title) -> set[str]:
    """The title, where it is specific."""
    if _MANUSCRIPT.match(_stem(title)):
        return set()
    words = [word for word in fold(_stem(title).replace("_", " ")).split()
             if not _NUMBER.match(word)]  # fmt: skip
    telling = [word for word in words if word not in _GENERIC]
    letters = sum(map(len, telling))
    long = len(words) >= MIN_TITLE_WORDS and len(telling) >= MIN_TITLE_WORDS - 1
    return {f"title {' '.join(words)}"} if long and letters >= MIN_TITLE_LETTERS else set()


def _manuscript_keys(title: Title) -> set[str]:
    match = _MANUSCRIPT.match(PurePosixPath(title.entry.path).stem)
    if not match:
        return set()
    return {f"manuscript {match['shelf']} {match['work'] or ''}"}


def _tune_keys(title: Title, arranged: set[str]) -> set[str]:
    """The name of the tune, for arrangements and for the plain tunes that they are named after."""
    name = _squashed(_stem(title))
    known = _is_arranged(title) or (name in arranged and len(name) >= MIN_TUNE_LETTERS)
    return {f"tune {name}"} if known else set()
