from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from musenet.composing.drawing import choose_instruments
from musenet.composing.notes import parse_notes
from musenet.composing.prompt import (
    Prompt,
    condition_of,
    metre_place,
    opening_of,
    style_ids,
    wishes_of,
)
from musenet.composing.sections import Section, style_weights
from musenet.condition import KEYS
from musenet.errors import UserError
from musenet.events import END, MAX_WAIT, REST, TEMPO_EVENT, decode, encode
from musenet.instruments import instrument_id
from musenet.quantise import METRES, TEMPI
from musenet.score import METRE, NOTE, TEMPO, Score, records, seconds_at

PIANO, VIOLIN, PICCOLO, DRUMS = map(instrument_id, ("piano", "violin", "piccolo", "drums"))
RANDOM = np.random.default_rng(0)
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"styles": (("motzart", 1.0),)}, "unknown style 'motzart': did you mean mozart"),
        ({"instruments": ("pianno",)}, "unknown instrument 'pianno': did you mean piano"),
        ({"styles": (("mozart", 0.0),)}, "style 'mozart' has weight 0"),
        ({"styles": (("mozart", -1.0),)}, "weight -1"),
        ({"styles": (("mozart", NAN),)}, "weight nan"),
        ({"styles": (("mozart", INF),)}, "weight inf"),
        ({"minutes": 0.0}, "--minutes 0 is not between 0.1 and 60"),
        ({"minutes": -4.0}, "--minutes -4"),
        ({"minutes": NAN}, "--minutes nan"),
        ({"minutes": INF}, "--minutes inf"),
        ({"minutes": 61.0}, "--minutes 61"),
        ({"tempo": 0.0}, "--tempo 0 is not between 24 and 300"),
        ({"tempo": 301.0}, "--tempo 301"),
        ({"tempo": NAN}, "--tempo nan"),
        ({"metre": "waltz"}, "--metre waltz is not known: give one such as 4/4, 3/4"),
        ({"metre": "3"}, "--metre 3 "),
        ({"metre": "3/0"}, "--metre 3/0"),
        ({"metre": "²/4"}, "--metre"),
        ({"metre": "9" * 5000 + "/4"}, "--metre"),
        ({"metre": "13/7"}, "--metre 13/7"),
        ({"key": "H"}, "--key H is no key"),
        ({"chords": "C | X"}, "'X' is no chord"),
        ({"density": -1.0}, "--density -1"),
        ({"dynamics": "loud"}, "--dynamics loud: give one of ppp"),
        ({"sections": (Section(300.0),)}, "a section begins at 300 seconds, when the piece is"),
    ],
)
def test_each_mistake_is_one_clear_line(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError) as error:
        Prompt(**asked)
    assert says in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "asked",
    [{"tempo": 24.0}, {"tempo": 300.0}, {"minutes": 0.1}, {"minutes": 60.0}, {"metre": " 3 / 4 "}],
)
def test_the_limits_are_allowed(asked: dict[str, Any]) -> None:
    Prompt(**asked)


@pytest.mark.parametrize(
    ("given", "pairs"),
    [
        ((), ()),
        ("mozart", (("mozart", 1.0),)),
        (["mozart", "jazz:0.5"], (("mozart", 1.0), ("jazz", 0.5))),
        ({"mozart": 3, "jazz": 1}, (("mozart", 3.0), ("jazz", 1.0))),
        (["mozart:"], (("mozart", 1.0),)),
    ],
)
def test_styles_are_given_in_several_ways(given: Any, pairs: tuple[tuple[str, float], ...]) -> None:
    assert style_weights(given) == pairs


@pytest.mark.parametrize("given", [["mozart:much"], {"mozart": "much"}, {"mozart": None}])
def test_weights_must_be_numbers(given: Any) -> None:
    with pytest.raises(UserError, match=r"^style 'mozart' has weight '"):
        style_weights(given)


def test_weights_add_up_to_one() -> None:
    ids = style_ids((("mozart", 3.0), ("jazz", 1.0)))
    assert [weight for _, weight in ids] == [0.75, 0.25]


def test_chords_and_melodies_have_bars() -> None:
    assert Prompt().metre_asked is None
    assert Prompt(notes="C4").metre_asked == "4/4"
    assert Prompt(sections=(Section(9.0, chords="C"),), metre="3/4").metre_asked == "3/4"
    assert Prompt(chords="C | G").metre_asked == "4/4"


def test_every_metre_has_its_place() -> None:
    assert [metre_place(f"{top}/{bottom}") for top, bottom in METRES] == list(range(len(METRES)))


def test_arranged_styles_are_asked_for_as_arranged() -> None:
    facts = {"style_counts": {"jazz": [1, 50], "mozart": [80, 0]}}

    def kind(name: str) -> int:
        return condition_of(((name, 1.0),), (PIANO,), KEYS, facts).kind

    assert (kind("jazz"), kind("mozart"), kind("bach")) == (5, 1, 1)


