from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musenet.corpus.composers import fold_composer, period_of
from musenet.styles import STYLES, find_style

BEETHOVEN = [
    "Beethoven",
    "BeethovenLv",
    "Beethoven, Ludwig van",
    "Ludwig van Beethoven (1770-1827)",
    "L. v. Beethoven",
    "Beethoven_Rondo_a_capriccio_Op129_8XFMZs_7nOA.mid",
    "beethoven_sonata_no_10_hisamori_cut_mov_1.mid",
]


@pytest.mark.parametrize("raw", BEETHOVEN)
def test_spellings_of_one_composer_fold_together(raw: str) -> None:
    assert fold_composer(raw) == "beethoven"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("BachJS", "bach"),
        ("Bach-JS", "bach"),
        ("Bach-JC", "johann christian bach"),
        ("BachCPE", "carl philipp emanuel bach"),
        ("Bach, Wilhelm Friedemann", ""),
        ("Mendelssohn-BartholdyF", "mendelssohn"),
        ("Hensel, Fanny (Mendelssohn)", "hensel"),
        ("Schumann", "schumann"),
        ("Schumann, Clara", "clara schumann"),
        ("Strauss, Richard", "richard strauss"),
        ("StraussJJ", "johann strauss"),
        ("Strauss", ""),
        ("Haydn, Joseph", "haydn"),
        ("Franz Josef Haydn (1732\u20131809)", "haydn"),
        ("HaydnJM", "michael haydn"),
        ("Händel, Georg Friedrich", "handel"),
        ("Chopin, Fryderyk", "chopin"),
        ("ChopinFF", "chopin"),
        ("LassusOd", "lasso"),
        ("Lasso, Rudolph di", ""),
        ("MontePd", "monte"),
        ("Stefani, Jan", "jan stefani"),
        ("Żeleński, Władysław", "zelenski"),
        ("Lehmann, Amelia", ""),
        ("Rimsky-KorsakovN", "rimsky-korsakov"),
    ],
)
def test_namesakes_stay_apart(raw: str, name: str) -> None:
    assert fold_composer(raw) == name


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "[Traditional]",
        "Anonim",
        "MIDI-Unprocessed_12_R1_2008_01-04_ORIG_MID--AUDIO_12_R1_2008_wav--4.mid",
        "hisamori_beethoven.mid",
        "Arranged by J.S. Bach (1685-1750)",
        "Adapted from George F. Handel",
        "Words: Martin Luther, 1529. Music: 'Ode to Joy' Ludwig van Beethoven; Adapted, 1824.",
        "Charles Wesley-Felix Mendelssohn",
        "Haydn Wood",
    ],
)
def test_credits_and_strangers_give_no_name(raw: str) -> None:
    assert fold_composer(raw) == ""


@given(st.text())
def test_any_text_gives_a_known_name_or_none(raw: str) -> None:
    name = fold_composer(raw)
    assert not name or period_of(name) or find_style(name) is not None


def test_periods_are_styles_and_full_names_fold_to_their_own_style() -> None:
    for style in STYLES:
        if style.kind != "composer":
            continue
        assert {fold_composer(full) for full in (*style.aliases, style.name)} == {style.name}
        period = period_of(style.name)
        assert not period or STYLES[find_style(period) or 0].kind == "genre"
    assert period_of("bach") == "baroque"
    assert period_of("nobody") == ""
