"""Parts added to given pieces, replaced in them, and bars filled in."""

from __future__ import annotations

import numpy as np
import pytest
from composers import random_composer, random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from toys import restored

from musenet import midi
from musenet.composing.arranging import addition_of, arrangement_of
from musenet.composing.decoding import Decoder, generators
from musenet.composing.network import network_of
from musenet.composing.prompt import limits
from musenet.composing.sampling import Sampling
from musenet.condition import Condition
from musenet.echoes import NO_ECHO
from musenet.errors import UserError
from musenet.features import COLUMNS, Features
from musenet.given import AHEAD
from musenet.instruments import DRUMS, instrument_id
from musenet.score import METRE, NOTE, TEMPO, Array, Score, records, sort_notes
from musenet.windows import window

PIANO, CELLO, FLUTE = map(instrument_id, ("piano", "cello", "flute"))
BAR, BEAT = 4 * 480, 480


def piece(bars: int = 12, players: tuple[int, ...] = (PIANO, FLUTE)) -> Score:
    """Quarter notes, each player an octave above the one before; the tempo changes once."""
    rows = [
        (BEAT * beat, BEAT - 20, 48 + 12 * place + beat % 7, 70 + place, player)
        for beat in range(4 * bars)
        for place, player in enumerate(players)
    ]
    tempos = records(TEMPO, [(0, 120.0), (6 * BAR, 90.0)])
    return Score(sort_notes(records(NOTE, rows)), tempos, records(METRE, [(0, 4, 4)]), 480)


def notes_of(score: Score, *players: int) -> list[tuple[int, ...]]:
    own = score.notes[np.isin(score.notes["instrument"], players)]
    return [tuple(map(int, row)) for row in own[["onset", "duration", "pitch", "velocity"]]]


def between(notes: Array, start: int, stop: int) -> Array:
    return notes[(notes["onset"] >= start) & (notes["onset"] < stop)]


def test_a_part_is_added_and_all_else_stays() -> None:
    given_file = midi.to_bytes(piece())
    made = random_composer().arrange(given_file, instruments="cello", seed=1)[0]
    after = midi.load(made.midi)
    assert set(after.instruments) == {PIANO, FLUTE, CELLO}
    assert notes_of(after, PIANO, FLUTE) == notes_of(midi.load(given_file), PIANO, FLUTE)
    assert made.facts["new_notes"] == len(notes_of(after, CELLO)) > 5
    assert after.tempos.tolist() == midi.load(given_file).tempos.tolist()


def test_a_part_is_replaced() -> None:
    given_file = midi.to_bytes(piece())
    made = random_composer().arrange(given_file, instruments=["flute"], seed=1)[0]
    before, after = midi.load(given_file), midi.load(made.midi)
    assert notes_of(after, PIANO) == notes_of(before, PIANO)
    assert notes_of(after, FLUTE) != notes_of(before, FLUTE)
    assert made.facts["new_notes"] == len(notes_of(after, FLUTE))


def test_what_a_part_has_may_be_kept() -> None:
    given_file = midi.to_bytes(piece())
    made = random_composer().arrange(given_file, instruments=["flute"], keep=True, seed=1)[0]
    before, after = midi.load(given_file), midi.load(made.midi)
    assert set(notes_of(before, FLUTE)) <= set(notes_of(after, FLUTE))
    assert len(after.notes) > len(before.notes)


def test_bars_are_filled_in() -> None:
    given_file = midi.to_bytes(piece())
    made = random_composer().arrange(given_file, bars=(3, 8), seed=2)[0]
    before, after = midi.load(given_file), midi.load(made.midi)
    for start, stop in ((0, 2 * BAR), (8 * BAR, 12 * BAR)):
        assert (
            between(after.notes, start, stop).tolist()
            == between(before.notes, start, stop).tolist()
        )
    assert made.facts["new_notes"] >= len(between(after.notes, 2 * BAR, 8 * BAR)) > 0


