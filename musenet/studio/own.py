"""Styles of one's own, as the API lists and refuses them.

Their folder is looked at anew each time, so that what is put there or taken away is seen at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from musenet.adapters import load_adapter
from musenet.checkpoint import fingerprint
from musenet.errors import UserError
from musenet.own_styles import check_style, find_own, own_styles


def own_rows(base: str | None) -> list[dict[str, Any]]:
    """The styles of one's own that can be asked for, as the API lists styles.

    Args:
        base: fingerprint of the model's weights; None while it is being loaded.
    """
    return [_row(path, base) for path in own_styles() if find_own(path.stem) == path]


def _row(path: Path, base: str | None) -> dict[str, Any]:
    works, own, fault = None, None, None
    try:
        adapter = load_adapter(path)
        works, own = int(adapter.facts.get("pieces", 0)) or None, fingerprint(path)
        if base not in (None, adapter.base):
            fault = f"made for other weights ({adapter.base})"
    except (UserError, OSError, TypeError, ValueError):
        fault = "the file is damaged"
    return {
        "name": path.stem, "kind": "own", "aliases": [], "family": "your own", "works": works,
        "arranged": 0, "x": None, "y": None, "fingerprint": own, "fault": fault,
    }  # fmt: skip


def check_styles(names: Iterable[str]) -> None:
    """Check that all styles are known, or are one's own.

    Raises:
        UserError: one is neither.
    """
    for name in names:
        try:
            check_style(name)
        except UserError as error:
            raise UserError(f"{error} (nor is it one of your own)") from error
