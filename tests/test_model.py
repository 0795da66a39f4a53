from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from music import melody
from numpy.typing import NDArray
from tables import tables
from torch import Tensor, nn

from musenet.condition import Condition, Conditions, stack
from musenet.copying import COPY, POINTERS
from musenet.echoes import echoes
from musenet.events import FIELDS, SIZES, Table, encode, to_ids
from musenet.features import COLUMNS, GIVEN, STYLE, TICK, features, moments_of
from musenet.model import PROMPT_ROWS, Cache, Model, parameters
from musenet.presets import PRESETS, ModelConfig, base, mini, musenet, small, tiny

SMALLEST = ModelConfig(layers=2, width=32, heads=4, kv_heads=2, head_width=8, context=128)
VARIANTS = {
    "rotary": SMALLEST,
    "one head": replace(SMALLEST, heads=2, kv_heads=2),
    "learned": replace(SMALLEST, positions="learned"),
    "gelu": replace(SMALLEST, activation="gelu"),
    "musical time": replace(SMALLEST, musical_time=True),
}


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    torch.manual_seed(0)
    yield


def shaken(config: ModelConfig) -> Model:
    """A model in which nothing is zero, so that every path counts."""
    model = Model(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def inputs(table: Table, total: float = 60.0) -> tuple[Tensor, Tensor]:
    columns = np.concatenate([features(moments_of(table), total), echoes(table)], axis=1)
    return torch.from_numpy(to_ids(table))[None], torch.from_numpy(columns)[None]


def prompts(batch: int) -> Conditions:
    some = Condition(((1, 0.5), (9, 0.5)), (0, 15), 3, 2)
    return stack([some if row % 2 == 0 else Condition() for row in range(batch)], [True] * batch)


def nats(model: Model, table: Table) -> NDArray[np.float32]:
    with torch.inference_mode():
        result: NDArray[np.float32] = model(prompts(1), *inputs(table))[0].numpy()
    return result


# Shapes and sizes


@pytest.mark.parametrize("name", VARIANTS)
def test_losses_of_every_field_of_every_event(name: str) -> None:
    ids, columns = inputs(encode(melody(0, 30)))
    losses = shaken(VARIANTS[name])(prompts(1), ids, columns)
    assert losses.shape == (1, ids.shape[1], len(FIELDS))
    assert (losses > 0).all()


def test_a_new_model_knows_nothing() -> None:
    losses = nats(Model(replace(tiny(), copies=0)), encode(melody(0, 30)))
    assert np.allclose(losses, np.log(np.array(SIZES) - POINTERS), atol=1e-5)


@pytest.mark.parametrize(
    ("preset", "low", "high"),
    [
        (tiny, 0, 1e6),
        (mini, 11e6, 13e6),
        (small, 25e6, 35e6),
        (base, 140e6, 160e6),
        (musenet, 1.9e9, 2.3e9),
    ],
)
def test_presets_are_as_large_as_they_say(preset: object, low: float, high: float) -> None:
    assert callable(preset)
    with torch.device("meta"):
        assert low < parameters(Model(preset())) < high


def test_every_preset_is_a_whole_configuration() -> None:
    assert list(PRESETS) == ["tiny", "mini", "small", "base", "musenet"]
    for preset in PRESETS.values():
        assert preset().heads % preset().kv_heads == 0
    assert musenet().positions == "learned"
    assert (musenet().layers, musenet().heads, musenet().context) == (72, 24, 4096)
    assert musenet().recompute


# Nothing of the future


@pytest.mark.parametrize("name", VARIANTS)
def test_the_future_changes_no_loss_before_it(name: str) -> None:
    model = shaken(VARIANTS[name])
    table, other = encode(melody(0, 40)), encode(melody(1, 40))
    length = min(len(table), len(other))
    whole = nats(model, table[:length])
    for now in (0, 1, 2, 17, length - 5):
        mixed = np.concatenate([table[: now + 1], other[now + 1 : length]])
        assert np.array_equal(nats(model, mixed)[: now + 1], whole[: now + 1])
        assert not np.array_equal(nats(model, mixed), whole)


@given(tables(min_rows=6, max_rows=6), tables(min_rows=6, max_rows=6), st.integers(0, 5))
@settings(max_examples=30)
def test_nor_does_any_valid_future(table: Table, other: Table, now: int) -> None:
    model = shaken(SMALLEST)
    mixed = np.concatenate([table[: now + 1], other[now + 1 :]])
    assert np.array_equal(nats(model, mixed)[: now + 1], nats(model, table)[: now + 1])


@pytest.mark.parametrize("field", range(len(FIELDS)))
def test_a_field_is_foretold_from_those_before_it_alone(field: int) -> None:
    model = shaken(SMALLEST)
    ids, columns = inputs(encode(melody(0, 10)))
    changed = ids.clone()
    changed[0, -1, field] = (changed[0, -1, field] + 1) % SIZES[field]
    with torch.inference_mode():
        before, after = model(prompts(1), ids, columns)[0], model(prompts(1), changed, columns)[0]
    assert torch.equal(before[:-1], after[:-1])
    assert torch.equal(before[-1, :field], after[-1, :field])
    assert (before[-1, field:] != after[-1, field:]).all()


def test_the_moment_of_an_event_is_known_from_its_wait_on() -> None:
    model = shaken(SMALLEST)
    ids, columns = inputs(encode(melody(0, 10)))
    for column in set(range(len(COLUMNS))) - {GIVEN}:
        changed = columns.clone()
        changed[0, -1, column] += -1 if column == STYLE else 1
        with torch.inference_mode():
            before = model(prompts(1), ids, columns)[0]
            after = model(prompts(1), ids, changed)[0]
        assert torch.equal(before[:-1], after[:-1])
        assert torch.equal(before[-1, 0], after[-1, 0])
        assert (before[-1, 1:] != after[-1, 1:]).all()


@pytest.mark.parametrize("item", ["styles", "instruments", "key", "kind", "start"])
def test_every_item_of_the_prompt_counts(item: str) -> None:
    model = shaken(SMALLEST)
    ids, columns = inputs(encode(melody(0, 10)))
    given, none = prompts(1), stack([Condition()], [False])
    changed = replace(given, **{item: getattr(none, item)})
    with torch.inference_mode():
        before, after = model(given, ids, columns), model(changed, ids, columns)
    assert (before[0, :, 0] != after[0, :, 0]).all()


# One by one and together


@pytest.mark.parametrize("name", VARIANTS)
def test_a_piece_in_a_batch_is_as_alone(name: str) -> None:
    model = shaken(VARIANTS[name])
    pieces = [inputs(encode(melody(seed, 30))[:32]) for seed in range(3)]
    ids, columns = (torch.cat([piece[part] for piece in pieces]) for part in (0, 1))
    conditions = prompts(3)
    with torch.inference_mode():
        together = model(conditions, ids, columns)
        for row in range(3):
            one = Conditions(
                conditions.styles[[row]],
                conditions.instruments[[row]],
                conditions.key[[row]],
                conditions.kind[[row]],
                conditions.start[[row]],
            )
            alone = model(one, ids[[row]], columns[[row]])[0]
            torch.testing.assert_close(together[row], alone, rtol=1e-4, atol=1e-4)


def uncached(model: Model, ids: Tensor, columns: Tensor) -> Tensor:
    return model.trunk(*model.embed(prompts(len(ids)), ids, columns))


def events(model: Model, ids: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Events without a prompt, as the trunk takes them."""
    return model.embed_events(ids, columns), columns[..., TICK]


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("opening", [0, 1, 20])
@torch.inference_mode()
def test_decoding_with_a_cache_is_the_whole_forward(name: str, opening: int) -> None:
    model = shaken(VARIANTS[name])
    ids, columns = (part.expand(2, -1, -1) for part in inputs(encode(melody(0, 30))))
    expected = uncached(model, ids, columns)
    cache = Cache.empty(model, 2, 64)
    states = [model.trunk(*model.embed(prompts(2), ids[:, :opening], columns[:, :opening]), cache)]
    for step in range(opening, ids.shape[1]):
        now = slice(step, step + 1)
        states.append(model.trunk(*events(model, ids[:, now], columns[:, now]), cache))
    assert cache.length == PROMPT_ROWS + ids.shape[1]
    torch.testing.assert_close(torch.cat(states, dim=1), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", VARIANTS)
@torch.inference_mode()
def test_a_cache_takes_several_events_at_once(name: str) -> None:
    model = shaken(VARIANTS[name])
    ids, columns = inputs(encode(melody(0, 30)))
    cache = Cache.empty(model, 1, 64)
    states = [model.trunk(*model.embed(prompts(1), ids[:, :0], columns[:, :0]), cache)]
    for start in range(0, ids.shape[1], 7):
        part = slice(start, start + 7)
        states.append(model.trunk(*events(model, ids[:, part], columns[:, part]), cache))
    expected = uncached(model, ids, columns)
    torch.testing.assert_close(torch.cat(states, dim=1), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", VARIANTS)
@torch.inference_mode()
def test_copies_of_a_cache_part_ways(name: str) -> None:
    model = shaken(VARIANTS[name])
    ids, columns = inputs(encode(melody(0, 30)))
    cache = Cache.empty(model, 1, 64)
    model.trunk(*model.embed(prompts(1), ids[:, :0], columns[:, :0]), cache)
    copies = cache.repeated(2)
    both = torch.stack([ids[0, :1], ids[0, 5:6]])
    moments = torch.stack([columns[0, :1], columns[0, 5:6]])
    states = model.trunk(*events(model, both, moments), copies)
    alone = model.trunk(*events(model, both[:1], moments[:1]), cache)
    torch.testing.assert_close(states[:1], alone, rtol=1e-4, atol=1e-4)
    assert (cache.length, copies.length) == (PROMPT_ROWS + 1, PROMPT_ROWS + 1)
    assert not torch.equal(states[0], states[1])


@torch.inference_mode()
def test_the_chain_of_heads_step_by_step_gives_the_losses() -> None:
    model = shaken(SMALLEST)
    ids, columns = inputs(encode(melody(0, 12)))
    expected = model(prompts(1), ids, columns)[0]
    hidden = uncached(model, ids, columns)[0, PROMPT_ROWS - 1 : -1]
    state = hidden
    for field in range(len(FIELDS)):
        logits = model.heads.logits(field, state)
        assert logits.shape == (ids.shape[1], SIZES[field])
        logits[:, COPY[field]] = -torch.inf
        losses = nn.functional.cross_entropy(logits, ids[0, :, field], reduction="none")
        torch.testing.assert_close(losses, expected[:, field], rtol=1e-4, atol=1e-4)
        if field + 1 < len(FIELDS):
            moment = columns[0] if field == 0 else None
            state = model.heads.choose(field, state, ids[0, :, field], moment)


@torch.inference_mode()
def test_a_new_model_sees_each_event_alone() -> None:
    model = Model(SMALLEST).eval()
    ids, columns = inputs(encode(melody(0, 12)))
    changed = ids.clone()
    changed[0, 4, 2] += 1
    before, after = uncached(model, ids, columns)[0], uncached(model, changed, columns)[0]
    moved = (before != after).any(dim=-1).nonzero().flatten().tolist()
    assert moved == [PROMPT_ROWS + 4]


# Precision, gradients


@torch.inference_mode()
def test_activations_in_bfloat16_are_near_those_in_fp32() -> None:
    ids, columns = inputs(encode(melody(0, 30)))
    exact, rough = shaken(SMALLEST), Model(SMALLEST, torch.bfloat16).eval()
    rough.load_state_dict(exact.state_dict())
    assert rough.start.weight.dtype is torch.float32
    torch.testing.assert_close(
        rough(prompts(1), ids, columns), exact(prompts(1), ids, columns), rtol=0.05, atol=0.3
    )


def gradients(config: ModelConfig, state: dict[str, Tensor]) -> list[Tensor]:
    model = Model(config)
    model.load_state_dict(state)
    model.train()
    losses = model(prompts(1), *inputs(encode(melody(0, 30))))
    losses.sum().backward()
    return [parameter.grad for parameter in model.parameters() if parameter.grad is not None]


def test_recomputing_activations_gives_the_same_gradients() -> None:
    model = shaken(SMALLEST)
    state = model.state_dict()
    kept = gradients(SMALLEST, state)
    recomputed = gradients(replace(SMALLEST, recompute=True), state)
    assert len(kept) == len(recomputed) == len(list(model.parameters()))
    for one, other in zip(kept, recomputed, strict=True):
        torch.testing.assert_close(one, other)


def test_learned_positions_end_with_the_context() -> None:
    model = shaken(replace(SMALLEST, positions="learned", context=20))
    with pytest.raises(RuntimeError):
        model(prompts(1), *inputs(encode(melody(0, 30))))