def test_what_follows_the_bars_is_not_told_ahead() -> None:
    layout = arrangement_of(piece(), [PIANO, FLUTE], (3, 8))
    assert not layout.opening.given.any() and not layout.pending.given.any()
    assert layout.stop is not None and (layout.pending.tick[:-1] >= layout.start).all()
    notes = layout.pending.ids[:, 1] <= DRUMS
    assert notes.any() and (layout.pending.tick[:-1][notes] >= layout.stop).all()
    beside = arrangement_of(piece(), [FLUTE], (3, 8))
    sounds = beside.pending.tick[:-1] + beside.pending.lead
    assert beside.pending.given.any() and (sounds[beside.pending.given] < layout.stop).all()


def test_the_last_bars_are_composed_anew() -> None:
    given_file = midi.to_bytes(piece())
    made = random_composer().arrange(given_file, bars=(11, 12), seed=2)[0]
    before, after = midi.load(given_file), midi.load(made.midi)
    kept = between(before.notes, 0, 10 * BAR).tolist()
    assert between(after.notes, 0, 10 * BAR).tolist() == kept


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "nothing given would be left"),
        ({"instruments": ["piano", "flute", "cello"]}, "nothing given would be left"),
        ({"bars": (0, 2)}, "--bars 0-2: the piece has bars 1 to 12"),
        ({"bars": (5, 4)}, "--bars 5-4"),
        ({"bars": (5, 13)}, "--bars 5-13"),
        ({"instruments": "cello", "candidates": 0}, "--candidates 0"),
    ],
)
def test_mistakes(asked: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        random_composer().arrange(midi.to_bytes(piece()), **asked)  # type: ignore[arg-type]


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 12), st.integers(0, 3), st.booleans(), st.integers(0, 100))
def test_given_rows_come_at_their_time(first: int, more: int, keep: bool, seed: int) -> None:
    score, last = piece(), min(12, first + more)
    layout = arrangement_of(score, [FLUTE], (first, last), keep=keep)
    decoder = Decoder(
        network_of(random_model(seed)), Condition(), limits([FLUTE], layout.seconds, {}),
        Sampling(), opening=layout.opening.table, earliest=layout.start,
        random=generators(seed, range(2)), context=40, since=layout.since, until=layout.until,
        pending=layout.pending, ahead=layout.opening,
    )  # fmt: skip
    for draft in decoder.run():
        ticks = np.cumsum(draft.table[:, 0], dtype=np.int64)
        assert (draft.lead[draft.given] <= AHEAD).all() and not draft.lead[~draft.given].any()
        new = addition_of(draft, layout).notes
        stop = np.inf if layout.stop is None else layout.stop
        assert ((new["onset"] >= layout.start) & (new["onset"] < stop)).all()
        whole = restored(type(layout.opening)(draft.table, draft.given, draft.lead))
        assert np.all(np.diff(np.cumsum(whole[:, 0], dtype=np.int64)) >= 0)
        if layout.stop is None and draft.ended:
            told = len(layout.opening.table) + len(layout.pending)
            assert int(draft.given.sum()) <= told
        assert np.all(np.diff(ticks) >= 0)


def test_a_window_read_again_has_the_features_of_its_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layout = arrangement_of(piece(), [CELLO])
    decoder = Decoder(
        network_of(random_model(3)), Condition(), limits([CELLO], layout.seconds, {}), Sampling(),
        opening=layout.opening.table, earliest=0, random=generators(0, range(1)), context=40,
        pending=layout.pending, ahead=layout.opening,
    )  # fmt: skip
    made: list[NDArray[np.int32]] = []
    plain = Decoder._next_row

    def watched(self: Decoder) -> Features:
        columns = plain(self)
        made.append(columns[0])
        return columns

    monkeypatch.setattr(Decoder, "_next_row", watched)
    draft = decoder.run()[0]
    count = len(draft.table)
    assert count > 80 and draft.given.sum() == len(piece().notes)
    for start in (0, count - 30):
        view = window(draft.table, start, count)
        again = decoder.engine._columns(0, view, np.arange(start, count))[view.reminders :]
        assert np.array_equal(again[:, : len(COLUMNS)], np.stack(made[start:count]))
        assert (again[:, len(COLUMNS) :] == NO_ECHO).all()
