from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musenet.errors import UserError
from musenet.styles import STYLES, find_style, fold, style_id


def test_ids_of_the_encoding_do_not_move() -> None:
    anchors = {0: "classical", 5: "jazz", 15: "drums", 16: "renaissance", 20: "modern"}
    assert {index: STYLES[index].name for index in anchors} == anchors
    assert style_id("bach") == [style.kind for style in STYLES].index("composer")


def test_names_are_unique_folded_and_fit_the_table() -> None:
    names = [fold(style.name) for style in STYLES]
    assert len(set(names)) == len(names) <= 256
    aliases = [fold(alias) for style in STYLES for alias in style.aliases]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & set(names)


@given(st.sampled_from(STYLES), st.data())
def test_every_name_and_alias_is_found_in_any_case_and_with_hyphens(
    style: object, data: st.DataObject
) -> None:
    index = STYLES.index(style)  # type: ignore[arg-type]
    name = data.draw(st.sampled_from((STYLES[index].name, *STYLES[index].aliases)))
    assert style_id(name) == style_id(name.upper().replace(" ", "-")) == index


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("Fauré", "faure"),
        ("J. S. Bach", None),
        ("Johann Sebastian Bach", "bach"),
        ("Bossa-Nova", "bossa nova"),
        ("Żeleński", "zelenski"),
        ("video game music", "game"),
        ("R&B", "soul"),
        ("  tin pan   alley ", "tin pan alley"),
        ("jazz music", "jazz"),
    ],
)
def test_find_style_folds_what_users_write(asked: str, name: str | None) -> None:
    found = find_style(asked)
    assert (None if found is None else STYLES[found].name) == name


def test_an_unknown_style_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown style 'chopen': did you mean chopin"):
        style_id("chopen")


@pytest.mark.parametrize("absent", ["film", "", "Lady Gaga"])
def test_what_the_corpus_lacks_is_refused(absent: str) -> None:
    with pytest.raises(UserError):
        style_id(absent)


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    once = fold(text)
    assert once == " ".join(once.split())
    assert fold(once.upper()) == fold(once)
