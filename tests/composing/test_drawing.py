"""What a prompt leaves open: players, metre and tempo."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from composers import random_composer

from musenet.composing.drawing import choose_beginning, choose_instruments, choose_key
from musenet.composing.prompt import Prompt, opening_of
from musenet.composing.sections import Section
from musenet.events import decode
from musenet.instruments import INSTRUMENTS, instrument_id
from musenet.key import KEYS
from musenet.quantise import METRES, TEMPI, tempo_step
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
    places = [choose_beginning(prompt, None, METRES_KNOWN, random)[0] for _ in range(count)]
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


@pytest.mark.parametrize("prompt", [Prompt(), Prompt((("mozart", 1.0),))])
def test_no_metre_is_drawn_where_none_is_known(prompt: Prompt) -> None:
    assert metres_drawn(prompt, 3) == {"none": 3}


@pytest.mark.parametrize("asked", [{"metre": "2/4"}, {"metre": "2/4", "notes": "C4"}])
def test_the_metre_asked_for_holds(asked: dict[str, str]) -> None:
    assert metres_drawn(Prompt(WALTZ, **asked), 3) == {"2/4": 3}


def test_tempi_are_drawn_as_often_as_pieces_begin_at_them() -> None:
    facts = {"tempi": {"waltz": {"120.7": 75, "60.3": 25}}}
    random = np.random.default_rng(0)
    places = [choose_beginning(Prompt(WALTZ), None, facts, random)[1] for _ in range(1_000)]
    drawn = Counter(round(float(TEMPI[place])) for place in places if place is not None)
    assert drawn[round(float(TEMPI[tempo_step(120.7)]))] == pytest.approx(750, abs=50)
    assert drawn[round(float(TEMPI[tempo_step(60.3)]))] == pytest.approx(250, abs=50)
    asked = choose_beginning(Prompt(WALTZ, tempo=90.0), None, facts, random)
    assert asked == (None, tempo_step(90.0))


def test_a_given_file_has_its_metre() -> None:
    given = Score(records(NOTE, [(0, 24, 80, 80, PICCOLO)]))
    assert choose_beginning(Prompt(WALTZ), given, METRES_KNOWN, RANDOM) == (None, None)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_piece_begins_as_drawn(seed: int) -> None:
    composer = random_composer(
        metres={"waltz": {"7/8": 10_000}}, tempi={"waltz": {f"{TEMPI[30]:.1f}": 10_000}}
    )
    piece = composer.compose(styles="waltz", instruments="piano", minutes=0.1, seed=seed)[0]
    assert piece.score.metres[["tick", "numerator", "denominator"]][0].tolist() == (0, 7, 8)
    assert piece.score.tempos["bpm"][0] == pytest.approx(TEMPI[30], abs=0.6)
    assert composer.again(piece.midi).midi == piece.midi


def test_metre_and_tempo_are_an_opening_without_music() -> None:
    opening = opening_of(Prompt(), None, (PIANO,), begins=(3, 20))
    score = decode(opening.table)
    assert score.metres[["numerator", "denominator"]].tolist() == [METRES[3]]
    assert score.tempos["bpm"].tolist() == [TEMPI[20]]
    assert opening.seconds == opening.earliest == 0
    assert len(opening_of(Prompt(), None, (PIANO,), begins=(3, None)).table) == 1
    assert len(opening_of(Prompt(), None, (PIANO,), begins=(None, 20)).table) == 0


KEYS_KNOWN = {"keys": {"waltz": {"D major": 80, "none": 20}}}


def keys_drawn(prompt: Prompt, given: Score | None = None) -> Counter[str]:
    random = np.random.default_rng(4)
    return Counter(KEYS[choose_key(prompt, given, KEYS_KNOWN, random)] for _ in range(1_000))


def test_keys_are_drawn_as_often_as_pieces_are_in_them() -> None:
    drawn = keys_drawn(Prompt(WALTZ))
    assert drawn["D major"] == pytest.approx(800, abs=50)
    assert drawn["none"] == pytest.approx(200, abs=50)


def test_without_a_style_keys_are_those_of_all_pieces() -> None:
    known = {"keys": {"waltz": {"D major": 30}, "jazz": {"F major": 60, "D major": 10}}}
    random = np.random.default_rng(4)
    drawn = Counter(KEYS[choose_key(Prompt(), None, known, random)] for _ in range(1_000))
    assert drawn["D major"] == pytest.approx(400, abs=60)
    assert drawn["F major"] == pytest.approx(600, abs=60)


@pytest.mark.parametrize(
    ("prompt", "key"),
    [
        (Prompt(WALTZ, key="F minor"), "F minor"),
        (Prompt(JAZZ), "none"),
        (Prompt(WALTZ, notes="C4 E4 G4"), "none"),
        (Prompt(WALTZ, chords="C | G7"), "none"),
        (Prompt(WALTZ, sections=(Section(20.0, chords="C | G7"),)), "none"),
    ],
    ids=["asked", "unknown", "notes", "chords", "chords later"],
)
def test_no_key_is_drawn_where_music_has_its_own(prompt: Prompt, key: str) -> None:
    assert keys_drawn(prompt) == {key: 1_000}


def test_a_given_file_has_its_key() -> None:
    rows = [(24 * i, 24, 60 + tone, 80, PIANO) for i, tone in enumerate((0, 4, 7, 5, 9, 0, 2, 11))]
    assert keys_drawn(Prompt(WALTZ), Score(records(NOTE, rows))) == {"C major": 1_000}


def ensembles_drawn(facts: dict[str, object], *styles: tuple[str, float]) -> Counter[str]:
    random = np.random.default_rng(5)
    drawn = [choose_instruments(Prompt(styles), None, facts, random) for _ in range(1_000)]
    return Counter("+".join(INSTRUMENTS[i].name for i in players) for players in drawn)


def test_styles_that_share_an_ensemble_play_in_it() -> None:
    facts = {"ensembles": {"jazz": [[["piano"], 1], [["drums"], 3]], "waltz": [[["piano"], 1]]}}
    drawn = ensembles_drawn(facts, ("jazz", 0.5), ("waltz", 0.5))
    assert set(drawn) == {"piano", "piano+drums"}
    alone = 0.5 + 0.5 * 0.25
    assert drawn["piano"] == pytest.approx(1_000 * alone, abs=50)


def test_styles_that_share_none_play_together() -> None:
    facts = {"ensembles": {"jazz": [[["drums"], 1]], "waltz": [[["piano"], 2], [["violin"], 2]]}}
    drawn = ensembles_drawn(facts, ("jazz", 0.9), ("waltz", 0.1))
    assert set(drawn) == {"piano+drums", "violin+drums"}
    assert drawn["piano+drums"] == pytest.approx(500, abs=50)
