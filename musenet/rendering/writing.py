"""Names of files to render to."""

from __future__ import annotations

from collections.abc import Iterable
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
