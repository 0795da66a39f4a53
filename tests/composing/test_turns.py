"""Blends of styles that do not go together."""

from __future__ import annotations

import numpy as np
import pytest
from composers import random_composer

from musenet.composing.prompt import Opening, Prompt, opening_of
from musenet.composing.sections import Section, Styles
from musenet.composing.turns import LEAST, groups_of, in_turn
from musenet.instruments import instrument_id
from musenet.quantise import METRES, TEMPI, tempo_step
from musenet.score import seconds_at

PIANO, BANJO, FLUTE = map(instrument_id, ("piano", "banjo", "flute"))
FACTS = {
    "relatives": {
        "jig": ["folk", "irish"], "irish": ["jig"], "folk": ["jig"], "bach": ["fugue", "mass"],
        "jazz": ["swing"], "haydn": ["mass", "quartet", "keyboard"], "swing": ["jazz"],
    }
}  # fmt: skip
ENSEMBLES = {
    "ensembles": {"bach": [[["piano"], 1]], "jazz": [[["banjo", "flute"], 1]], "": [[["flute"], 1]]}
}
JAZZ_BACH = (("jazz", 1.0), ("bach", 1.0))


def blend(*names: str) -> Styles:
    return tuple((name, 1.0) for name in names)


def beginning(metre: tuple[int, int] = (4, 4), bpm: float = 120.0) -> Opening:
    begins = METRES.index(metre), int(tempo_step(bpm))
    return opening_of(Prompt(), None, (PIANO,), begins=begins)


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        ((), [()]),
        (("jazz",), [("jazz",)]),
        (("jazz", "bach"), [("jazz",), ("bach",)]),
        (("jazz", "swing"), [("jazz", "swing")]),
        (("irish", "folk"), [("irish", "folk")]),
        (("bach", "haydn"), [("bach", "haydn")]),
        (("bach", "jazz", "haydn"), [("bach", "haydn"), ("jazz",)]),
        (("irish", "folk", "jig"), [("irish", "folk", "jig")]),
        (
            ("jig", "bach", "Johann Sebastian Bach", "irish"),
            [("jig", "irish"), ("bach", "Johann Sebastian Bach")],
        ),
        (("jazz", "mine"), [("jazz", "mine")]),
        (("jazz", "waltz"), [("jazz", "waltz")]),
    ],
)
def test_relatives_stay_together(names: tuple[str, ...], groups: list[tuple[str, ...]]) -> None:
    known = [name for name in names if name != "mine"]
    prompt = Prompt(blend(*known))
    if "mine" in names:
        object.__setattr__(prompt, "styles", blend(*names))
    assert groups_of(prompt, FACTS) == [blend(*group) for group in groups]


def test_who_plans_sections_or_has_an_older_model_has_no_turns() -> None:
    planned = Prompt(JAZZ_BACH, sections=(Section(20.0, density=2.0),))
    assert groups_of(planned, FACTS) == [JAZZ_BACH]
    assert groups_of(Prompt(JAZZ_BACH), {}) == [JAZZ_BACH]


@pytest.mark.parametrize(
    ("minutes", "metre", "first", "cycle"),
    [(0.4, (4, 4), 9, 12), (0.4, (3, 4), 12, 16), (2.0, (4, 4), 12, 16), (2.0, (3, 4), 12, 16)],
)
def test_turns_begin_at_bars_and_are_as_long_as_their_weights(
    minutes: float, metre: tuple[int, int], first: int, cycle: int
) -> None:
    prompt = Prompt((("jazz", 3.0), ("bach", 1.0)), minutes=minutes)
    opening = beginning(metre)
    planned = in_turn(prompt, groups_of(prompt, FACTS), [(BANJO,), (PIANO,)], opening)
    bar = metre[0] * 60.0 / float(TEMPI[tempo_step(120.0)])
    plan = planned.plan
    assert plan[0].at == 0.0
    starts = [round((section.at + 0.005) / bar, 6) for section in plan[1:]]
    expected = [cycle * (i // 2) + first * (i % 2) for i in range(1, len(plan))]
    assert starts == expected
    assert plan[-1].at < prompt.seconds - LEAST * bar
    assert prompt.seconds - plan[-1].at <= cycle * bar + LEAST * bar + 0.01
    for place, section in enumerate(plan):
        assert section.styles == ((("jazz", 3.0),), (("bach", 1.0),))[place % 2]
        assert section.instruments == (("banjo",), ("piano",))[place % 2]


def test_instruments_that_are_asked_for_play_in_all_turns() -> None:
    prompt = Prompt(JAZZ_BACH, ("flute", "piano"), 1.0)
    planned = in_turn(prompt, groups_of(prompt, FACTS), [(FLUTE, PIANO)] * 2, beginning())
    assert {section.instruments for section in planned.plan} == {("flute", "piano")}
    assert in_turn(prompt, [JAZZ_BACH], [(FLUTE, PIANO)], beginning()) == prompt


def test_a_piece_shorter_than_a_turn_has_one() -> None:
    prompt = Prompt(JAZZ_BACH, minutes=0.1)
    planned = in_turn(prompt, groups_of(prompt, FACTS), [(BANJO,), (PIANO,)], beginning(bpm=30.0))
    assert [section.styles for section in planned.plan] == [(("jazz", 1.0),)]
    piece = random_composer(**FACTS, **ENSEMBLES).compose(
        styles=["jazz", "bach"], minutes=0.1, metre="4/4", tempo=30.0
    )[0]
    assert abs(piece.score.seconds / 6.0 - 1.0) <= 0.05


def test_a_blend_is_composed_in_turns_and_again() -> None:
    composer = random_composer(**FACTS, **ENSEMBLES)
    piece = composer.compose(
        styles=["jazz", "bach"], minutes=0.6, metre="4/4", tempo=120.0, seed=2
    )[0]
    begins = seconds_at(piece.score, piece.score.notes["onset"])
    turn = np.minimum(np.floor((begins + 0.006) / 16.0), 1)
    piano = piece.score.notes["instrument"] == PIANO
    assert piano.any()
    assert not piano.all()
    assert np.array_equal(turn == 1, piano)
    assert len(piece.score.tempos) == len(piece.score.metres) == 1
    assert piece.facts["prompt"]["styles"] == JAZZ_BACH
    assert piece.facts["prompt"]["sections"] == ()
    assert composer.again(piece.midi).midi == piece.midi
    assert abs(piece.score.seconds / 36.0 - 1.0) <= 0.05
