"""Plans of pieces in time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from musenet.composing.sections import (
    DENSITIES,
    Section,
    in_order,
    notes_a_beat,
    parse_plan,
    parse_section,
    seconds_of,
)
from musenet.errors import UserError

PLANNED = Section(
    60.0,
    (("swing", 2.0), ("blues", 1.0)),
    ("piano", "drums"),
    120.0,
    1.5,
    "mf",
    "C | Am F",
    "a-minor",
)


def test_the_short_form_says_it_all() -> None:
    text = "1:00 style=swing:2,blues instrument=piano,drums tempo=120 density=light dynamics=mf"
    assert parse_section(text + " key=a-minor chords=C | Am F") == PLANNED
    assert parse_section("90.5") == Section(90.5)


def test_a_plan_is_json() -> None:
    one = {
        "at": "1:00", "style": {"swing": 2, "blues": 1}, "instrument": ["piano", "drums"],
        "tempo": 120, "density": "light", "dynamics": "mf", "chords": "C | Am F",
        "key": "a-minor",
    }  # fmt: skip
    assert parse_plan(json.dumps([one])) == (PLANNED,)
    assert parse_plan(json.dumps({"sections": [one, {"at": 90}]})) == (PLANNED, Section(90.0))


@pytest.mark.parametrize("name", ["style", "instrument", "key", "chords", "dynamics"])
def test_what_is_text_is_not_a_number(name: str) -> None:
    with pytest.raises(UserError, match=f"a section's {name} is 5: give text in quotes"):
        parse_plan(json.dumps([{"at": 0, name: 5}]))
    with pytest.raises(UserError, match=f"a section's {name} is .*5.*: give text in quotes"):
        parse_plan(json.dumps([{"at": 0, name: [5]}]))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("soon", "begins at 'soon'"),
        ("1:00 colour=red", "'colour=red' is none of style"),
        ("1:00 piano", "'piano' is none of"),
        ("1:00 style=motzart", "unknown style 'motzart'"),
        ("1:00 tempo=fast", "does not fit"),
        ("1:00 density=thick", "--density thick: give sparse"),
        ("1:00 dynamics=loud", "--dynamics loud"),
        ("1:00 key=H", "--key H is no key"),
        ("1:00 chords=H", "'H' is no chord"),
    ],
)
def test_mistakes_in_the_short_form(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        parse_section(text)


@pytest.mark.parametrize(
    "text", ["{", "3", '{"sections": 3}', '["x"]', '[{"when": 3}]', '[{"tempo": []}]']
)
def test_mistakes_in_a_plan(text: str) -> None:
    with pytest.raises(UserError):
        parse_plan(text)


@pytest.mark.parametrize(
    ("given", "seconds"), [("1:30", 90.0), ("0:05", 5.0), ("12.5", 12.5), (7, 7.0)]
)
def test_times(given: Any, seconds: float) -> None:
    assert seconds_of(given) == seconds


def test_what_is_left_open_goes_on() -> None:
    first = Section(styles=(("jazz", 1.0),), instruments=("piano",), dynamics="p")
    plan = in_order(first, [Section(60.0, dynamics="f"), Section(30.0, instruments=("flute",))], 90)
    assert [section.at for section in plan] == [0.0, 30.0, 60.0]
    assert [section.instruments for section in plan] == [("piano",), ("flute",), ("flute",)]
    assert [section.dynamics for section in plan] == ["p", "p", "f"]
    assert {section.styles for section in plan} == {(("jazz", 1.0),)}


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("3 instrument=acoustic bass,string ensemble tempo=90",
         Section(3.0, instruments=("acoustic bass", "string ensemble"), tempo=90.0)),
        ("3 key=F# minor style=string quartet:2",
         Section(3.0, (("string quartet", 2.0),), key="F# minor")),
        ("3 chords=", Section(3.0, chords="")),
        ("3 dynamics=f chords=C | F", Section(3.0, dynamics="f", chords="C | F")),
    ],
)  # fmt: skip
def test_values_of_several_words(text: str, section: Section) -> None:
    assert parse_section(text) == section


def test_a_section_at_the_beginning_is_the_first() -> None:
    plan = in_order(Section(density=3.0), [Section(0.0, dynamics="f")], 60.0)
    assert plan == [Section(0.0, density=3.0, dynamics="f")]


@pytest.mark.parametrize("times", [(10.0, 10.0), (60.0,), (70.0,)])
def test_sections_that_cannot_be(times: tuple[float, ...]) -> None:
    with pytest.raises(UserError):
        in_order(Section(), [Section(time) for time in times], 60.0)


def test_densities_are_words_or_numbers() -> None:
    assert notes_a_beat("dense") == DENSITIES["dense"]
    assert notes_a_beat("2.5") == notes_a_beat(2.5) == 2.5
    assert notes_a_beat(None) is None
