"""Files that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO

from musenet.errors import UserError


def digest(data: bytes) -> str:
    """The first 16 hex digits of the SHA-256 of some bytes, by which they are known again."""
    return sha256(data).hexdigest()[:16]


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a crash or a full disk leaves the old one or the new one whole.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise UserError(f"cannot write {path}: {reason}; choose another place") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when the block ends without an error.

    It has the permissions of the file whose place it takes, or else those of any new file.
    """
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    file = temporary.open("xb")
    try:
        with file:
            with contextlib.suppress(FileNotFoundError):
                shutil.copymode(path, temporary)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
