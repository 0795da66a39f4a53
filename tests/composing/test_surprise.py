from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from composers import decoder_for, random_composer, random_model
from hypothesis import given
from hypothesis import strategies as st

from musenet.checkpoint import save_model
from musenet.composing.composer import load
from musenet.composing.prompt import Prompt
from musenet.composing.recipe import recipe_of
from musenet.composing.sampling import Sampling
from musenet.composing.surprise import (
    COOLEST,
    HITS,
    LOOPING,
    MEMORY,
    SLACK,
    SURENESS,
    SURPRISE_FILE,
    WARMEST,
    Held,
    HumanSurprise,
    save_surprise,
    surprisal,
    surprise_beside,
)
from musenet.condition import INSTRUMENT_SLOTS, Condition
from musenet.errors import UserError
from musenet.events import is_note
from musenet.instruments import DRUMS, instrument_id

PIANO, CELLO = instrument_id("piano"), instrument_id("cello")
EXPRESSIVE, FLAT = 1, 0


def human(*pieces: tuple[int, tuple[int, ...], int, float]) -> HumanSurprise:
    """Pieces by style, players, kind and bits an event, each so often that all nearest are it."""
    rows = [piece for piece in pieces for _ in range(12)]
    players = np.zeros((len(rows), INSTRUMENT_SLOTS), dtype=np.bool_)
    for place, (_, who, _, _) in enumerate(rows):
        players[place, list(who)] = True
    styles, _, kinds, bits = zip(*rows, strict=True)
    return HumanSurprise(
        np.array(styles, np.int16)[:, None], players, np.array(kinds, np.int16),
        np.array(bits, np.float32), "human",
    )  # fmt: skip


KNOWN = human(
    (3, (PIANO,), EXPRESSIVE, 4.0), (3, (PIANO, DRUMS), EXPRESSIVE, 6.0),
    (5, (PIANO,), EXPRESSIVE, 2.0), (5, (PIANO,), FLAT, 1.0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "bits"),
    [
        (Condition(((3, 1.0),), (PIANO,), kind=EXPRESSIVE), 4.0),
        (Condition(((3, 1.0),), (PIANO, DRUMS), kind=EXPRESSIVE), 6.0),
        (Condition(((3, 1.0),), (CELLO, DRUMS), kind=EXPRESSIVE), 6.0),
        (Condition(((5, 1.0),), (PIANO,), kind=EXPRESSIVE), 2.0),
        (Condition(((5, 1.0),), (PIANO,), kind=FLAT), 1.0),
        (Condition(((3, 0.25), (5, 0.75)), (PIANO,), kind=EXPRESSIVE), 2.5),
        (Condition((), (PIANO, DRUMS), kind=EXPRESSIVE), 6.0),
        (Condition(((99, 1.0),), (PIANO,), kind=FLAT), 1.0),
    ],
)
def test_the_human_pieces_most_like_the_prompt_say_what_is_usual(
    told: Condition, bits: float
) -> None:
    assert KNOWN.usual(told) == pytest.approx(bits)


def test_what_is_less_surprising_than_human_music_grows_warmer_and_the_other_way_round() -> None:
    held = Held(4.0, candidates=3)
    np.testing.assert_allclose(held.warmth(), np.ones((3, 1)))
    hits = held.warmth(np.array([False, True, False]))[:, 0]
    np.testing.assert_allclose(hits, [1.0, HITS, 1.0])
    for _ in range(int(MEMORY)):
        held.take_in(np.array([0.0, 4.0, 9.0]), np.ones(3, dtype=np.bool_))
    dull, even, wild = held.warmth()[:, 0]
    assert dull > 1.0 > wild
    assert even == pytest.approx(1.0)
    for _ in range(20 * int(MEMORY)):
        held.take_in(np.array([0.0, 4.0, 1e9]), np.ones(3, dtype=np.bool_))
    np.testing.assert_allclose(held.warmth()[:, 0], [WARMEST, 1.0, COOLEST])


def test_what_does_not_count_changes_nothing() -> None:
    held = Held(4.0, candidates=2)
    held.take_in(np.array([0.0, 0.0]), np.array([True, False]))
    first, second = held.warmth()[:, 0]
    assert first > 1.0
    assert second == 1.0


