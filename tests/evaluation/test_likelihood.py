from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from toys import toy_split, toy_tables

from musenet.condition import Condition
from musenet.copying import POINTERS
from musenet.corpus.shards import Split
from musenet.evaluation.likelihood import (
    ENOUGH,
    NOTHING,
    Likelihood,
    Scores,
    batch_bits,
    default_overlap,
    grouped,
    lzma_bits,
    piece_samples,
    score,
    split_samples,
    unigram_bits,
)
from musenet.events import FIELDS, SIZES, encode, is_note, to_ids
from musenet.features import NO_BEAT, NO_PART, moments_of
from musenet.model import Model
from musenet.presets import ModelConfig
from musenet.score import Score
from musenet.training.batches import collate, sample
from musenet.windows import window

SMALLEST = ModelConfig(layers=1, width=32, heads=2, kv_heads=1, head_width=16, context=128)
CONTEXT = 32


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    torch.manual_seed(0)
    model = Model(SMALLEST)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    yield model.eval()


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    tables = toy_tables(6)
    folder = tmp_path_factory.mktemp("toys")
    kinds = [0, 1, 0, 0, 6, 0]
    styles = [[5, 9, -1, -1]] * 6
    return toy_split(folder, "test", tables, kind=kinds, styles=styles, key=[3] * 6)


# Windows


@given(st.integers(1, 300), st.integers(4, 80))
def test_every_event_is_scored_once_with_half_a_context_before_it(rows: int, context: int) -> None:
    table = toy_tables(1, 300)[0][:rows]
    items = list(piece_samples(table, Condition(), context, told_length=False))
    scored = [item.ids[item.weights[:, 0] > 0] for item in items]
    assert np.array_equal(np.concatenate(scored), to_ids(table))
    assert sum(item.notes for item in items) == is_note(table).sum()
    assert all(len(item.ids) <= context for item in items)
    for item in items[1:]:
        assert (item.weights[:, 0] == 0).sum() >= context // 2
        assert not item.begins
    assert items[0].begins


@given(st.integers(1, 300), st.integers(8, 80), st.data())
def test_every_event_is_scored_once_with_the_overlap_before_it(
    rows: int, context: int, data: st.DataObject
) -> None:
    table = toy_tables(1, 300)[0][:rows]
    overlap = data.draw(st.integers(0, context - 3))
    items = list(piece_samples(table, Condition(), context, told_length=False, overlap=overlap))
    scored = [item.ids[item.weights[:, 0] > 0] for item in items]
    assert np.array_equal(np.concatenate(scored), to_ids(table))
    assert all(len(item.ids) <= context for item in items)
    done = 0
    for item, own in zip(items, scored, strict=True):
        before = to_ids(table)[max(0, done - overlap) : done]
        told = item.ids[: len(item.ids) - len(own)]
        assert np.array_equal(told[len(told) - len(before) :], before)
        done += len(own)


def test_models_that_hold_enough_see_enough_before_each_event() -> None:
    assert [default_overlap(window) for window in (2048, 1984, 1536)] == [ENOUGH] * 3
    assert [default_overlap(window) for window in (1535, 1024, 16)] == [766, 511, 7]


def test_moments_are_those_of_the_whole_piece() -> None:
    table = toy_tables(1)[0]
    items = piece_samples(table, Condition(), CONTEXT, told_length=True)
    ticks = [item.features[item.weights[:, 0] > 0, 0] for item in items]
    assert np.array_equal(np.concatenate(ticks), moments_of(table).tick)


def test_the_length_is_told_where_it_shall_be() -> None:
    table = toy_tables(1)[0]
    for told in (True, False):
        items = piece_samples(table, Condition(), CONTEXT, told_length=told)
        assert all((item.features[:, 2] == NO_PART).all() != told for item in items)


def test_prompts_of_a_split(split: Split) -> None:
    for item in split_samples(split, [0], CONTEXT)[0]:
        assert item.condition == Condition()
    for item in split_samples(split, [1], CONTEXT, prompted=True)[0]:
        assert item.condition == Condition(((5, 0.5), (9, 0.5)), (15,), 3, 1)
    for item in split_samples(split, [4], CONTEXT)[0]:
        assert (item.features[:, 5] == NO_BEAT).all()


# Likelihood


@pytest.mark.parametrize("prompted", [False, True])
def test_a_piece_costs_the_same_in_any_company(model: Model, split: Split, prompted: bool) -> None:
    pieces = split_samples(split, range(len(split)), CONTEXT, prompted=prompted, overlap=20)
    together = score(model, pieces, 100_000)
    for batch_events in (1, 100, 300):
        for one, other in zip(score(model, pieces, batch_events), together, strict=True):
            assert one.bits == pytest.approx(other.bits, rel=1e-5)
            assert one.notes == other.notes
    for piece, expected in zip(pieces, together, strict=True):
        assert score(model, [piece], 100)[0].bits == pytest.approx(expected.bits, rel=1e-5)


