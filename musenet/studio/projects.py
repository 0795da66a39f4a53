"""Nodes as the API tells them, and what makes and changes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from musenet.studio import pieces
from musenet.studio.problems import Problem, conflict, not_found
from musenet.studio.settings import Limits
from musenet.studio.store import Row, Store

_MADE = ("composition", "candidate", "rank", "recipe", "facts", "verdict")
_SAME = ("id", "project", "parent", "kind", "label", "created", "changed", "deleted", "revision",
         "edited", "kept_bars")  # fmt: skip


def told_project(row: Row) -> dict[str, Any]:
    """A project as the API tells it."""
    return row | {"view": json.loads(row["view"])}


def told_node(row: Row) -> dict[str, Any]:
    """A node as the API tells it."""
    made: Mapping[str, Any] = json.loads(row["made"])
    return {
        **{name: row[name] for name in _SAME},
        "can_undo": row["before"] is not None, "can_redo": row["after"] is not None,
        **json.loads(row["summary"]), **{name: made.get(name) for name in _MADE},
    }  # fmt: skip


class Projects:
    """The projects of a store, with every request checked."""

    def __init__(self, store: Store, limits: Limits) -> None:
        """Use a store."""
        self.store, self.limits = store, limits

    def project(self, project: str, *, deleted: bool = False) -> Row:
        """A project's row.

        Raises:
            Problem: there is none.
        """
        row = self.store.project(project, deleted=deleted)
        if row is None:
            raise not_found("project")
        return row

    def node(self, node: str, *, deleted: bool = False) -> Row:
        """A node's row.

        Raises:
            Problem: there is none.
        """
        row = self.store.node(node, deleted=deleted)
        if row is None:
            raise not_found("node")
        return row

    def told(self, node: str) -> dict[str, Any]:
        """A node as the API tells it."""
        return told_node(self.node(node))

    def add(
        self, project: str, data: bytes, *, kind: str, parent: str | None = None, label: str = ""
    ) -> str:
        """A new node of a MIDI file; its id.

        Raises:
            UserError: the file cannot be used.
            Problem: it is too large, or the project or the parent is not there.
        """
        self.project(project)
        if parent is not None and self.node(parent)["project"] != project:
            raise not_found("parent in this project")
        summary = pieces.summary(pieces.read(data, self.limits))
        return self.store.add_node(project, data, summary, kind=kind, parent=parent, label=label)

    def edit(self, row: Row, data: bytes, edited: str, *, child: bool) -> str:
        """A new revision of a node, or a child of it; the id of what was made.

        Raises:
            UserError: the edited piece cannot be used.
            Problem: it is too large, or the node has changed since the row was read.
        """
        if child:
            return self.add(row["project"], data, kind="edit", parent=row["id"])
        summary = pieces.summary(pieces.read(data, self.limits))
        if not self.store.revise(row, data, summary, edited):
            raise conflict()
        return str(row["id"])

    def undo(self, node: str) -> None:
        """Go back to the revision before.

        Raises:
            Problem: there is nothing to undo, or the node changes meanwhile.
        """
        row = self.node(node)
        self._step(row, row["before"], "undo")

    def redo(self, node: str) -> None:
        """Go to the revision behind, which was undone.

        Raises:
            Problem: there is nothing to redo, or the node changes meanwhile.
        """
        row = self.node(node)
        self._step(row, row["after"], "redo")

    def _step(self, row: Row, to: int | None, name: str) -> None:
        if to is None:
            raise Problem(409, "conflict", f"nothing to {name}")
        if not self.store.step(row, to):
            raise conflict()
