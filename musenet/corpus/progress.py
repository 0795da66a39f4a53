"""Progress of a build on the terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Tell = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and how much there is to do."""


@contextlib.contextmanager
def show_progress(console: Console | None = None) -> Iterator[Tell]:
    """A function that shows each step as a bar while the block lasts.

    Args:
        console: where to, by default the standard error.
    """
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(
        *columns, TimeElapsedColumn(), console=console or Console(stderr=True)
    ) as progress:
        tasks = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total)
            progress.update(tasks[step], completed=done, total=total)

        yield tell