def test_no_more_notes_at_once_than_in_training() -> None:
    prompt, players = Prompt(), (PIANO, VIOLIN)
    opening = opening_of(prompt, None, players)
    known = wishes_of(prompt, players, opening, {"voices": {"violin": 2, "flute": 1}})
    assert known.voices == (128, 2)
    assert wishes_of(prompt, players, opening, {}).voices == (128, 128)


def opened(notes: str, *instruments: str, **asked: Any) -> Score:
    prompt = Prompt(instruments=instruments or ("piano",), notes=notes, **asked)
    players = choose_instruments(prompt, None, {}, RANDOM)
    return decode(opening_of(prompt, None, players).table)


def test_a_melody_is_for_the_first_instrument_asked_that_can_play_it() -> None:
    assert opened("C4", "violin", "piano").instruments == [VIOLIN]
    assert opened("C4", "piccolo", "violin").instruments == [VIOLIN]
    assert opened("C4", "drums", "piano").instruments == [PIANO]
    assert opened("C2", "drums").instruments == [DRUMS]
    with pytest.raises(UserError, match="no instrument can play C4 to C4, asked for: piccolo"):
        opened("C4", "piccolo")


def test_a_melody_has_the_tempo_and_metre_asked_for() -> None:
    score = opened("C4 E4", tempo=90.0, metre="3/4")
    assert score.metres.tolist() == [(0, 3, 4)]
    assert score.tempos["bpm"][0] == pytest.approx(90.0, rel=0.021)


def test_a_rest_behind_a_melody_is_kept() -> None:
    prompt = Prompt(notes="C4 R:8")
    opening = opening_of(prompt, None, (PIANO,))
    waits, kinds = opening.table[:, 0], opening.table[:, 1]
    assert opening.earliest == 24 * 9
    assert kinds.tolist()[-2:] == [REST, REST]
    assert 0 < opening.earliest - int(waits.sum()) <= MAX_WAIT


@pytest.mark.parametrize("notes", ["C4 E4", "C4:16", "R:5 C4 R:9", "C4 R:4", "C4+E4:0.3"])
def test_the_opening_is_the_melody(notes: str) -> None:
    opening = opening_of(Prompt(notes=notes), None, (PIANO,))
    assert END not in opening.table[:, 1]
    expected = parse_notes(notes)[0].notes
    assert decode(opening.table).notes[["onset", "pitch"]].tolist() == (
        expected[["onset", "pitch"]].tolist()
    )


def test_an_opening_keeps_tempi_behind_its_last_onset() -> None:
    notes = records(NOTE, [(0, 384, 60, 80, PIANO)])
    tempos = records(TEMPO, [(0, TEMPI[30]), (192, TEMPI[20])])
    given = Score(notes, tempos, records(METRE, [(0, 4, 4)]))
    table = opening_of(Prompt(), given, (PIANO,)).table
    assert (table[:, 1] == TEMPO_EVENT).sum() == 2


def test_an_opening_longer_than_the_piece_is_refused() -> None:
    with pytest.raises(UserError, match=r"the opening lasts \d+ seconds: give --minutes 0\.4 or"):
        opened("C4:16 C4:16 C4:10", minutes=0.3, tempo=120.0)
    opened("C4:16 C4:16 C4:10", minutes=0.4, tempo=120.0)


@pytest.mark.parametrize("bpm", [10.0, 59.0, 97.3, 400.0])
def test_the_length_is_kept_at_the_pace_of_a_given_file(bpm: float) -> None:
    """What the decoder takes for the length is, in the file's tempo, the length asked for."""
    notes = records(NOTE, [(0, 470, 60, 80, PIANO), (480, 100, 62, 80, PIANO)])
    given = Score(notes, records(TEMPO, [(0, bpm)]), ticks_per_beat=480)
    prompt = Prompt(minutes=1.0)
    opening = opening_of(prompt, given, (PIANO,))
    wishes = wishes_of(prompt, (PIANO,), opening, {})
    step = decode(opening.table).tempos["bpm"][0]
    begun = seconds_at(decode(opening.table), opening.earliest)
    added = (wishes.seconds - float(begun)) * step / bpm
    assert opening.seconds == pytest.approx(opening.cut / 480 * 60 / bpm)
    assert opening.seconds + added == pytest.approx(60.0)


def test_new_music_begins_on_the_grid_behind_the_given() -> None:
    notes = records(NOTE, [(0, 1910, 60, 80, PIANO)])
    opening = opening_of(Prompt(), Score(notes, ticks_per_beat=480), (PIANO,))
    assert (opening.earliest, opening.cut) == (96, 1920)


def test_a_short_last_note_that_rounds_up_still_stands_before_the_cut() -> None:
    notes = records(NOTE, [(0, 24, 60, 80, PIANO), (1911, 2, 61, 80, PIANO)])
    given = Score(notes, ticks_per_beat=480)
    opening = opening_of(Prompt(), given, (PIANO,))
    assert opening.earliest == int(encode(given)[:, 0].sum())
    assert decode(opening.table).notes["onset"].max() < opening.earliest
