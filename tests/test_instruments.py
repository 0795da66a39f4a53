from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musenet.errors import UserError
from musenet.instruments import DRUMS, INSTRUMENT_OF_PROGRAM, INSTRUMENTS, Instrument, instrument_id

PITCHED = INSTRUMENTS[:DRUMS]
IDS = range(len(INSTRUMENTS))


def test_each_program_belongs_to_exactly_one_instrument() -> None:
    counts = Counter(program for instrument in INSTRUMENTS for program in instrument.programs)
    assert counts == Counter(range(128))


@pytest.mark.parametrize("program", range(128))
def test_the_table_agrees_with_the_instruments(program: int) -> None:
    assert program in INSTRUMENTS[INSTRUMENT_OF_PROGRAM[program]].programs


def test_an_instruments_own_program_leads_back_to_it() -> None:
    assert [INSTRUMENT_OF_PROGRAM[instrument.program] for instrument in PITCHED] == [*IDS][:DRUMS]


def test_the_drums_come_last_and_have_no_program() -> None:
    assert INSTRUMENTS[DRUMS].name == "drums"
    assert INSTRUMENTS[DRUMS].programs == ()
    assert DRUMS not in INSTRUMENT_OF_PROGRAM


def test_names_are_unique_and_plain() -> None:
    names = [instrument.name for instrument in INSTRUMENTS]
    assert len(set(names)) == len(names)
    assert all(name == name.lower().strip() for name in names)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda instrument: instrument.name)
def test_ranges_are_midi_pitches_and_hold_an_octave(instrument: Instrument) -> None:
    assert 0 <= instrument.low <= instrument.high - 12
    assert instrument.high <= 127


@pytest.mark.parametrize(
    ("name", "open_strings"),
    [
        ("violin", (55, 62, 69, 76)),
        ("viola", (48, 55, 62, 69)),
        ("cello", (36, 43, 50, 57)),
        ("contrabass", (28, 33, 38, 43)),
        ("acoustic guitar", (40, 45, 50, 55, 59, 64)),
        ("electric bass", (28, 33, 38, 43)),
        ("piano", (21, 60, 108)),
    ],
)
def test_ranges_hold_what_the_instrument_surely_plays(
    name: str, open_strings: tuple[int, ...]
) -> None:
    instrument = INSTRUMENTS[instrument_id(name)]
    assert all(instrument.low <= pitch <= instrument.high for pitch in open_strings)


@given(
    index=st.sampled_from(IDS),
    spell=st.sampled_from([str.lower, str.upper, str.title]),
    gap=st.sampled_from([" ", "_", "-", "  "]),
    margin=st.sampled_from(["", " "]),
)
def test_a_name_is_known_however_it_is_spelt(
    index: int, spell: Callable[[str], str], gap: str, margin: str
) -> None:
    name = spell(INSTRUMENTS[index].name).replace(" ", gap)
    assert instrument_id(margin + name + margin) == index


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("double bass", "contrabass"),
        ("French horn", "horn"),
        ("cor anglais", "english horn"),
        ("saxophone", "alto sax"),
        ("violins", "violin"),
        ("flutes", "flute"),
        ("string ensemble", "strings"),
        ("drum kit", "drums"),
        ("brass", "brass"),
    ],
)
def test_other_names_and_plurals(alias: str, name: str) -> None:
    assert INSTRUMENTS[instrument_id(alias)].name == name


def test_an_unknown_name_is_the_users_to_mend() -> None:
    with pytest.raises(UserError, match="unknown instrument 'violun': did you mean violin"):
        instrument_id("violun")


@pytest.mark.parametrize("name", ["", " ", "s", "kazoo"])
def test_nonsense_names_no_instrument(name: str) -> None:
    with pytest.raises(UserError):
        instrument_id(name)
