from hypothesis import given
from hypothesis import strategies as st

from musenet.errors import UserError, unknown_name

KNOWN = ("violin", "viola", "alto sax", "tenor sax")


def test_it_is_an_exception_with_its_text() -> None:
    assert str(UserError("give a folder of MIDI files")) == "give a folder of MIDI files"
    assert issubclass(UserError, Exception)


def test_a_misspelt_name_brings_the_nearest() -> None:
    assert str(unknown_name("instrument", "violon", KNOWN)) == (
        "unknown instrument 'violon': did you mean violin, viola? 'musenet instruments' lists all"
    )


def test_case_does_not_hide_the_nearest() -> None:
    assert "did you mean viola" in str(unknown_name("instrument", "VIOLLA", KNOWN))


def test_a_part_of_a_name_brings_the_whole() -> None:
    assert "did you mean alto sax, tenor sax?" in str(unknown_name("instrument", "x", KNOWN))


def test_at_most_three_names_are_offered() -> None:
    saxes = ["alto sax", "bass sax", "soprano sax", "tenor sax"]
    text = str(unknown_name("instrument", "x", saxes))
    assert "did you mean alto sax, bass sax, soprano sax?" in text


def test_a_name_like_no_other_brings_the_command_that_lists_all() -> None:
    told = "unknown style 'qqq': 'musenet styles' lists all"
    assert str(unknown_name("style", "qqq", KNOWN)) == told


def test_known_names_may_come_from_a_generator() -> None:
    assert "violin" in str(unknown_name("instrument", "violn", (name for name in KNOWN)))


@given(st.text(st.characters(exclude_categories=("C", "Z"))))
def test_the_text_is_one_line_that_holds_the_name(name: str) -> None:
    text = str(unknown_name("instrument", name, KNOWN))
    assert repr(name)[1:-1] in text or name in text
    assert len(text.splitlines()) == 1
