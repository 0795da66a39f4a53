"""Projects on disk: an SQLite database in WAL mode, with the MIDI files beside it.

A file is written once, whole, under a random name that only the database knows, and never
changed; the rows that name it come after it. What no row names is swept away at the next start.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from musenet.errors import UserError
from musenet.files import write_atomically

KEPT_DAYS = 30
"""Days for which what is deleted can be brought back."""
KEPT_REVISIONS = 100
"""Revisions of a node that undo can go back to."""
_VERSION = 1
_SCHEMA = """
create table projects (
    id text primary key, name text not null, created real not null, changed real not null,
    deleted real, view text not null default '{}');
create table nodes (
    id text primary key, project text not null references projects on delete cascade,
    parent text references nodes on delete cascade, kind text not null, label text not null,
    created real not null, changed real not null, deleted real, revision integer not null,
    kept_bars integer, made text not null default '{}');
create index nodes_of_project on nodes (project, created);
create index nodes_of_parent on nodes (parent);
create table revisions (
    node text not null references nodes on delete cascade, number integer not null,
    file text not null, edited text, summary text not null, primary key (node, number));
create table compositions (
    id text primary key, project text not null references projects on delete cascade,
    created real not null, state text not null, told text not null);
create index compositions_by_time on compositions (created);
"""
_NODE = """select nodes.*, revisions.file, revisions.edited, revisions.summary,
    (select max(number) from revisions where node = nodes.id and number < revision) as before,
    (select min(number) from revisions where node = nodes.id and number > revision) as after
    from nodes join revisions on revisions.node = nodes.id and number = revision"""
_PROJECT = """select projects.*, (select count(*) from nodes where project = projects.id
    and deleted is null) as nodes from projects"""
_SUBTREE = """with recursive under (id) as (select ? union all
    select nodes.id from nodes join under on nodes.parent = under.id) """

Row = dict[str, Any]


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_hex(10)


class Store:
    """The projects of one folder, for the threads of one process."""

    def __init__(self, folder: Path) -> None:
        """Open the folder, or make it; sweep what is no longer needed.

        Raises:
            UserError: it cannot be used, or another server uses it.
        """
        self.folder, self.files = folder, folder / "midi"
        self._lock = threading.RLock()
        try:
            self.files.mkdir(parents=True, exist_ok=True)
            self._claim = _claimed(folder / "server.lock")
            self._db = _connected(folder / "studio.sqlite")
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"cannot keep projects in {folder}: {error}") from error
        self._sweep()

    def close(self) -> None:
        """Let go of the folder."""
        with self._lock:
            self._db.close()
            self._claim.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it or nothing."""
        with self._lock:
            self._db.execute("begin immediate")
            try:
                yield self._db
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    def rows(self, query: str, *values: object) -> list[Row]:
        """What a query finds."""
        with self._lock:
            return [dict(row) for row in self._db.execute(query, values)]

    def _row(self, query: str, *values: object) -> Row | None:
        return next(iter(self.rows(query, *values)), None)

    # projects

    def projects(self, deleted: bool) -> list[Row]:
        """All projects, or all deleted ones; the latest change first."""
        which = "not null" if deleted else "null"
        return self.rows(f"{_PROJECT} where deleted is {which} order by changed desc, rowid desc")

    def project(self, project: str, *, deleted: bool = False) -> Row | None:
        """A project, if it is there; a deleted one only if asked for."""
        row = self._row(f"{_PROJECT} where id = ?", project)
        return row if row and (deleted or row["deleted"] is None) else None

    def add_project(self, name: str) -> str:
        """A new project's id."""
        project, now = new_id(), time.time()
        with self.writing() as db:
            db.execute("insert into projects (id, name, created, changed) values (?, ?, ?, ?)",
                       (project, name, now, now))  # fmt: skip
        return project

    def change_project(self, project: str, **values: object) -> None:
        """Set columns of a project."""
        self._set("projects", project, {"changed": time.time(), **values})

    def keep_view(self, project: str, view: str) -> None:
        """Set the state of a page, which is no change of the project."""
        self._set("projects", project, {"view": view})

    def duplicate(self, project: str, name: str) -> str:
        """A copy of a project and of its nodes as they are now; its id."""
        copy = self.add_project(name)
        ids: dict[str, str] = {}
        with self.writing() as db:
            for node in self.nodes(project):
                ids[node["id"]] = new_id()
                parent = ids.get(node["parent"])
                row = node | {"id": ids[node["id"]], "project": copy, "parent": parent}
                _insert_node(db, row)
        return copy

    # nodes

    def nodes(self, project: str) -> list[Row]:
        """The nodes of a project in order of creation."""
        query = f"{_NODE} where project = ? and deleted is null order by created, nodes.rowid"
        return self.rows(query, project)

    def node(self, node: str, *, deleted: bool = False) -> Row | None:
        """A node of a project that is there; a deleted one only if asked for."""
        row = self._row(f"{_NODE} where nodes.id = ?", node)
        if row is None or self.project(row["project"]) is None:
            return None
        return row if deleted or row["deleted"] is None else None

    def any_node(self, node: str) -> Row:
        """A node that was there once, whether or not it or its project is deleted by now."""
        return self.rows(f"{_NODE} where nodes.id = ?", node)[0]

    def add_node(
        self, project: str, data: bytes, summary: Mapping[str, Any], *, kind: str,
        parent: str | None = None, label: str = "", kept_bars: int | None = None,
        made: Mapping[str, Any] | None = None,
    ) -> str:  # fmt: skip
        """A new node with its file; its id."""
        now, node = time.time(), new_id()
        row = {
            "id": node, "project": project, "parent": parent, "kind": kind, "label": label,
            "created": now, "changed": now, "kept_bars": kept_bars,
            "made": json.dumps(made or {}), "edited": None, "file": self._write(data),
            "summary": json.dumps(summary),
        }  # fmt: skip
        with self.writing() as db:
            _insert_node(db, row)
            _touch(db, project, now)
        return node

    def change_node(self, node: Row, **values: object) -> None:
        """Set columns of a node."""
        now = time.time()
        self._set("nodes", node["id"], {"changed": now, **values})
        self.change_project(node["project"])

    def revise(self, node: Row, data: bytes, summary: Mapping[str, Any], edited: str) -> bool:
        """A new revision behind that of a row; those behind it are gone, their numbers with them.

        Returns:
            False where the row's revision is no longer the current one: nothing is done.
        """
        file = self._write(data)
        with self.writing() as db:
            (greatest,) = db.execute("select max(number) from revisions where node = ?",
                                     (node["id"],)).fetchone()  # fmt: skip
            number = greatest + 1
            if not _step(db, node, number):
                return False
            db.execute("delete from revisions where node = ? and number > ?",
                       (node["id"], node["revision"]))  # fmt: skip
            db.execute("delete from revisions where node = ?1 and number in (select number from "
                       "revisions where node = ?1 order by number desc limit -1 offset ?2)",
                       (node["id"], KEPT_REVISIONS))  # fmt: skip
            db.execute("insert into revisions values (?, ?, ?, ?, ?)",
                       (node["id"], number, file, edited, json.dumps(summary)))  # fmt: skip
        return True

    def step(self, node: Row, to: int) -> bool:
        """Make another revision than a row's the current one.

        Returns:
            False where the row's is no longer: nothing is done.
        """
        with self.writing() as db:
            return _step(db, node, to)

    def delete_subtree(self, node: Row) -> None:
        """Mark a node and those under it as deleted, in one go."""
        now = time.time()
        with self.writing() as db:
            db.execute(f"{_SUBTREE} update nodes set deleted = ? where id in under "
                       "and deleted is null", (node["id"], now))  # fmt: skip
            _touch(db, node["project"], now)

    def restore_subtree(self, node: Row) -> list[str]:
        """Bring back what was deleted with a node; their ids. Its parents come back too."""
        with self.writing() as db:
            query = f"{_SUBTREE} select id from nodes where id in under and deleted = ?"
            found = db.execute(query, (node["id"], node["deleted"])).fetchall()
            ids = [row["id"] for row in found] + self._lost_parents(node)
            marks = ", ".join("?" * len(ids))
            db.execute(f"update nodes set deleted = null where id in ({marks})", ids)
            _touch(db, node["project"], time.time())
        return ids

    def _lost_parents(self, node: Row) -> list[str]:
        lost, parent = [], node["parent"]
        while parent and (row := self._row("select * from nodes where id = ?", parent)):
            if row["deleted"] is not None:
                lost.append(parent)
            parent = row["parent"]
        return lost

    def midi(self, row: Row) -> bytes:
        """The file of a node's or revision's row."""
        return (self.files / str(row["file"])).read_bytes()

    def revision(self, node: str, number: int) -> Row | None:
        """A revision of a node."""
        return self._row("select * from revisions where node = ? and number = ?", node, number)

    # compositions

    def save_composition(self, told: Mapping[str, Any]) -> None:
        """Write down the state of a composition, as the API tells it."""
        row = (told["id"], told["project"], told["created"], told["state"], json.dumps(told))
        with self.writing() as db:
            db.execute("insert or replace into compositions values (?, ?, ?, ?, ?)", row)

    def composition(self, composition: str) -> dict[str, Any] | None:
        """A composition as it was told last."""
        row = self._row("select told from compositions where id = ?", composition)
        return json.loads(row["told"]) if row else None

    def compositions(self, project: str | None, most: int) -> list[dict[str, Any]]:
        """The latest compositions, of a project or of all."""
        rows = self.rows(
            "select told from compositions where ?1 is null or project = ?1 "
            "order by created desc, rowid desc limit ?2", project, most,
        )  # fmt: skip
        return [json.loads(row["told"]) for row in rows]

    # within

    def _write(self, data: bytes) -> str:
        name = f"{new_id()}.mid"
        write_atomically(self.files / name, data)
        return name

    def _set(self, table: str, key: str, values: Mapping[str, object]) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        with self.writing() as db:
            db.execute(f"update {table} set {columns} where id = ?", (*values.values(), key))

    def _sweep(self) -> None:
        """Mark what a stop interrupted; remove what was deleted long ago, and loose files."""
        old = time.time() - KEPT_DAYS * 86400
        with self.writing() as db:
            db.execute("delete from projects where deleted < ?", (old,))
            db.execute("delete from nodes where deleted < ?", (old,))
        for told in self.compositions(None, 1000):
            if told["state"] in ("queued", "running"):
                self.save_composition(told | {"state": "interrupted", "position": None,
                                              "wait_seconds": None})  # fmt: skip
        named = {row["file"] for row in self.rows("select file from revisions")}
        for file in self.files.iterdir():
            if file.name not in named:
                file.unlink(missing_ok=True)


