"""Joining in: parts added to a given piece, one replaced, bars filled in; the rest stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musenet.composing.decoding import Draft
from musenet.composing.pending import Pending
from musenet.errors import UserError
from musenet.events import REST, Table, decode, encode, is_note, spaced
from musenet.given import Anticipated, anticipated
from musenet.midi import Removal
from musenet.score import TICKS_PER_BEAT, Score, bar_starts, seconds_at


@dataclass(frozen=True)
class Arrangement:
    """A given piece, laid out for new parts to be composed into it.

    Attributes:
        opening: what stands before the new music, given notes among it.
        pending: what is to come whatever is composed.
        start: tick at which the new music begins, 24 to the beat.
        stop: tick at which it ends, None for the end of the piece.
        since: seconds of `start`.
        until: seconds of `stop`, or infinite.
        seconds: length of the piece.
        removal: notes that the new ones take the place of, None for none.
    """

    opening: Anticipated
    pending: Pending
    start: int
    stop: int | None
    since: float
    until: float
    seconds: float
    removal: Removal | None


def arrangement_of(
    given: Score, players: Sequence[int], bars: tuple[int, int] | None = None, *, keep: bool = False
) -> Arrangement:
    """How new notes of `players` come into a given piece.

    Args:
        given: the piece.
        players: ids of the instruments to compose for; what they play in the bars is replaced.
        bars: first and last bar to compose, from 1; None for all.
        keep: whether what the players have is kept and added to instead.

    Raises:
        UserError: the piece has no such bars.
    """
    table = encode(given)
    score = decode(table)
    start, stop = _span(score, bars)
    ticks = np.cumsum(table[:, 0], dtype=np.int64)
    inside = (ticks >= start) & (ticks < (ticks[-1] + 1 if stop is None else stop))
    replaced = is_note(table) & inside & np.isin(table[:, 1], players) & (not keep)
    kept = ~replaced & (table[:, 1] != REST)
    rest = spaced(table[kept].astype(np.int64), ticks[kept])
    at = np.cumsum(rest[:, 0], dtype=np.int64)
    # what follows the bars is not told ahead: its rows came eight beats before the bars were
    # over, and the network then took them for all there is and fell silent
    told = (at >= start) & (at < (np.inf if stop is None else stop))
    ahead = anticipated(rest, is_note(rest) & told)
    before = int((np.cumsum(ahead.table[:, 0], dtype=np.int64) < start).sum())
    removal = None
    if replaced.any():
        removal = _removal(given, start, stop, players)
    return Arrangement(
        ahead.take(0, before), Pending.of(ahead, start), start, stop,
        float(seconds_at(score, start)),
        np.inf if stop is None else float(seconds_at(score, stop)), score.seconds, removal,
    )  # fmt: skip


def _span(score: Score, bars: tuple[int, int] | None) -> tuple[int, int | None]:
    """First tick of the bars, and the tick behind them, None where the piece ends with them."""
    if bars is None:
        return 0, None
    starts, (first, last) = bar_starts(score), bars
    if not 1 <= first <= last <= len(starts):
        raise UserError(f"--bars {first}-{last}: the piece has bars 1 to {len(starts)}")
    return int(starts[first - 1]), int(starts[last]) if last < len(starts) else None


def _removal(given: Score, start: int, stop: int | None, players: Sequence[int]) -> Removal:
    """The same span in the ticks of the file, whose onsets are rounded to ours."""

    def at(tick: int) -> int:
        return max(0, int(np.ceil((tick - 0.5) * given.ticks_per_beat / TICKS_PER_BEAT)))

    return Removal(at(start), None if stop is None else at(stop), frozenset(players))


def addition_of(draft: Draft, arrangement: Arrangement) -> Score:
    """The new notes of a draft, at their ticks in the piece."""
    table, ticks = draft.table, np.cumsum(draft.table[:, 0], dtype=np.int64)
    new = is_note(table) & ~draft.given
    new[: len(arrangement.opening.table)] = False
    if arrangement.stop is not None:  # reached by a hair, where seconds are rounded
        new &= ticks < arrangement.stop
    rows: Table = spaced(table[new].astype(np.int64), ticks[new])
    return decode(rows)
