"""Styles of one's own: asked for by name, blended, told in files, made again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from composers import random_composer
from music import melody
from own_toys import make

from musenet import midi
from musenet.composing.critic import Critic, InnerCritic
from musenet.composing.drawing import choose_instruments
from musenet.composing.finishing import Composition
from musenet.composing.own import Own, own_in, told
from musenet.composing.prompt import Prompt, condition_of
from musenet.composing.sections import Section
from musenet.condition import KEYS
from musenet.errors import UserError
from musenet.instruments import instrument_id
from musenet.styles import STYLES, style_id

MINE = (("mine", 1.0),)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MUSENET_STYLES", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def composed(*styles: str, **asked: Any) -> Composition:
    wish: dict[str, Any] = {
        "styles": styles,
        "instruments": ["piano"],
        "minutes": 0.1,
        "seed": 3,
    } | asked
    return random_composer(context=32).compose(**wish)[0]


def test_a_style_is_heard_by_name_and_by_path(folder: Path) -> None:
    make(folder / "mine.safetensors")
    piece = composed("mine")
    assert piece.midi != composed().midi
    assert composed("Mine").score == piece.score
    elsewhere = (folder / "mine.safetensors").rename(folder.parent / "mine.safetensors")
    assert composed(str(elsewhere)).score == piece.score


def test_a_blend_takes_each_by_its_share(folder: Path) -> None:
    make(folder / "mine.safetensors")
    pieces = {composed(*styles).midi for styles in (
        ["mine"], ["mine:0.6", "bach:0.4"], ["mine:0.3", "bach:0.7"], ["bach"]
    )}  # fmt: skip
    assert len(pieces) == 4
    own = own_in([(("mine", 3.0), ("bach", 1.0))], "random")
    composer = random_composer()
    merged = own.network(composer.network, (("mine", 3.0), ("bach", 1.0))).model
    name = "blocks.0.feed_forward.up.weight"
    up, down = (part.float() for part in own.adapters["mine"].factors[name])
    plain = composer.model.state_dict()[name]
    assert torch.allclose(merged.state_dict()[name], plain + 0.75 * up @ down, atol=1e-5)
    assert own.network(composer.network, (("bach", 1.0),)) is composer.network


def test_it_is_told_like_any_other(folder: Path) -> None:
    make(folder / "mine.safetensors")
    own = own_in([MINE, None], "random")
    facts = own.facts({"ensembles": {"": [[["piano"], 1]]}, "style_counts": {"bach": [1, 9]}})
    slot = own.places["mine"]
    assert slot >= len(STYLES)
    condition = condition_of((("mine", 1.0), ("bach", 3.0)), (0,), KEYS, facts)
    assert condition.styles == ((slot, 0.25), (style_id("bach"), 0.75))
    assert condition.kind == 5
    assert condition_of((("mine", 3.0), ("bach", 1.0)), (0,), KEYS, facts).kind == 3
    players = choose_instruments(Prompt(MINE), None, facts, np.random.default_rng(0))
    assert players == tuple(sorted(map(instrument_id, ("flute", "harp"))))
    assert own_in([(("bach", 1.0),)], "random") == Own()
    plain: dict[str, Any] = {"style_counts": {}}
    assert Own().facts(plain) is plain


def test_sections_have_their_own(folder: Path) -> None:
    make(folder / "mine.safetensors")
    make(folder / "other.safetensors", seed=5)

    def piece(*sections: Section) -> bytes:
        return composed("bach", minutes=0.3, sections=sections).midi

    mine, other = (Section(9.0, ((name, 1.0),)) for name in ("mine", "other"))
    made = piece(mine)
    assert len({made, piece(other), piece()}) == 3
    assert set(json.loads(midi.comment(made) or "")["own_styles"]) == {"mine"}
    assert random_composer(context=32).again(made).midi == made


def test_arranging_in_a_style_of_ones_own(folder: Path) -> None:
    make(folder / "mine.safetensors")
    given = midi.to_bytes(melody(1, 16))
    made = [
        random_composer(context=64).arrange(given, instruments="flute", styles=styles)[0]
        for styles in ("mine", "bach")
    ]
    assert made[0].midi != made[1].midi
    assert set(made[0].facts["own_styles"]) == {"mine"}
    assert "own_styles" not in made[1].facts


def test_the_same_bytes_again_or_a_clear_word(folder: Path) -> None:
    file = make(folder / "mine.safetensors")
    piece = composed("mine:0.6", "bach:0.4").midi
    assert random_composer(context=32).again(piece).midi == piece
    make(file, seed=1)
    with pytest.raises(UserError, match=r"'mine' as it was .* has changed"):
        random_composer(context=32).again(piece)
    file.unlink()
    with pytest.raises(UserError, match=r"'mine' \(.*\), which is not here: put its file into"):
        random_composer(context=32).again(piece)
    assert "own_styles" not in json.loads(midi.comment(composed("bach").midi) or "")


def test_a_file_tells_no_folder(folder: Path) -> None:
    path = make(folder.parent / "secret.safetensors")
    piece = composed(str(path), minutes=0.2, sections=[Section(5.0, ((str(path), 1.0),))]).midi
    comment = midi.comment(piece) or ""
    assert str(folder.parent).encode() not in piece
    assert json.loads(comment)["prompt"]["styles"] == [["secret.safetensors", 1.0]]
    path.rename(folder / path.name)
    assert random_composer(context=32).again(piece).midi == piece


def test_styles_of_other_weights_are_refused(folder: Path) -> None:
    make(folder / "mine.safetensors", base="others")
    with pytest.raises(UserError, match="'mine' was made for the model others, not random"):
        composed("mine")


def test_a_critic_judges_without_styles_that_it_does_not_know(folder: Path) -> None:
    make(folder / "mine.safetensors")
    composer, piece = random_composer(), composed("mine")
    width = 2 * composer.model.config.width
    head = Critic(*(torch.zeros(width), torch.ones(width)) * 2)
    torch.nn.init.normal_(head.weight)
    judge = replace(composer.judge, critic=InnerCritic(composer.model, head, 64))
    blend = (("mine", 1.0), ("bach", 1.0))
    assert judge.verdict(piece.score, blend) == judge.verdict(piece.score, (("bach", 1.0),))


def test_what_is_told_keeps_what_was_asked() -> None:
    asked = {"styles": None, "sections": ({"styles": (("/a/b.safetensors", 2.0),), "at": 1.0},)}
    assert told(asked) == {
        "styles": None, "sections": ({"styles": (("b.safetensors", 2.0),), "at": 1.0},),
    }  # fmt: skip
    assert "sections" not in told({"styles": (), "bars": None})