def _claimed(path: Path) -> sqlite3.Connection:
    """A lock that only one process has, and that ends with it."""
    claim = sqlite3.connect(path, timeout=0, check_same_thread=False, isolation_level=None)
    try:
        claim.execute("begin exclusive")
    except sqlite3.OperationalError as error:
        claim.close()
        raise UserError(f"another studio uses {path.parent}: stop it, or give --data") from error
    return claim


def _connected(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=10, check_same_thread=False, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.execute("pragma foreign_keys = on")
    version = db.execute("pragma user_version").fetchone()[0]
    if version > _VERSION:
        raise UserError(f"{path} was made by a newer musenet: update, or give another --data")
    if version == 0:
        db.executescript(f"begin; {_SCHEMA} pragma user_version = {_VERSION}; commit;")
    return db


def _insert_node(db: sqlite3.Connection, row: Row) -> None:
    """A node with one revision, from a row as `Store.node` gives it."""
    columns = ("id", "project", "parent", "kind", "label", "created", "changed", "kept_bars",
               "made")  # fmt: skip
    db.execute(f"insert into nodes ({', '.join(columns)}, revision) values ({'?, ' * 9} 1)",
               [row[name] for name in columns])  # fmt: skip
    db.execute("insert into revisions values (?, 1, ?, ?, ?)",
               (row["id"], row["file"], row["edited"], row["summary"]))  # fmt: skip


def _step(db: sqlite3.Connection, node: Row, number: int) -> bool:
    """Make a revision the current one, if that of the row still is."""
    now = time.time()
    found = db.execute("update nodes set revision = ?, changed = ? where id = ? and revision = ?",
                       (number, now, node["id"], node["revision"]))  # fmt: skip
    if found.rowcount:
        _touch(db, node["project"], now)
    return found.rowcount > 0


def _touch(db: sqlite3.Connection, project: str, now: float) -> None:
    db.execute("update projects set changed = ? where id = ?", (now, project))