def test_a_higher_temperature_aims_at_more_surprise() -> None:
    plain, even, wild = (Held(4.0, 1, temperature).aim for temperature in (0.9, 1.0, 1.2))
    assert plain is not None and even is not None and wild is not None
    assert plain < 4.0 < wild
    assert even == pytest.approx(4.0)


def test_where_nothing_is_known_nothing_is_held() -> None:
    held = Held(None, candidates=2)
    held.take_in(np.array([0.0, 50.0]), np.ones(2, dtype=np.bool_))
    assert held.warmth(np.array([True, True])) == held.warmth() == 1.0
    assert held.sureness == 0.0


def test_what_is_sure_is_cooler_but_in_a_loop() -> None:
    held = Held(4.0, candidates=3)
    assert held.sureness == pytest.approx(np.full((3, 1), SURENESS))
    held.recent = np.array([9.0, LOOPING * (4.0 + SLACK) - SLACK, 0.01])
    assert held.sureness == pytest.approx(np.array([[SURENESS], [0.0], [0.0]]))
    held.recent[:] = (1.0 + LOOPING) / 2.0 * (4.0 + SLACK) - SLACK
    assert held.sureness == pytest.approx(np.full((3, 1), SURENESS / 2.0))


@given(
    st.lists(st.tuples(st.floats(-30, 30), st.booleans()), min_size=1, max_size=20),
    st.integers(0, 19),
)
def test_surprisal_is_what_the_chances_say(values: list[tuple[float, bool]], which: int) -> None:
    chosen = which % len(values)
    scores = np.array([score for score, _ in values])
    allowed = np.array([may for _, may in values])
    allowed[chosen] = True
    weights = np.exp(scores) * allowed
    expected = -np.log2(weights[chosen] / weights.sum())
    bits = surprisal(scores[None], allowed[None], np.array([chosen]))
    np.testing.assert_allclose(bits, [min(expected, 200.0)], rtol=1e-6, atol=1e-6)


def test_the_more_surprising_human_music_is_the_more_is_what_is_composed() -> None:
    prompt, model = Prompt(instruments=("piano",), minutes=0.6), random_model(1)
    found = []
    for bits in (3.0, 12.0):
        known = human((0, (PIANO,), EXPRESSIVE, bits))
        decoder = decoder_for(prompt, model, how=Sampling(min_p=0.0, top_p=1.0), human=known)
        decoder.run()
        found.append(float(decoder.held.recent[0]))
    assert found[0] < found[1]


def test_a_candidate_is_held_for_itself() -> None:
    prompt, known = Prompt(instruments=("piano",), minutes=0.2), human((0, (PIANO,), 1, 3.0))
    alone = decoder_for(prompt, random_model(2), human=known).run()[0]
    together = decoder_for(prompt, random_model(2), candidates=3, human=known).run()[0]
    np.testing.assert_array_equal(alone.table, together.table)
    assert is_note(alone.table).sum() > 8


def test_it_stands_beside_its_model_and_serves_no_other(tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    save_model(model, random_model(0), facts={})
    composer = load(model)
    assert composer.human is None
    save_surprise(tmp_path / SURPRISE_FILE, KNOWN, composer.name)
    found = load(model).human
    assert found is not None
    for name in ("styles", "players", "kind", "bits"):
        np.testing.assert_array_equal(getattr(found, name), getattr(KNOWN, name))
    assert surprise_beside(tmp_path, composer.name) is not None
    assert surprise_beside(tmp_path, "another") is None
    (tmp_path / SURPRISE_FILE).write_bytes(b"damaged")
    with pytest.raises(UserError, match="damaged"):
        load(model)


def test_a_piece_is_made_again_with_what_held_it_alone() -> None:
    composer = random_composer(3)
    composer.human = KNOWN
    piece = composer.compose(instruments="piano", minutes=0.3)[0]
    assert piece.facts["surprise"] == "human"
    assert composer.again(piece.midi).midi == piece.midi
    with pytest.raises(UserError, match=r"surprise\.safetensors"):
        recipe_of(piece.midi, composer.name)
