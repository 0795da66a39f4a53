from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musenet.corpus.labels import Labels, label, label_from_path
from musenet.styles import STYLES

KEYBOARD = "classical keyboard"
SACRED = "choral/vocal sacred & early"


def names(labels: Labels) -> list[str]:
    return [STYLES[index].name for index in labels.styles]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("ChopinFF", "romantic", KEYBOARD, ""), ["classical", "romantic", "keyboard", "chopin"]),
        (
            ("Haydn, Joseph", "classical string quartet", "classical chamber/solo", ""),
            ["classical", "classical period", "string quartet", "haydn"],
        ),
        (("CouperinF", "baroque", "organ", ""), ["classical", "baroque", "organ"]),
        (("Gluck", "classical", KEYBOARD, ""), ["classical", "classical period", "keyboard"]),
        (("", "avant-garde", KEYBOARD, ""), ["classical", "modern", "keyboard"]),
        (("Wolf, Hugo", "classical art song", "art song", ""), ["art song", "romantic", "wolf"]),
        (("Anonim", "sacred vocal/choral", SACRED, ""), ["sacred"]),
        (("Trad.", "folk melody irish (O'Neill 1850)", "folk", ""), ["folk", "irish"]),
        (("Magenta Groove", "drums jazz-funk", "drums", ""), ["drums", "jazz"]),
        (("Magenta Groove", "drums highlife", "drums", ""), ["drums"]),
        (("", "game (rock/metal/ambient)", "game", ""), ["game", "rock"]),
        (("JoplinS", "jazz", "ragtime/jazz", ""), ["jazz", "modern", "ragtime"]),
        (("", "jazz", "jazz", ""), ["jazz"]),
        (("", "", "", ""), []),
        (("", "unheard", "of", ""), []),
    ],
)
def test_labels_of_columns(columns: tuple[str, str, str, str], expected: list[str]) -> None:
    assert names(label(*columns)) == expected


@pytest.mark.parametrize(
    ("style", "genre", "path", "expected"),
    [
        ("classical (secular)", KEYBOARD, "x/r-1_hertz--wielki-polonez.mid", "polonaise"),
        ("classical (secular)", KEYBOARD, "x/walczynski-franciszek--adagio.mid", "keyboard"),
        ("sacred vocal/choral", SACRED, "x/anonim--missa-kyrie.mid", "mass"),
        ("folk british (melody+chords)", "folk", "MIDI/jigs12.mid", "jig"),
        ("folk british (melody+chords)", "folk", "MIDI/reelsa-c7.mid", "reel"),
        ("folk fiddle tunes american", "folk", "ryans/PassaicHornpipe/1.mid", "hornpipe"),
    ],
)
def test_forms_and_dances_are_read_from_the_path(
    style: str, genre: str, path: str, expected: str
) -> None:
    assert names(label("", style, genre, "", path))[-1] == expected


@pytest.mark.parametrize(
    ("style", "genre", "expected"),
    [
        ("arranged: jazz waltz (MMA JazzWaltz)", "jazz", ["jazz", "waltz"]),
        ("arranged: cajun/zydeco (MMA Zydeco)", "country", ["country", "cajun"]),
        ("arranged: 68 march (MMA 68March)", "march", ["folk", "march"]),
        ("arranged: soul/R&B (MMA casio:Soul)", "funk/soul", ["funk and soul", "soul"]),
        ("arranged: pop 8 beat (MMA 8beat; old set)", "pop", ["pop"]),
        ("arranged: hip hop/trip hop (MMA x)", "electronic/dance", ["electronic", "hip hop"]),
    ],
)
def test_an_arrangement_carries_family_and_groove(
    style: str, genre: str, expected: list[str]
) -> None:
    labels = label("BachJS", style, genre, "arranged", "bach/fugue/x.mid")
    assert (names(labels), labels.composer) == (expected, "")


@pytest.mark.parametrize(
    ("style", "genre"),
    [
        ("hymn (SATB, Open Hymnal)", "hymns"),
        ("parlour/folk/part songs SATB", "folk"),
        ("jazz/tin pan alley lead sheet (melody+chords)", "jazz/pop lead sheets"),
        ("harmony textbook exercises", KEYBOARD),
    ],
)
def test_settings_by_others_carry_no_composer(style: str, genre: str) -> None:
    labels = label("Haydn, Joseph", style, genre, "")
    assert labels.composer == ""
    assert all(STYLES[index].kind != "composer" for index in labels.styles)


def test_a_composer_of_few_works_keeps_name_and_period_without_a_style() -> None:
    labels = label("Tchaikovsky", "classical piano (sequenced)", KEYBOARD, "")
    assert names(labels) == ["classical", "romantic", "keyboard"]
    assert labels.composer == "tchaikovsky"


TEXT = st.one_of(st.text(), st.sampled_from(["BachJS", "arranged: waltz", "folk", KEYBOARD]))


@given(TEXT, TEXT, TEXT, st.sampled_from(["", "arranged", "transcribed"]), TEXT)
def test_any_columns_give_at_most_four_styles_each_once(
    composer: str, style: str, genre: str, flag: str, path: str
) -> None:
    labels = label(composer, style, genre, flag, path)
    assert len(labels.styles) == len(set(labels.styles)) <= 4
    assert all(0 <= index < len(STYLES) for index in labels.styles)
    if flag == "arranged":
        assert labels.composer == ""


@pytest.mark.parametrize(
    ("path", "expected", "composer"),
    [
        ("music/Beethoven, Ludwig van/op27.mid", ["classical", "classical period", "beethoven"],
         "beethoven"),
        ("music/Jazz/Bossa Nova/tune.mid", ["bossa nova"], ""),
        ("Jazz/unsorted/tune.mid", ["jazz"], ""),
        ("classical/Ravel/jazz.mid", ["classical", "modern"], "ravel"),
        ("bach.mid", [], ""),
        ("", [], ""),
    ],
)  # fmt: skip
def test_labels_from_folders(path: str, expected: list[str], composer: str) -> None:
    labels = label_from_path(path)
    assert (names(labels), labels.composer) == (expected, composer)
