from pathlib import Path
from typing import Any

import pytest
import torch
from composers import random_composer, random_model
from music import melody

from musenet.checkpoint import save_model
from musenet.composing.composer import load
from musenet.composing.critic import Critic, InnerCritic, save_critic
from musenet.composing.judging import CRITIC_FILE, Judge, critic_beside
from musenet.composing.ranking import Copy
from musenet.composing.sections import parse_section
from musenet.errors import UserError
from musenet.score import Score


def critic_of(size: int) -> Critic:
    return Critic(torch.zeros(size), torch.ones(size), torch.zeros(size), torch.ones(size))


def test_candidates_come_best_first_with_reasons() -> None:
    composer = random_composer()
    width = 2 * composer.model.config.width
    head = critic_of(width)
    torch.nn.init.normal_(head.weight, std=0.5)
    composer.critic = InnerCritic(composer.model, head.eval(), composer.context)
    pieces = composer.compose(instruments="piano", minutes=0.2, candidates=4, seed=3)
    assert [piece.facts["rank"] for piece in pieces] == [1, 2, 3, 4]
    assert sorted(piece.facts["candidate"] for piece in pieces) == [0, 1, 2, 3]
    points = [sum(fault["points"] for fault in piece.facts["faults"]) for piece in pieces]
    assert points == sorted(points)
    order = [(own, piece.facts["strangeness"]) for own, piece in zip(points, pieces, strict=True)]
    assert order == sorted(order)
    assert all(piece.facts["reason"].startswith("strangeness ") for piece in pieces)


def test_copies_are_looked_for_where_an_index_is_given() -> None:
    def find(score: Score) -> Copy:
        return Copy(len(score.notes), "bach/a.mid", 1.0)

    plain, wary = Judge().verdict(melody(0)), Judge(find_copy=find).verdict(melody(0))
    assert plain.copy is None
    assert plain.opinion is None
    assert wary.copied


def test_pieces_are_to_sound_like_what_was_asked_for_to_their_end() -> None:
    composer = random_composer()
    piece = composer.compose(
        styles=("jazz:2", "Johann Sebastian Bach"), instruments="piano", minutes=1
    )[0]
    heard = piece.facts["likeness"]
    assert {"jazz", "bach"} <= set(heard["shares"])
    assert heard["words"] in piece.facts["reason"]
    assert composer.compose(instruments="piano", minutes=1)[0].facts["likeness"] is None
    later = parse_section("0:06 style=folk")
    turns = composer.compose(styles="jazz", instruments="piano", minutes=1, sections=[later])
    assert turns[0].facts["likeness"] is None
    louder = parse_section("0:06 dynamics=ff")
    same = composer.compose(styles="jazz", instruments="piano", minutes=1, sections=[louder])
    assert set(same[0].facts["likeness"]["shares"]) >= {"jazz"}


def test_instruments_that_are_asked_to_end_are_no_fault() -> None:
    asked: dict[str, Any] = {"instruments": ("piano", "flute", "violin"), "minutes": 0.5, "seed": 1}
    alone = parse_section("0:04 instrument=piano")
    piece = random_composer().compose(sections=[alone], **asked)[0]
    silent = [fault.check for fault in Judge().verdict(piece.score).faults]
    assert "fallen_silent" in silent
    told = [fault["check"] for fault in piece.facts["faults"]]
    assert told == [check for check in silent if check != "fallen_silent"]


@pytest.mark.parametrize("folder", [True, False])
def test_the_critic_stands_beside_its_model_and_serves_no_other(
    tmp_path: Path, folder: bool
) -> None:
    file = tmp_path / "model.safetensors"
    save_model(file, random_model(0), facts={})
    path = tmp_path if folder else file
    composer = load(path)
    assert composer.critic is None
    width = 2 * composer.model.config.width
    head = critic_of(width)
    save_critic(tmp_path / CRITIC_FILE, head, composer.name, {})
    assert load(path).critic is not None
    assert critic_beside(path, composer.model, "other", 64) is None
    (tmp_path / CRITIC_FILE).write_bytes(b"damaged")
    with pytest.raises(UserError, match="damaged"):
        load(path)
