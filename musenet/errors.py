"""The one exception that means: the user can mend this."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake that the user can mend; its text is one line that says how."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """An error for a name that is not known, with the nearest known ones."""
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    near = near or [known_name for known_name in names if name.lower() in known_name][:3]
    hint = f"did you mean {', '.join(near)}? " if near else ""
    return UserError(f"unknown {kind} '{name}': {hint}'musenet {kind}s' lists all")