def test_a_piece_within_the_context_costs_what_the_model_says(model: Model, split: Split) -> None:
    table = split.table(0)
    result = score(model, split_samples(split, [0], len(table)), 1)[0]
    batch = collate([sample(window(table, 0, len(table)), Condition(), np.nan)])
    with torch.inference_mode():
        nats = batch_bits(model, batch).sum(dim=(0, 1)) * np.log(2.0)
    assert result.bits * np.log(2.0) == pytest.approx(nats.numpy(), rel=1e-5)
    assert result.notes == is_note(table).sum()


def test_a_model_that_knows_nothing_pays_the_size_of_the_vocabulary(split: Split) -> None:
    blank = Model(SMALLEST).eval()
    values = np.array(SIZES) - POINTERS
    for piece, result in enumerate(score(blank, split_samples(split, range(6), CONTEXT), 500)):
        expected = len(split.table(piece)) * np.log2(values)
        assert result.bits == pytest.approx(expected, rel=1e-4)


def test_nothing_costs_nothing(model: Model) -> None:
    assert score(model, [], 100) == []
    assert score(model, [[]], 100)[0].bits_per_note == 0.0


def test_a_piece_without_notes(model: Model) -> None:
    items = list(piece_samples(encode(Score()), Condition(), CONTEXT, told_length=True))
    result = score(model, [items], 100)[0]
    assert result.notes == 0
    assert np.isfinite(result.bits_per_note)


def test_likelihoods_add_up() -> None:
    some = Likelihood(np.arange(5.0), 2, 1.5)
    total = sum([some, some], NOTHING)
    assert total.bits_per_note == 5.0
    assert total.seconds == 3.0
    assert total.bits_per_second == pytest.approx(20 / 3)
    assert total.by_field == dict(zip(FIELDS, [0.0, 0.5, 1.0, 1.5, 2.0], strict=True))
    assert NOTHING.bits_per_note == NOTHING.bits_per_second == 0.0


# Baselines


def test_unigrams_cost_the_entropy_where_the_counts_are_large() -> None:
    tables = toy_tables(1)
    many = unigram_bits(tables * 2_000, tables)[0]
    ids = to_ids(tables[0])
    for field, bits in enumerate(many.bits):
        counts = np.unique(ids[:, field], return_counts=True)[1]
        entropy = -(counts * np.log2(counts / counts.sum())).sum()
        assert bits == pytest.approx(entropy, rel=0.01, abs=0.5)
    assert many.notes == is_note(tables[0]).sum()


def test_unigrams_of_nothing_are_even() -> None:
    tables = toy_tables(2)
    events = sum(len(table) for table in tables)
    total = sum(unigram_bits([], tables), NOTHING)
    assert total.bits == pytest.approx(events * np.log2(SIZES))


def test_unigrams_of_like_music_cost_less() -> None:
    tables = toy_tables(20)
    known = sum(unigram_bits(tables[:16], tables[16:]), NOTHING)
    unknown = sum(unigram_bits([], tables[16:]), NOTHING)
    assert known.bits_per_note < 0.5 * unknown.bits_per_note


def test_lzma_finds_what_repeats() -> None:
    table = toy_tables(1, 200)[0]
    once, twice = lzma_bits(table), lzma_bits(np.concatenate([table, table]))
    assert 2.0 < once / is_note(table).sum() < 40.0
    assert twice < 1.4 * once
    noise = np.random.default_rng(0).integers(0, 47, (4_000, 5)).astype(np.uint8)
    assert lzma_bits(noise) > 4_000 * 5 * np.log2(47) * 0.98


# Summaries


def test_a_summary_sums_before_it_divides() -> None:
    costs = [Likelihood(np.arange(5.0) * n, notes) for n, notes in ((1, 1), (2, 3), (9, 5))]
    scores = Scores({"some": costs}, [8, 16, 800], [1.0, 4.0, 100.0])
    result = scores.summary([0, 1])
    assert (result["pieces"], result["notes"], result["seconds"]) == (2, 4, 5.0)
    assert result["bits_per_note"] == {
        "some": {"all": 7.5, **dict(zip(FIELDS, [0.0, 0.75, 1.5, 2.25, 3.0], strict=True))},
        "LZMA": {"all": 6.0},
    }
    assert result["bits_per_second"] == {"some": 6.0, "LZMA": 4.8}
    assert scores.summary([])["bits_per_note"]["LZMA"]["all"] == 0.0


def test_places_stand_under_each_of_their_labels() -> None:
    assert grouped([["b", "a"], [], ["b"]]) == {"a": [0], "b": [0, 2]}
