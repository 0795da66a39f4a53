"""Pieces made again from what their files tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from composers import random_composer
from music import melody

from musenet import midi
from musenet.composing.composer import Composer
from musenet.composing.recipe import recipe_of
from musenet.composing.sections import Section
from musenet.errors import UserError
from musenet.score import Score

ASKED = {
    "styles": ["bach:2", "jazz"], "instruments": ["piano", "violin"], "minutes": 0.2,
    "tempo": 100.5, "metre": "3/4", "key": "Am", "chords": "Am | E7", "density": "light",
    "dynamics": "mf", "seed": 7, "temperature": 0.9, "top_p": 0.95,
    "sections": [Section(5.0, (("folk", 1.0),), ("flute",), tempo=90.0, chords="C")],
}  # fmt: skip


def told(**changes: object) -> bytes:
    comment = json.loads(str(midi.comment(random_composer().compose(minutes=0.1)[0].midi)))
    return midi.to_bytes(Score(), comment=json.dumps({**comment, **changes}))


def test_the_same_bytes_again(tmp_path: Path) -> None:
    path = tmp_path / "piece.mid"
    for piece in random_composer().compose(candidates=2, **ASKED):  # type: ignore[arg-type]
        piece.save(path)
        assert random_composer().again(path).midi == piece.midi


def test_a_continued_file_needs_what_it_continues() -> None:
    given = midi.to_bytes(melody(1))
    piece = random_composer().compose(given=given, minutes=0.8, seed=2)[0].midi
    assert random_composer().again(piece, given).midi == piece
    with pytest.raises(UserError, match="give that with --from"):
        random_composer().again(piece)
    with pytest.raises(UserError, match="continues another file"):
        random_composer().again(piece, midi.to_bytes(melody(2)))
    alone = random_composer().compose(minutes=0.1)[0].midi
    with pytest.raises(UserError, match="leave --from out"):
        random_composer().again(alone, given)


def test_the_bar_from_which_a_file_goes_on_is_told() -> None:
    given = midi.to_bytes(melody(1))
    piece = random_composer().compose(given=given, at=3, minutes=0.5, seed=2)[0]
    assert piece.facts["at"] == recipe_of(piece.midi, "random").at == 3
    assert random_composer().again(piece.midi, given).midi == piece.midi


@pytest.mark.parametrize(
    ("piece", "says"),
    [
        (midi.to_bytes(Score()), "does not tell how it was made"),
        (midi.to_bytes(Score(), comment="hello"), "tells nothing of how"),
        (midi.to_bytes(Score(), comment='{"prompt": {}}'), "tells nothing of how"),
        (told(model="other"), "made with the model other, not random"),
        (told(version="9.9"), "made by musenet 9.9"),
        (told(prompt={"bars": None}), "arranged into a given piece"),
    ],
)
def test_what_cannot_be_made_again(piece: bytes, says: str) -> None:
    with pytest.raises(UserError, match=says):
        recipe_of(piece, "random")


def test_a_recipe_is_all_that_was_asked() -> None:
    composer: Composer = random_composer()
    piece = composer.compose(**ASKED)[0]  # type: ignore[arg-type]
    recipe = recipe_of(piece.midi, composer.name)
    assert recipe.prompt.key == "Am" and recipe.prompt.sections == tuple(ASKED["sections"])
    assert (recipe.seed, recipe.sampling.temperature, recipe.continues) == (7, 0.9, False)
