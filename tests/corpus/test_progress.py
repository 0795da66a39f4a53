from __future__ import annotations

import io

from rich.console import Console

from musenet.corpus.progress import show_progress


def test_steps_are_shown() -> None:
    screen = io.StringIO()
    with show_progress(Console(file=screen, width=80)) as tell:
        tell("reading music", 0, 4)
        tell("reading music", 4, 4)
        tell("writing shards", 1, 3)
    text = screen.getvalue()
    assert "reading music" in text
    assert "4/4" in text
    assert "1/3" in text
