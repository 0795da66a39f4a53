from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from composers import random_model
from networks import CONDITION, CONFIGS, CONTEXT, OPENING, ROWS, SECONDS, pieces
from torch import Tensor

from musenet.attention import Attention, norm
from musenet.composing.engine import Engine
from musenet.composing.network import Eager, Network, Packed, network_of
from musenet.composing.packing import largest_score
from musenet.echoes import echoes
from musenet.events import FIELDS, SIZES, Table, to_ids
from musenet.features import features, moments_of
from musenet.model import Cache
from musenet.presets import TIME_WIDTH, ModelConfig, tiny


@torch.inference_mode()
def said(network: Network, tables: list[Table]) -> Tensor:
    """Scores of all fields of each row behind the opening, (rows, candidates, vocabulary).

    The rows themselves are chosen, and their features go into the chain.
    """
    engine = Engine(network, CONDITION, len(tables), CONTEXT, SECONDS)
    stacked = np.stack(tables)
    ids = np.stack([to_ids(table) for table in tables])
    columns = np.stack([features(moments_of(table), SECONDS) for table in tables])
    hidden, found = engine.begin(tables[0][:OPENING]), []
    for row in range(OPENING, ROWS):
        x, scores = hidden, []
        for field in range(len(FIELDS)):
            scores.append(torch.from_numpy(network.logits(field, x).copy()))
            if field + 1 < len(FIELDS):
                moment = columns[:, row] if field == 0 else None
                x = network.choose(field, x, ids[:, row, field], moment)
        found.append(torch.cat(scores, dim=-1))
        hidden = engine.append(stacked[:, : row + 1], columns[:, row])
    return torch.stack(found)


def nats(scores: Tensor, tables: list[Table]) -> Tensor:
    """Cost of the rows behind the opening, (rows, candidates, fields)."""
    ids = torch.from_numpy(np.stack([to_ids(table)[OPENING:] for table in tables], axis=1))
    parts = scores.split(SIZES, dim=-1)
    costs = [
        -part.log_softmax(dim=-1).gather(-1, ids[..., field : field + 1])
        for field, part in enumerate(parts)
    ]
    return torch.cat(costs, dim=-1)


@pytest.mark.parametrize("name", CONFIGS)
def test_packed_in_fp32_says_what_the_model_says(name: str) -> None:
    config: ModelConfig = CONFIGS[name]
    model, tables = random_model(1, config=config), pieces(2)
    expected = said(Eager(model), tables)
    assert torch.allclose(said(Packed(model, half=False), tables), expected, atol=2e-4)


@pytest.mark.parametrize("name", CONFIGS)
def test_half_precision_costs_next_to_nothing(name: str) -> None:
    config: ModelConfig = CONFIGS[name]
    model, tables = random_model(2, config=config), pieces(3)
    exact, packed = (nats(said(net, tables), tables) for net in (Eager(model), Packed(model)))
    assert float(packed.sum() / exact.sum()) == pytest.approx(1.0, abs=0.005)
    assert torch.allclose(exact, packed, atol=0.1)


@torch.inference_mode()
def test_no_score_of_attention_exceeds_what_is_reckoned() -> None:
    model = random_model(4)
    for block in model.blocks:
        own = block.attention
        assert isinstance(own, Attention) and own.time_query is not None
        own.time_query.weight.data *= 20.0
        x = norm(torch.randn(1, 200, model.config.width))
        q = norm(own.query(x).view(200, -1, model.config.head_width))
        asked = own.time_query(x).view(200, -1, TIME_WIDTH).norm(dim=-1) * TIME_WIDTH**0.5
        seen = (q.norm(dim=-1) ** 2 + asked) * model.config.head_width**-0.5
        assert 0.3 * largest_score(own) < float(seen.max()) <= largest_score(own)
    plain = random_model(config=replace(tiny(), qk_norm=False)).blocks[0].attention
    assert isinstance(plain, Attention) and largest_score(plain) == float("inf")


def test_a_candidate_gets_the_same_numbers_in_any_batch() -> None:
    network, tables = Packed(random_model(3)), pieces(5)
    together = said(network, tables)
    for place, table in enumerate(tables):
        assert torch.equal(said(network, [table])[:, 0], together[:, place])
    assert torch.equal(said(network, tables[3:]), together[:, 3:])


@torch.inference_mode()
def filled(network: Network, rows: int, length: int) -> Cache:
    """A cache in which there is something."""
    config = network.model.config
    torch.manual_seed(length)
    x, ticks = torch.randn(rows, length, config.width), torch.arange(length).expand(rows, -1)
    return network.read(x, ticks, CONTEXT, 1, None)[1]


@pytest.mark.parametrize("name", CONFIGS)
@torch.inference_mode()
def test_rows_of_several_caches_are_one_batch(name: str) -> None:
    network, shapes = Packed(random_model(3, config=CONFIGS[name])), ((2, 7), (1, 20), (3, 8))
    tables = pieces(6)
    ids = np.stack([to_ids(table)[-1] for table in tables])
    moments = [features(moments_of(table), SECONDS)[-1] for table in tables]
    columns = np.concatenate([moments, [echoes(table)[-1] for table in tables]], axis=1)
    caches = [filled(network, *shape) for shape in shapes]
    for _ in range(3):
        together = network.step(ids, columns, caches)
    for cache, rows in zip(caches, (slice(0, 2), slice(2, 3), slice(3, 6)), strict=True):
        own = filled(network, len(cache.last), cache.length - 3)
        for _ in range(3):
            alone = network.step(ids[rows], columns[rows], [own])
        assert torch.equal(together[rows], alone)
        assert all(map(torch.equal, cache.keys + cache.values, own.keys + own.values))


def test_matrices_in_half_precision_treat_each_row_alone() -> None:
    network = Packed(random_model(3))
    with torch.inference_mode():
        x = torch.randn(16, 64).numpy()
        whole = network.outputs[0](x)
        for count in (1, 2, 3, 5, 8):
            assert np.array_equal(network.outputs[0](x[:count]), whole[:count])


def test_the_layout_follows_the_device_and_the_precision() -> None:
    assert isinstance(network_of(random_model()), Packed)
    halved = random_model()
    halved.dtype = torch.bfloat16
    assert isinstance(network_of(halved), Eager)


def test_a_bfloat16_model_composes_as_it_stands() -> None:
    model = random_model()
    model.dtype = torch.bfloat16
    found = said(network_of(model), pieces(2))
    assert torch.isfinite(found).all()
