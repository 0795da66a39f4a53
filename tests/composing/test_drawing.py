"""What a prompt leaves open: players and metre."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from composers import random_composer

from musenet.composing.drawing import choose_instruments, choose_metre
from musenet.composing.prompt import Prompt, opening_of
from musenet.events import decode
from musenet.instruments import instrument_id
from musenet.quantise import METRES
from musenet.score import NOTE, Score, records

PIANO, VIOLIN, PICCOLO, DRUMS = map(instrument_id, ("piano", "violin", "piccolo", "drums"))
RANDOM = np.random.default_rng(0)
WALTZ, JAZZ = (("waltz", 1.0),), (("jazz", 1.0),)
METRES_KNOWN = {"metres": {"waltz": {"3/4": 95, "4/4": 5}, "jazz": {"4/4": 80, "3/4": 20}}}


def test_without_facts_a_piano_plays() -> None:
    for prompt in (Prompt(), Prompt((("jazz", 1.0),))):
        assert choose_instruments(prompt, None, {}, RANDOM) == (PIANO,)


def test_ensembles_are_drawn_as_often_as_pieces_are_written_for_them() -> None:
    facts = {"ensembles": {"jazz": [[["piano"], 3], [["piano", "drums"], 1]]}}
    prompt = Prompt((("jazz", 1.0),))
    random = np.random.default_rng(1)
    drawn = [choose_instruments(prompt, None, facts, random) for _ in range(2_000)]
    assert set(drawn) == {(PIANO,), (PIANO, DRUMS)}
    assert drawn.count((PIANO,)) / len(drawn) == pytest.approx(0.75, abs=0.04)


def test_instruments_asked_for_are_all_that_play() -> None:
    facts = {"ensembles": {"": [[["flute"], 1]]}}
    prompt = Prompt(instruments=("violin", "Fiddle", "piano"))
    assert choose_instruments(prompt, None, facts, RANDOM) == (PIANO, VIOLIN)


def test_a_given_file_brings_its_instruments() -> None:
    given = Score(records(NOTE, [(0, 24, 80, 80, PICCOLO)]))
    prompt = Prompt(instruments=("piano",))
    assert choose_instruments(prompt, given, {}, RANDOM) == (PIANO, PICCOLO)


def metres_drawn(prompt: Prompt, count: int = 1_000) -> Counter[str]:
    random = np.random.default_rng(3)
    places = [choose_metre(prompt, None, METRES_KNOWN, random) for _ in range(count)]
    return Counter("none" if place is None else "{}/{}".format(*METRES[place]) for place in places)


def test_metres_are_drawn_as_often_as_pieces_begin_in_them() -> None:
    drawn = metres_drawn(Prompt(JAZZ))
    assert drawn["4/4"] == pytest.approx(800, abs=50)
    assert drawn["3/4"] == pytest.approx(200, abs=50)


def test_two_styles_share_a_metre() -> None:
    both = metres_drawn(Prompt((*WALTZ, *JAZZ)))
    alone = metres_drawn(Prompt(JAZZ))
    assert both["3/4"] > 600 > alone["3/4"]
    mostly_jazz = metres_drawn(Prompt((("waltz", 0.1), ("jazz", 0.9))))
    assert alone["3/4"] < mostly_jazz["3/4"] < both["3/4"]


def test_a_style_that_is_not_known_leaves_the_metre_to_the_others() -> None:
    assert metres_drawn(Prompt((*WALTZ, ("mozart", 9.0))))["3/4"] > 900


@pytest.mark.parametrize(
    "prompt",
    [Prompt(), Prompt((("mozart", 1.0),)), Prompt(WALTZ, metre="4/4"), Prompt(WALTZ, notes="C4"),
     Prompt(WALTZ, chords="C | G")],
)  # fmt: skip
def test_no_metre_is_drawn_where_one_is_asked_for_or_none_is_known(prompt: Prompt) -> None:
    assert metres_drawn(prompt, 3) == {"none": 3}


def test_a_given_file_has_its_metre() -> None:
    given = Score(records(NOTE, [(0, 24, 80, 80, PICCOLO)]))
    assert choose_metre(Prompt(WALTZ), given, METRES_KNOWN, RANDOM) is None


@pytest.mark.parametrize("seed", [0, 1])
def test_a_piece_begins_in_the_metre_drawn(seed: int) -> None:
    composer = random_composer(metres={"waltz": {"7/8": 10_000}})
    piece = composer.compose(styles="waltz", instruments="piano", minutes=0.1, seed=seed)[0]
    assert piece.score.metres[["tick", "numerator", "denominator"]][0].tolist() == (0, 7, 8)
    assert composer.again(piece.midi).midi == piece.midi


def test_a_metre_is_an_opening_of_one_row() -> None:
    opening = opening_of(Prompt(), None, (PIANO,), metre=3)
    assert len(opening.table) == 1
    assert decode(opening.table).metres[["numerator", "denominator"]].tolist() == [METRES[3]]
    assert opening.seconds == opening.earliest == 0
