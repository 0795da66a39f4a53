"""Guidance: the styles told, more strongly."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from composers import decoder_for, random_composer, random_model
from music import melody
from numpy.typing import NDArray
from torch import Tensor

from musenet import midi
from musenet.composing.decoding import Decoder, Draft
from musenet.composing.engine import Engine
from musenet.composing.guidance import STRONG, Guided, plain, with_plain
from musenet.composing.network import Eager, Network, network_of
from musenet.composing.prompt import Prompt
from musenet.composing.sampling import Sampling
from musenet.composing.sections import Section, parse_section
from musenet.composing.steering import Steering
from musenet.condition import KEYS, Condition
from musenet.events import SIZES, Table, encode, is_note
from musenet.features import KEY, NOT_TOLD, STYLE, Features, Moments, features, moments_of
from musenet.model import Model
from musenet.styles import style_id

CONDITION = Condition(styles=((3, 1.0),), instruments=(0, 15), key=4, kind=1)
STYLED = Prompt(styles=(("bach", 1.0),), instruments=("piano", "violin"), minutes=0.25)
SECONDS, CONTEXT, OPENING, ROWS = 90.0, 32, 4, 60
LOUD = 20
"""A velocity that the style below wants."""


def drafts(guidance: float, *, candidates: int = 1, seed: int = 5, **asked: object) -> list[Draft]:
    how = Sampling(guidance=guidance)
    prompt = replace(STYLED, **asked)  # type: ignore[arg-type]
    return decoder_for(prompt, candidates=candidates, seed=seed, how=how).run()


def tables(found: list[Draft]) -> list[bytes]:
    return [draft.table.tobytes() for draft in found]


def unguided(decoder: Decoder) -> bool:
    return not isinstance(decoder.network, Guided)


def test_a_plain_prompt_keeps_all_but_styles_and_key() -> None:
    assert plain(CONDITION) == Condition(instruments=(0, 15), kind=1)


@dataclass
class Biased(Eager):
    """The model, but styled rows (the first half) want a velocity more than the others."""

    model: Model
    by: float

    def logits(self, field: int, x: Tensor) -> NDArray[np.float32]:
        scores = np.zeros((len(x), SIZES[field]), dtype=np.float32)
        if field == 4:
            scores[: len(scores) // 2, LOUD] = self.by
        return scores


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.5, 3.0])
def test_scores_move_as_far_as_asked(strength: float) -> None:
    network = Guided(Biased(random_model(), 2.0), strength)
    scores = network.logits(4, torch.zeros(6, 64))
    assert scores.shape[0] == 3
    assert scores[:, LOUD] == pytest.approx(2.0 * strength)
    assert not np.delete(scores, LOUD, axis=1).any()


def test_what_a_style_wants_is_heard_more_with_more_guidance() -> None:
    shares = []
    for strength in (0.0, 1.5, 3.0):
        decoder = decoder_for(STYLED, random_model(1), how=Sampling(guidance=strength))
        assert isinstance(decoder.network, Guided)
        decoder.network = replace(decoder.network, network=Biased(decoder.network.model, 2.0))
        table = decoder.run()[0].table
        shares.append((table[is_note(table), 4] == LOUD).mean())
    assert shares[0] < 0.1 < 0.2 < shares[1] < 0.8 < shares[2]


def test_states_are_those_of_the_prompt_and_those_of_the_plain_one() -> None:
    pieces = [encode(melody(seed, 140))[:ROWS] for seed in range(2)]
    pieces[1][:OPENING] = pieces[0][:OPENING]
    network = network_of(random_model(2))
    both = states(Guided(network, 2.0), CONDITION, pieces, guided=True)
    for half, condition in enumerate((CONDITION, plain(CONDITION))):
        own = states(network, condition, pieces)
        assert torch.allclose(both[:, 2 * half : 2 * half + 2], own, atol=1e-4)
    assert not torch.allclose(both[:, :2], both[:, 2:], atol=1e-2)


@torch.inference_mode()
def states(
    network: Network, condition: Condition, pieces: list[Table], *, guided: bool = False
) -> Tensor:
    """Hidden states behind an opening and each row after it, the window sliding."""
    engine = Engine(network, condition, len(pieces), CONTEXT, SECONDS, guided=guided)
    stacked = np.stack(pieces)
    columns: Features = np.stack([features(moments_of(piece), SECONDS) for piece in pieces])
    found = [engine.begin(pieces[0][:OPENING])]
    for row in range(OPENING, ROWS):
        found.append(engine.append(stacked[:, : row + 1], columns[:, row]).clone())
    return torch.stack(found)


def test_no_guidance_leaves_styles_and_key_out() -> None:
    decoder = decoder_for(STYLED, seed=5, how=Sampling(guidance=0.0))
    condition = plain(decoder.engine.conditions[0])
    alone = decoder_for(STYLED, seed=5)
    alone.engine = Engine(alone.network, condition, 1, alone.engine.context, alone.told)
    alone.hidden = alone.engine.begin(alone.tables[0, : alone.past.rows])
    assert tables(decoder.run()) == tables(alone.run())


def test_plain_guidance_and_a_plain_prompt_cost_nothing() -> None:
    assert unguided(decoder_for(STYLED, how=Sampling(guidance=1.0)))
    untold = replace(STYLED, styles=())
    assert unguided(decoder_for(untold, how=Sampling(guidance=2.0)))
    assert not unguided(decoder_for(replace(untold, key="D"), how=Sampling(guidance=2.0)))
    assert tables(drafts(2.0, styles=())) == tables(drafts(1.0, styles=()))


def test_guidance_changes_the_music_and_a_seed_makes_it_again() -> None:
    assert tables(drafts(2.0)) == tables(drafts(2.0))
    assert tables(drafts(2.0)) != tables(drafts(1.0))


def test_a_guided_candidate_is_the_same_alone() -> None:
    together = tables(drafts(2.0, candidates=3))
    assert tables(drafts(2.0, candidates=2)) == together[:2]
    assert tables(drafts(2.0)) == together[:1]
    assert len(set(together)) == 3


@pytest.mark.parametrize(
    ("asked", "guidance"),
    [
        ({}, 1.0),
        ({"styles": "jazz", "key": "D"}, 1.0),
        ({"styles": ("jazz", "ragtime")}, 1.0),
        ({"styles": ("jazz", "hymns")}, STRONG),
        ({"styles": ("jazz", "hymns"), "guidance": 1.0}, 1.0),
        ({"sections": [parse_section("0:03 density=dense")]}, 1.0),
        ({"sections": [parse_section("0:03 key=D")]}, STRONG),
        ({"sections": [parse_section("0:03 style=jazz")]}, STRONG),
    ],
)
def test_blends_and_changes_are_followed_closely(asked: dict[str, Any], guidance: float) -> None:
    relatives = {"jazz": ["ragtime"], "ragtime": ["jazz"], "hymns": []}
    composer = random_composer(relatives=relatives)
    (piece,) = composer.compose(instruments="piano", minutes=0.1, **asked)
    assert piece.facts["sampling"]["guidance"] == guidance
    if "sections" not in asked:
        asked = {name: value for name, value in asked.items() if name != "key"}
        (added,) = composer.arrange(piece.midi, instruments="cello", **asked)
        assert added.facts["sampling"]["guidance"] == guidance


def test_a_file_tells_the_guidance_and_is_made_again(tmp_path: Path) -> None:
    piece = random_composer().compose(styles="bach", minutes=0.2, guidance=2.5, candidates=2)[1]
    assert json.loads(midi.comment(piece.midi) or "")["sampling"]["guidance"] == 2.5
    piece.save(tmp_path / "piece.mid")
    assert random_composer().again(tmp_path / "piece.mid").midi == piece.midi


def test_what_it_is_contrasted_with_is_told_neither_style_nor_key() -> None:
    steering = Steering.of(Section(styles=(("jazz", 1.0),), key="D"))
    columns = features(Moments.beginning(3), SECONDS, controls=steering.at(Moments.beginning(3)))
    both = with_plain(columns)
    assert both[:, KEY].tolist() == [2, 2, 2, KEYS, KEYS, KEYS]
    assert both[:, STYLE].tolist() == [style_id("jazz")] * 3 + [NOT_TOLD[4]] * 3
    others = [place for place in range(both.shape[1]) if place not in (KEY, STYLE)]
    assert np.array_equal(both[3:, others], columns[:, others])


def test_a_key_that_is_told_at_every_moment_alone_is_guided() -> None:
    model, piece = random_model(3), encode(melody(0, 20))
    steering = Steering.of(Section(key="F# minor"))
    engine = Engine(network_of(model), Condition(), 1, CONTEXT, SECONDS, steering, guided=True)
    told, untold = engine.begin(piece)
    plainly = Engine(network_of(model), Condition(), 1, CONTEXT, SECONDS).begin(piece)[0]
    torch.testing.assert_close(untold, plainly, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(told, untold, atol=1e-2)
