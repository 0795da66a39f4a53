"""Chord symbols, progressions and keys."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musenet.chords import (
    Progression,
    chord_id,
    chord_name,
    heard_chords,
    parse_chords,
    parse_key,
    written,
)
from musenet.composing.notes import parse_notes
from musenet.controls import NO_CHORD, tones
from musenet.errors import UserError
from musenet.key import KEYS, NO_KEY
from musenet.score import NOTE, Score, records


@pytest.mark.parametrize(
    ("symbol", "pitch_classes"),
    [
        ("C", {0, 4, 7}),
        ("F#m", {6, 9, 1}),
        ("Bb7", {10, 2, 5, 8}),
        ("Ebmaj7", {3, 7, 10, 2}),
        ("Am7", {9, 0, 4, 7}),
        ("Bdim", {11, 2, 5}),
        ("B°7", {11, 2, 5, 8}),
        ("Bm7b5", {11, 2, 5, 9}),
        ("G+", {7, 11, 3}),
        ("Dsus4", {2, 7, 9}),
        ("G9/B", {7, 11, 2, 5}),
        ("C♭", {11, 3, 6}),
    ],
)
def test_symbols_have_their_notes(symbol: str, pitch_classes: set[int]) -> None:
    assert set(tones(chord_id(symbol))) == pitch_classes


@given(st.integers(0, NO_CHORD))
def test_names_come_back(chord: int) -> None:
    assert chord_id(chord_name(chord)) == chord


@pytest.mark.parametrize("key", range(NO_KEY))
def test_names_of_keys_are_read(key: int) -> None:
    assert parse_key(KEYS[key]) == key


@given(st.lists(st.lists(st.integers(0, NO_CHORD), min_size=1, max_size=4), min_size=1, max_size=9))
def test_progressions_come_back(bars: list[list[int]]) -> None:
    progression = Progression(tuple(map(tuple, bars)))
    assert parse_chords(written(progression)) == progression


def test_chords_are_heard_bar_by_bar() -> None:
    notes = "C4+E4+G4:4 A3+C4+E4:2 F3+A3+C4:2 G3+B3+D4+F4:4 R:4 C3+Eb4+G4:4"
    score = parse_notes(notes)[0]
    assert written(heard_chords(score)) == "C | Am F | G7 | N | Cm"


def test_chords_of_silence_are_refused() -> None:
    with pytest.raises(UserError, match="no notes"):
        heard_chords(Score(records(NOTE, [])))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("C", 0),
        ("Am", 21),
        ("a", 21),
        ("Bb", 10),
        ("f# minor", 18),
        ("bb", 22),
        ("AM", 9),
        ("E-flat", 3),
        ("c sharp minor", 13),
        ("B flat", 10),
    ],
)
def test_keys_as_people_write_them(text: str, key: int) -> None:
    assert parse_key(text) == key


def test_bars_share_their_chords_and_repeat() -> None:
    progression = parse_chords("| C | Am F | % | N |")
    assert len(progression.bars) == 4
    names = [chord_name(progression.at(bar, place)) for bar in range(5) for place in (0.0, 0.5)]
    assert names == ["C", "C", "Am", "F", "Am", "F", "N", "N", "C", "C"]
    assert chord_name(progression.at(1, 0.499)) == "Am"


@pytest.mark.parametrize("text", ["", "|", "H", "C | Xm", "Cfoo"])
def test_what_is_no_chord_is_said(text: str) -> None:
    with pytest.raises(UserError, match="chord"):
        parse_chords(text)


@pytest.mark.parametrize("text", ["", "H", "C dorian", "C#b"])
def test_what_is_no_key_is_said(text: str) -> None:
    with pytest.raises(UserError, match="key"):
        parse_key(text)
