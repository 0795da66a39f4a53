"""Pieces in sections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from composers import random_composer

from musenet.chords import chord_id, parse_key
from musenet.composing.decoding import TOLD_LENGTH, Decoder, Draft, after
from musenet.composing.finishing import Composition
from musenet.composing.planning import CLOSING, joined
from musenet.composing.prompt import Opening
from musenet.composing.sections import Section, parse_section
from musenet.errors import UserError
from musenet.events import REST, TEMPO_EVENT, Table, decode, is_note
from musenet.features import NOT_TOLD, moments_of
from musenet.instruments import instrument_id
from musenet.quantise import tempo_step
from musenet.score import seconds_at

PIANO, FLUTE, VIOLIN = map(instrument_id, ("piano", "flute", "violin"))


def composed(*sections: str, **asked: Any) -> Composition:
    asked = {"instruments": "piano", "minutes": 0.5, "seed": 3} | asked
    return random_composer().compose(sections=[*map(parse_section, sections)], **asked)[0]


def players_between(piece: Composition, start: float, stop: float) -> set[int]:
    seconds = seconds_at(piece.score, piece.score.notes["onset"])
    return set(piece.score.notes["instrument"][(seconds >= start) & (seconds < stop)].tolist())


def test_instruments_change_when_they_are_asked_to() -> None:
    piece = composed("10 instrument=flute,violin", "20 instrument=piano")
    assert players_between(piece, 0.0, 9.9) == {PIANO}
    assert players_between(piece, 10.1, 19.9) == {FLUTE, VIOLIN}
    assert players_between(piece, 20.1, 40.0) == {PIANO}
    assert 0.95 * 30 <= piece.score.seconds <= 1.05 * 30


def test_the_tempo_of_a_section_begins_with_it() -> None:
    piece = composed("15 tempo=200", tempo=60.0)
    tempos, seconds = piece.score.tempos, seconds_at(piece.score, piece.score.tempos["tick"])
    early, late = tempos["bpm"][seconds < 14.9], tempos["bpm"][seconds > 14.9]
    assert abs(early / 60 - 1).max() < 0.2
    assert len(late) and abs(late / 200 - 1).max() < 0.2
    assert 15.0 - 0.01 <= seconds[seconds > 14.9][0] < 16.1


def test_a_section_at_the_beginning_is_what_the_piece_is_asked_for() -> None:
    piece = composed("0:00 instrument=violin tempo=60 key=Am style=waltz", instruments=())
    assert players_between(piece, 0.0, 40.0) == {VIOLIN}
    assert piece.score.tempos["bpm"][0] == 60.0
    asked = piece.facts["prompt"]
    assert (asked["instruments"], asked["key"], asked["sections"]) == (("violin",), "Am", ())
    assert piece.midi == composed(styles="waltz", instruments="violin", tempo=60.0, key="Am").midi
    with pytest.raises(UserError, match="same time"):
        composed("0 tempo=60", "0 tempo=70")


def test_players_of_a_given_file_go_on_through_sections_that_name_none() -> None:
    given = composed(instruments="flute", minutes=0.2)
    piece = composed("20 density=dense", "25 instrument=violin", given=given.midi, minutes=0.6)
    begun = given.score.seconds
    assert players_between(piece, begun + 0.1, 24.9) == {PIANO, FLUTE}
    assert players_between(piece, 25.1, 60.0) == {VIOLIN}


def test_a_tempo_that_begins_in_a_given_file_holds_behind_it() -> None:
    given = composed(tempo=160.0, minutes=0.2)
    piece = composed("5 tempo=80", given=given.midi)
    at = seconds_at(piece.score, piece.score.tempos["tick"])
    asked = np.abs(piece.score.tempos["bpm"] / 80 - 1) < 0.05
    assert (np.abs(at[asked] - given.score.seconds) < 0.5).any()


def test_sections_behind_a_given_file_begin_at_their_time() -> None:
    """Its tempi are not all as far from the steps of the table."""
    given = composed("5 tempo=41", tempo=39.2, minutes=0.25)
    piece = composed("20 instrument=flute", "25 instrument=violin", given=given.midi)
    assert players_between(piece, 20.05, 24.95) == {FLUTE}
    assert players_between(piece, 25.05, 40.0) == {VIOLIN}


def test_each_candidate_has_its_sections_and_the_same_seed_says_the_same() -> None:
    sections = [Section(15.0, instruments=("flute",))]
    asked: dict[str, Any] = {"instruments": "piano", "minutes": 0.5, "sections": sections}
    both = random_composer().compose(seed=1, candidates=2, **asked)
    alone = random_composer().compose(seed=1, candidates=1, **asked)
    first = next(piece for piece in both if piece.facts["candidate"] == 0)
    assert first.midi == alone[0].midi.replace(b'"candidates": 1', b'"candidates": 2')
    assert both[1].midi != both[0].midi
    assert players_between(both[1], 15.1, 40.0) == {FLUTE}


def test_rows_are_told_once() -> None:
    told: dict[int, list[Table]] = {0: [], 1: []}
    pieces = random_composer().compose(
        instruments="piano", minutes=0.5, candidates=2, notes="C4 E4 G4",
        sections=[Section(10.0, tempo=150.0), Section(20.0, dynamics="f")],
        on_rows=lambda place, rows: told[place].append(rows.copy()),
    )  # fmt: skip
    for piece in pieces:
        rows = np.concatenate(told[piece.facts["candidate"]])
        assert (rows[:, 1] < 60).sum() == len(piece.score.notes)
        assert (rows[:, 1] == TEMPO_EVENT).sum() >= 2


def test_what_stands_before_the_close_does_not_depend_on_the_endings_tried() -> None:
    told: dict[int, list[Table]] = {}
    for endings in (1, 5):
        rows: list[Table] = []
        pieces = random_composer().compose(
            instruments="piano", minutes=0.5, seed=1, endings=endings,
            on_rows=lambda _, new, rows=rows: rows.append(new.copy()),
        )  # fmt: skip
        told[endings] = rows
        assert (np.concatenate(rows)[:, 1] < 60).sum() == len(pieces[0].score.notes)
    plain, tried = (np.concatenate(told[endings]) for endings in (1, 5))
    closing = 30.0 * TOLD_LENGTH - CLOSING
    before = int((moments_of(plain).seconds < closing).sum())
    assert 10 < before < len(plain)
    assert np.array_equal(plain[:before], tried[:before])
    assert not np.array_equal(plain, tried)
    assert moments_of(tried).seconds[before] >= closing - 0.1


@pytest.mark.parametrize("sections", [(), (Section(24.0, instruments=("flute",)),)])
def test_the_ending_that_the_model_is_surest_of_is_kept(
    monkeypatch: pytest.MonkeyPatch, sections: tuple[Section, ...]
) -> None:
    made: list[list[Draft]] = []
    run = Decoder.run

    def kept(self: Decoder, *args: Any, **options: Any) -> list[Draft]:
        made.append(run(self, *args, **options))
        return made[-1]

    monkeypatch.setattr(Decoder, "run", kept)
    piece = random_composer().compose(
        instruments="piano", minutes=0.5, seed=2, endings=7, sections=sections
    )[0]
    tried = made[-1]
    assert [len(drafts) for drafts in made] == [1] * (1 + len(sections)) + [7]
    assert len({draft.table.tobytes() for draft in tried}) > 1
    best = max(tried, key=lambda draft: (draft.ended, draft.sure))
    assert len(piece.score.notes) == is_note(best.table).sum()
    assert np.array_equal(piece.score.notes["pitch"], decode(best.table).notes["pitch"])
    for draft in tried:
        assert np.array_equal(draft.table[: len(made[-2][0].table)], made[-2][0].table)
        assert 0.0 <= draft.sure <= 1.0
        assert draft.ended or draft.sure == 0.0


def test_progress_of_candidates_with_sections_grows_to_the_end() -> None:
    seen: list[float] = []
    sections = [Section(15.0, dynamics="f")]
    random_composer().compose(
        instruments="piano",
        minutes=0.5,
        sections=sections,
        candidates=2,
        progress=seen.append,
        seed=1,
    )
    assert seen == sorted(seen) and seen[0] < 10.0 and seen[-1] > 28.0


def test_progress_grows_to_the_end() -> None:
    told: list[float] = []
    random_composer().compose(
        instruments="piano", minutes=0.5, candidates=3, progress=told.append, seed=5
    )
    assert told == sorted(told)
    assert told[-1] == pytest.approx(30.0)
    assert sum(seconds > 30.0 * TOLD_LENGTH - CLOSING for seconds in told) >= 3


def test_chords_are_told_and_heard() -> None:
    composer = random_composer()
    asked: dict[str, Any] = {"instruments": "piano", "minutes": 1.0, "candidates": 24}
    plain, bound = (composer.compose(chords=chords, **asked) for chords in ("", "C"))
    share = [
        np.isin(np.concatenate([p.score.notes["pitch"] for p in pieces]) % 12, [0, 4, 7]).mean()
        for pieces in (plain, bound)
    ]
    assert share[1] > share[0] + 0.1
    assert set(map(tuple, bound[0].score.metres[["numerator", "denominator"]].tolist())) == {(4, 4)}


def steered(monkeypatch: pytest.MonkeyPatch, **asked: Any) -> list[Decoder]:
    """The decoders of a piece, one for each section."""
    made: list[Decoder] = []
    run = Decoder.run

    def kept(self: Decoder, *args: Any, **options: Any) -> list[Draft]:
        made.append(self)
        return run(self, *args, **options)

    monkeypatch.setattr(Decoder, "run", kept)
    random_composer().compose(
        **{"instruments": "piano", "minutes": 0.5, "endings": 1, "seed": 3} | asked
    )
    return made


def test_chords_go_on_through_sections_that_ask_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = [Section(10.0, dynamics="f"), Section(20.0, chords="F | G")]
    same, other = steered(
        monkeypatch, chords="C | F | G | Am", tempo=120.0, metre="4/4", sections=sections, seed=4
    )[1:]
    assert same.steering.first_bar == 0
    assert other.steering.first_bar == 10


def test_a_given_file_is_told_nothing_of_what_is_asked_for_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = composed(tempo=120.0, metre="4/4", minutes=0.2)
    (made,) = steered(monkeypatch, given=given.midi, chords="C | F", density=6.0, dynamics="ff")
    moments = moments_of(made.tables[0, : made.lengths[0]])
    told = made.steering.at(moments)
    old = moments.tick < made.steering.begins
    assert old.any() and (told[old][:, :3] == NOT_TOLD[:3]).all()
    assert not (told[~old][:, :3] == NOT_TOLD[:3]).any()
    assert made.steering.begins == round(given.score.end / given.score.ticks_per_beat * 24)
    assert made.steering.first_bar == made.steering.begins // 96
    bars = moments.tick[~old] // 96 - made.steering.first_bar
    chords = np.array([chord_id("C"), chord_id("F")])
    np.testing.assert_array_equal(told[~old, 0], chords[bars % 2])


def test_a_section_beyond_the_opening_is_needed() -> None:
    with pytest.raises(UserError, match="when the piece is over"):
        composed("40 dynamics=p")


@pytest.mark.parametrize("begins", [0.1, 3.0, 30.0])
def test_a_join_begins_at_its_time(begins: float) -> None:
    table = np.array([[0, 62, 0, 0, 0], [0, 61, 20, 0, 0], [5, 0, 60, 24, 20]], dtype=np.uint8)
    opening = Opening(table)
    plain = joined(opening, table, begins, None)
    now = after(table, 1)
    seconds = float(now.seconds[0] + (plain.earliest - now.tick[0]) * now.seconds_per_tick[0])
    assert begins <= max(seconds, begins) < max(begins, float(now.seconds[0])) + 0.1
    changed = joined(opening, table, begins, 90.0)
    rows = changed.table[len(table) :]
    assert rows[-1].tolist()[1:] == [TEMPO_EVENT, int(tempo_step(90.0)), 0, 0]
    assert (rows[:-1, 1] == REST).all()
    assert int(changed.table[:, 0].sum(dtype=int)) == changed.earliest
    assert changed.earliest % 24 == 0 and changed.earliest >= plain.earliest


def test_each_section_is_told_its_key_and_that_of_what_came_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sections = [Section(10.0, key="F# minor"), Section(20.0, instruments=("flute",))]
    made = steered(monkeypatch, key="C", sections=sections)
    keys = [parse_key(name) for name in ("C", "F# minor", "F# minor")]
    assert [decoder.engine.conditions[0].key for decoder in made] == keys
    last = made[-1]
    rows = last.steering.at(moments_of(last.tables[0, : last.lengths[0]]))
    assert sorted(set(rows[:, 3].tolist())) == sorted(set(keys))
    assert np.flatnonzero(np.diff(rows[:, 3])).size == 1
