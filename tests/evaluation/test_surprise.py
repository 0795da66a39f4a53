from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from composers import random_model
from toys import toy_split, toy_tables

from musenet.evaluation.likelihood import score, split_samples
from musenet.evaluation.surprise import OPENING, human_surprise, pieces_of_all_styles


def test_pieces_of_each_style_are_taken_and_short_ones_left_out(tmp_path: Path) -> None:
    tables = [*toy_tables(7, notes=200), *toy_tables(2, notes=40, seed=9)]
    styles = np.full((9, 4), -1)
    styles[:, 0] = [3, 3, 3, 5, 5, -1, -1, 3, -1]
    split = toy_split(tmp_path, "train", tables, styles=list(styles))
    assert sorted(pieces_of_all_styles(split, 99)) == [0, 1, 2, 3, 4, 5, 6]
    for each in (1, 2):
        found = [styles[piece, 0] for piece in pieces_of_all_styles(split, each)]
        assert sorted(found) == sorted([3, 5, -1] * each)


def test_bits_are_those_of_the_likelihood_behind_the_opening(tmp_path: Path) -> None:
    split, model = toy_split(tmp_path, "train", toy_tables(3, notes=200)), random_model(4)
    found = human_surprise(model, split, [0, 2])
    assert found.bits.shape == (2,)
    np.testing.assert_array_equal(found.kind, split.pieces["kind"][[0, 2]])
    np.testing.assert_array_equal(np.flatnonzero(found.players[0]), [0])
    whole = score(model, split_samples(split, [0, 2], 400), 4096)
    for bits, own, piece in zip(found.bits, whole, (0, 2), strict=True):
        events = len(split.table(piece))
        assert bits == pytest.approx(own.bits.sum() / events, rel=0.25)
        assert events > 2 * OPENING
