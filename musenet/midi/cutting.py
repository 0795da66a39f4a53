"""Given music up to a bar."""

from __future__ import annotations

from pathlib import Path

from musenet.errors import UserError
from musenet.midi.extending import extend
from musenet.midi.reading import load
from musenet.score import Score, bar_starts


def bar_tick(score: Score, bar: int) -> int:
    """The tick at which a bar (from 1) begins; that behind the last bar is the end.

    Raises:
        UserError: there is no such bar.
    """
    starts = [*bar_starts(score).tolist(), score.end]
    if not 1 <= bar <= len(starts):
        raise UserError(f"there is no bar {bar}: the piece has {len(starts) - 1}")
    return int(starts[bar - 1])


def before_bar(source: Path | str | bytes, bar: int) -> tuple[bytes, int]:
    """A file up to a bar (from 1), event for event, and the tick at which that bar begins.

    Notes that sound into the bar end there, as in `extend`.

    Raises:
        UserError: the file cannot be read, there is no such bar, or nothing is played before it.
    """
    score = load(source)
    tick = bar_tick(score, bar)
    if not (score.notes["onset"] < tick).any():
        raise UserError(f"nothing is played before bar {bar}: give a later one")
    return extend(source, tick, Score()), tick
