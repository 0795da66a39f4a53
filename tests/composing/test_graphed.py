from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from composers import decoder_for, random_composer, random_model
from networks import CONDITION, CONFIGS, CONTEXT, OPENING, ROWS, SECONDS, pieces
from recorded import Recorded
from torch import Tensor

from musenet.composing import graphed
from musenet.composing.capture import Capture, Work, as_it_stands
from musenet.composing.decoding import Decoder
from musenet.composing.engine import Engine
from musenet.composing.graphed import Graphed
from musenet.composing.joined import Joined
from musenet.composing.network import Eager, Network
from musenet.composing.prompt import Prompt
from musenet.composing.sampling import Sampling
from musenet.echoes import echoes
from musenet.events import FIELDS, Table, to_ids
from musenet.features import features, moments_of
from musenet.model import Model
from musenet.presets import ModelConfig

CAPTURES = {"as it stands": lambda: as_it_stands, "recorded": Recorded}
PROMPT = Prompt(styles=(("mozart", 1.0),), instruments=("piano", "violin"), minutes=0.4)


def exact(model: Model, capture: Capture = as_it_stands) -> Graphed:
    return Graphed(model, dtype=torch.float32, capture=capture)


@torch.inference_mode()
def said(network: Network, tables: Sequence[Table], *, guided: bool = False) -> Iterator[Tensor]:
    """Scores of all fields of each row behind the opening, the window sliding."""
    engine = Engine(network, CONDITION, len(tables), CONTEXT, SECONDS, guided=guided)
    times = 2 if guided else 1
    stacked, ids = np.stack(tables), np.stack([to_ids(table) for table in tables])
    columns = np.stack([features(moments_of(table), SECONDS) for table in tables])
    x = engine.begin(tables[0][:OPENING])
    for row in range(OPENING, ROWS):
        scores = []
        for field in range(len(FIELDS)):
            scores.append(torch.from_numpy(network.logits(field, x).copy()))
            if field + 1 < len(FIELDS):
                moment = np.tile(columns[:, row], (times, 1)) if field == 0 else None
                x = network.choose(field, x, np.tile(ids[:, row, field], times), moment)
        yield torch.cat(scores, dim=-1)
        told = np.tile(stacked[:, : row + 1], (1, 1, 1)), columns[:, row]
        if guided and engine._cache is not None and engine._cache.length < CONTEXT + 5:
            heard = [echoes(table, row, row + 1)[0] for table in tables]
            own = np.concatenate([columns[:, row], heard], axis=1)
            twice = np.tile(ids[:, row], (2, 1)), np.tile(own, (2, 1))
            x = network.step(*twice, [engine._cache])
        else:
            x = engine.append(*told)


@pytest.mark.parametrize("capture", CAPTURES)
@pytest.mark.parametrize("name", CONFIGS)
def test_in_fp32_it_says_what_the_model_says(name: str, capture: str) -> None:
    config: ModelConfig = CONFIGS[name]
    model, tables = random_model(1, config=config), pieces(3)
    network = exact(model, CAPTURES[capture]())
    for found, expected in zip(said(network, tables), said(Eager(model), tables), strict=True):
        assert torch.allclose(found, expected, atol=1e-4)
    assert len(network._lanes) == 1


@pytest.mark.parametrize("name", CONFIGS)
def test_half_precision_costs_next_to_nothing(name: str) -> None:
    model, tables = random_model(2, config=CONFIGS[name]), pieces(2)
    for found, expected in zip(
        said(Graphed(model), tables), said(Eager(model), tables), strict=True
    ):
        assert found.dtype == torch.float32
        assert torch.allclose(found, expected, atol=0.05)


def test_with_and_without_styles_at_once() -> None:
    model, tables = random_model(1), pieces(2)
    network = exact(model, Recorded())
    both = zip(
        said(network, tables, guided=True), said(Eager(model), tables, guided=True), strict=True
    )
    for found, expected in both:
        assert torch.allclose(found, expected, atol=1e-4)
        assert not torch.allclose(found[:2], found[2:], atol=1e-2)


