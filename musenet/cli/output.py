"""What the commands print: results on stdout, progress on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from musenet.corpus.progress import Tell

_WIDTH = 160
"""Columns where stdout is no terminal."""


def print_json(data: Mapping[str, Any]) -> None:
    """Print one JSON object, with null for what is no finite number."""
    sys.stdout.write(json.dumps(_finite(data), indent=1, allow_nan=False) + "\n")


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def say(line: str, *, stderr: bool = False) -> None:
    """Print a line of text as it is."""
    _console(stderr).print(line, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers stand to the right, None is an empty cell.

    Off a terminal the first column is not folded: scripts look for names in it.
    """
    console, table = _console(), Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(columns):
        numeric = all(isinstance(row[place], int | float | None) for row in rows)
        whole = place == 0 and not console.is_terminal
        table.add_column(name, justify="right" if numeric else "left", no_wrap=whole)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def print_facts(facts: Mapping[str, Any], indent: int = 0) -> None:
    """Print names and values, a line each, nested ones indented."""
    for name, value in facts.items():
        label = " " * indent + str(name).replace("_", " ")
        if isinstance(value, Mapping) and value:
            say(f"{label}:")
            print_facts(value, indent + 2)
        else:
            say(f"{label}: {_cell(value)}")


def clock(seconds: float) -> str:
    """Minutes and seconds, such as 4:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


@contextmanager
def progress(*columns: ProgressColumn | str) -> Iterator[Progress]:
    """A progress display on stderr, seen on a terminal alone."""
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar:
        yield bar


def bar(what: str) -> AbstractContextManager[Progress]:
    """A display of how far some work has come and how long the rest takes."""
    return progress(TextColumn(what), BarColumn(), TimeRemainingColumn())


@contextmanager
def steps() -> Iterator[Tell]:
    """A function that shows each step of a build as a bar."""
    columns = "{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with progress(*columns) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total)
            bar.update(tasks[step], completed=done, total=total)

        yield tell


def _console(stderr: bool = False) -> Console:
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH
    return console


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return "" if value is None else str(value)
