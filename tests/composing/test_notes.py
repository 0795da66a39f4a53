from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musenet.composing.notes import parse_notes, pitch_name, pitch_of
from musenet.errors import UserError


def test_notes_chords_and_rests_follow_one_another() -> None:
    score, end = parse_notes("C4 E4 G4:2 C4+E4 R", 15, velocity=70)
    assert score.notes.tolist() == [
        (0, 24, 60, 70, 15), (24, 24, 64, 70, 15), (48, 48, 67, 70, 15), (96, 24, 60, 70, 15),
        (96, 24, 64, 70, 15),
    ]  # fmt: skip
    assert (score.end, end) == (120, 144)


@pytest.mark.parametrize(
    ("text", "onsets"),
    [
        ("R C4", [24]),
        ("r:0.5 C4:.25, C4", [12, 18]),
        ("C4+C4 D4", [0, 24]),
        ("R:16 C4:16", [384]),
    ],
)
def test_where_notes_begin(text: str, onsets: list[int]) -> None:
    assert parse_notes(text)[0].notes["onset"].tolist() == onsets


@given(st.integers(0, 127))
def test_names_and_pitches_go_both_ways(pitch: int) -> None:
    assert pitch_of(pitch_name(pitch)) == pitch


@pytest.mark.parametrize(
    ("name", "pitch"),
    [("C4", 60), ("c4", 60), ("F#3", 54), ("Bb5", 82), ("B♭5", 82), ("C♯-1", 1), ("Cb4", 59)],
)
def test_pitches_of_names(name: str, pitch: int) -> None:
    assert pitch_of(name) == pitch


@pytest.mark.parametrize(
    "text",
    ["H4", "C", "C4:x", "C4:1.5+E4", "C4:0", "C4:-1", "C4:nan", "C4:inf", "C4:17", "Cb-1", "G#9",
     "C10", "C4++E4", "+", "R", "  ", "4C", "C4:1:2"],
)  # fmt: skip
def test_each_mistake_is_one_clear_line(text: str) -> None:
    with pytest.raises(UserError) as error:
        parse_notes(text)
    assert len(str(error.value).splitlines()) == 1