def decoder(network: Network, context: int = 150, **asked: Any) -> Decoder:
    """The decoder of a prompt with a network of its own."""
    made = decoder_for(PROMPT, network.model, context=context, **asked)
    return Decoder(
        network, made.engine.conditions[0], made.rules.wishes, made.how,
        opening=made.tables[0, : made.past.rows], earliest=made.past.earliest,
        random=made.chances.random, context=context,
    )  # fmt: skip


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_a_recorded_step_composes_what_a_plain_one_does(guidance: float) -> None:
    model, how = random_model(5, longing={0: 3}), Sampling(guidance=guidance)
    capture = Recorded()
    drafts = [
        decoder(network, candidates=3, seed=4, how=how).run()
        for network in (Eager(model), exact(model), exact(model, capture))
    ]
    tables = [[draft.table.tobytes() for draft in own] for own in drafts]
    for own in tables[1:]:  # sums in another order may tip one choice in thousands
        assert sum(one == other for one, other in zip(own, tables[0], strict=True)) >= 2
    assert max(len(draft.table) for draft in drafts[0]) > 150  # a window has slid
    assert capture.count == 2 + 4  # two lengths of attention, four fields


def test_windows_are_read_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model(5, longing={0: 3})
    expected = [draft.table for draft in decoder(exact(model), candidates=5).run()]
    monkeypatch.setattr(graphed, "READ_AT_ONCE", 170)
    found = [draft.table for draft in decoder(exact(model), candidates=5).run()]
    assert all(map(np.array_equal, found, expected))


def test_memory_is_used_again() -> None:
    network = exact(random_model(), Recorded())
    first = decoder(network, candidates=2)
    first.run()
    lanes = list(network._lanes)
    second = decoder(network, candidates=2)
    assert len(network._lanes) == 2
    del first, second
    gc.collect()
    decoder(network, candidates=2).run()
    assert network._lanes == [*lanes, network._lanes[1]]
    decoder(network, candidates=3).run()
    gc.collect()
    assert [lane.rows for lane in network._lanes] == [3]


def test_several_pieces_at_the_same_time() -> None:
    composer = random_composer(3)
    network = exact(composer.model)
    wishes: list[dict[str, Any]] = [
        {"minutes": 0.4, "candidates": count, "seed": count, "guidance": guidance, "styles": "bach"}
        for count, guidance in ((1, 1.0), (3, 1.0), (2, 2.0))
    ]

    def files(wish: dict[str, Any]) -> list[bytes]:
        return [piece.midi for piece in composer.compose(**wish)]

    composer.network = network
    expected = [files(wish) for wish in wishes]
    composer.network = Joined(network)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(files, wishes)) == expected


def test_where_nothing_can_be_captured_it_says_so_once_and_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(work: Work) -> Work:
        work()
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    model = random_model(5)
    with caplog.at_level(logging.WARNING):
        found = decoder(exact(model, fails), candidates=2).run()
    expected = decoder(exact(model), candidates=2).run()
    assert [draft.table.tobytes() for draft in found] == [d.table.tobytes() for d in expected]
    assert [record.getMessage() for record in caplog.records] == [
        "no CUDA graphs here, so composing is slower: operation not permitted"
    ]


def test_states_that_no_lane_holds_are_computed_as_they_come() -> None:
    network, x = exact(random_model(1)), torch.randn(3, 64)
    heads, ids = network.model.heads, np.arange(3)
    with torch.inference_mode():
        assert network.logits(2, x) == pytest.approx(heads.logits(2, x).numpy(), abs=1e-4)
        expected = heads.choose(1, x, torch.from_numpy(ids), None)
        assert torch.allclose(network.choose(1, x, ids, None), expected, atol=1e-5)


def test_great_activations_do_not_overflow() -> None:
    model = random_model(1)
    for block in model.blocks:
        block.feed_forward.up.weight.data *= 200.0
    found = torch.stack(list(said(Graphed(model), pieces(1))))
    assert torch.isfinite(found).all()


def test_a_model_in_bfloat16_keeps_its_precision() -> None:
    model = random_model()
    model.dtype = torch.bfloat16
    network = Graphed(model)
    assert network.static.dtype == torch.bfloat16
    assert torch.isfinite(torch.stack(list(said(network, pieces(2))))).all()
