import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from composers import random_composer
from hypothesis import given
from hypothesis import strategies as st
from toys import toy_split, toy_tables

from musenet.composing.composer import Composer
from musenet.corpus.shards import Split
from musenet.errors import UserError
from musenet.evaluation.continuations import (
    Continuation,
    condition_of,
    continue_piece,
    continued,
    read_continuations,
    windows_of,
    write_continuations,
)
from musenet.evaluation.critic import LENGTHS, Pairs, auc, fit, measured, odds_of, read, usual
from musenet.events import END

HUMAN = 3.0 + 2.0 * torch.randn(50, 8, generator=torch.Generator().manual_seed(3))
NUMBERS = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def composer() -> Composer:
    return random_composer()


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return toy_split(tmp_path_factory.mktemp("corpus"), "train", toy_tables(4, notes=160))


def pairs(seed: int, shift: float, places: int = 30) -> Pairs:
    """Pooled states whose human ones lie `shift` higher in one dimension, two of each place."""
    torch.manual_seed(seed)
    moved = torch.zeros(8)
    moved[0] = shift
    place = np.repeat(np.arange(places), 2)
    length = np.array(LENGTHS)[place % 2]
    human, written = torch.randn(2 * places, 8) + moved, torch.randn(2 * places, 8)
    return Pairs(human, written, length, place, place % 3 == 0)


def test_continuations_are_the_same_for_the_same_number(composer: Composer, split: Split) -> None:
    whole = [next(made) for made in [continued(composer, split, rows=24, candidates=2)] * 3]
    later = next(continued(composer, split, rows=24, candidates=2, first=2))
    assert (later.piece, later.start) == (whole[2].piece, whole[2].start)
    for ours, theirs in zip(later.written, whole[2].written, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len({(each.piece, each.start) for each in whole}) > 1


@pytest.mark.parametrize("start", [0, 40])
def test_both_windows_of_a_place_are_alike_but_for_the_music(
    composer: Composer, split: Split, start: int
) -> None:
    found = continue_piece(composer, split, 1, start, rows=24, candidates=2, seed=3)
    table = split.table(1)
    for (real, other), written in zip(windows_of(split, found), found.written, strict=True):
        assert not (written[:, 1] == END).any()
        assert 0 < len(written) <= 24
        assert real.condition == other.condition == condition_of(split, 1)
        assert real.ids.shape == other.ids.shape
        assert real.begins == other.begins == (start == 0)
        assert set(written[:, 1]) - {60, 61, 62} <= set(condition_of(split, 1).instruments)
        rows = len(written)
        np.testing.assert_array_equal(real.ids[-rows:, 0], table[start : start + rows, 0])
        np.testing.assert_array_equal(other.ids[-rows:, 0], written[:, 0])


def test_continuations_are_read_as_they_were_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    own = [
        Continuation(i, 3 * i, tuple(rng.integers(0, 9, (n, 5), dtype=np.uint8) for n in (4, i)))
        for i in range(3)
    ]
    path = tmp_path / "some.safetensors"
    write_continuations(path, {"train": own, "valid": own[:1]}, {"seed": 1})
    found, facts = read_continuations(path)
    assert facts == {"seed": 1}
    assert [len(found[name]) for name in ("train", "valid")] == [3, 1]
    for ours, theirs in zip(own, found["train"], strict=True):
        assert (ours.piece, ours.start) == (theirs.piece, theirs.start)
        for a, b in zip(ours.written, theirs.written, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_corpus_of_short_pieces_is_refused(composer: Composer, tmp_path: Path) -> None:
    short = toy_split(tmp_path, "train", toy_tables(2, notes=20))
    with pytest.raises(UserError, match="long enough"):
        next(continued(composer, short, rows=24, candidates=1))


def test_pairs_are_of_every_length_that_a_continuation_has(
    composer: Composer, split: Split
) -> None:
    short = continue_piece(composer, split, 0, 0, rows=24, candidates=2, seed=3)
    long = continue_piece(composer, split, 0, 2, rows=110, candidates=1, seed=3)
    own = read(composer.model, split, [short, long])
    assert own.length.tolist() == [128, 128, 128]
    assert own.place.tolist() == [0, 0, 1]
    assert own.begins.tolist() == [True, True, False]
    assert own.human.shape == own.written.shape == (3, 2 * composer.model.config.width)
    assert not torch.equal(own.human, own.written)


def test_a_critic_learns_what_tells_them_apart() -> None:
    told = fit(pairs(0, 2.5), pairs(1, 2.5), HUMAN)
    found = measured(told, pairs(2, 2.5), 128)
    assert found["pairs"] == 30
    assert found["auc"] is not None
    assert found["low"] is not None
    assert found["high"] is not None
    assert found["low"] <= found["auc"] <= found["high"]
    assert found["auc"] > 0.9
    same = measured(fit(pairs(0, 0.0), pairs(1, 0.0), HUMAN), pairs(2, 0.0, places=100), 128)
    assert same["auc"] is not None
    assert 0.3 < same["auc"] < 0.7


def test_strangeness_is_measured_from_human_pieces() -> None:
    head = fit(pairs(0, 1.0), pairs(1, 1.0), HUMAN)
    torch.testing.assert_close(head.usual, HUMAN.mean(dim=0))
    assert float(head.strangeness(HUMAN).mean()) == pytest.approx(0.98)
    assert head.strangeness(HUMAN[0] + 9.0) > 10


def test_human_pieces_are_read_from_their_beginning(composer: Composer, split: Split) -> None:
    whole, part = (usual(composer.model, split, [0, 1, 2], rows) for rows in (500, 40))
    assert whole.shape == part.shape == (3, 2 * composer.model.config.width)
    assert not torch.allclose(whole, part)
    other = split.table(1).copy()
    other[60:, 4] = 3
    longer = replace(split, events=split.events.copy())
    longer.table(1)[60:] = other[60:]
    again = usual(composer.model, longer, [1], 40)[0]
    torch.testing.assert_close(again, part[1], rtol=1e-4, atol=1e-4)


def test_a_length_that_no_window_has_measures_nothing() -> None:
    head = fit(pairs(0, 1.0), pairs(1, 1.0), HUMAN)
    assert measured(head, pairs(2, 1.0), 1024) == {"pairs": 0} | dict.fromkeys(
        ("auc", "low", "high", "same_place", "beginnings", "later")
    )
    assert set(odds_of(head, pairs(2, 1.0), 256).place % 2) == {1}


@given(NUMBERS, NUMBERS)
def test_auc_is_the_share_of_pairs_in_order(high: list[float], low: list[float]) -> None:
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in high for b in low]
    assert math.isclose(auc(high, low), sum(pairs) / len(pairs))
    assert math.isclose(auc(high, low) + auc(low, high), 1.0)
    assert math.isnan(auc(high, []))
