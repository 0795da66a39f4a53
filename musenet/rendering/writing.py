"""Files that are either whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from musenet.errors import UserError


def suffix_of(path: Path, known: Iterable[str], kind: str) -> str:
    """The suffix of `path` in lower case, such as '.png'.

    Raises:
        UserError: it is none of the `known` ones, which the message names.
    """
    names = list(known)
    suffix = path.suffix.lower()
    if suffix not in names:
        listed = f"{', '.join(names[:-1])} or {names[-1]}"
        raise UserError(f"cannot write {kind} to '{path.name}': its name must end in {listed}")
    return suffix


def write_whole(path: Path, content: bytes) -> None:
    """Write a file at once: a temporary file beside it is synced, then takes its name.

    Raises:
        UserError: the file cannot be written; what stood at `path` before stands there still.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()
