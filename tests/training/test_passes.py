import pytest
import torch
from torch import Tensor

import musenet.attention
from musenet.copying import COPY
from musenet.errors import UserError
from musenet.evaluation.likelihood import batch_bits
from musenet.features import GIVEN
from musenet.model import Model
from musenet.presets import ModelConfig
from musenet.training import passes
from musenet.training.batches import Batch
from musenet.training.passes import (
    attention,
    empty,
    fastest_attention,
    field_bits,
    later,
    placed,
    warm_up,
)
from musenet.training.shapes import Shape

SMALLEST = ModelConfig(layers=1, width=16, heads=2, kv_heads=1, head_width=8, context=64)
SHAPE = Shape(3, 16)
CPU = torch.device("cpu")


def network() -> Model:
    torch.manual_seed(0)
    model = Model(SMALLEST)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def random_batch(shape: Shape) -> Batch:
    batch, generator = empty(shape), torch.Generator().manual_seed(1)
    for field, copies in enumerate(COPY):
        values = torch.randint(min(copies), (shape.rows, shape.length), generator=generator)
        batch.ids[..., field] = values.numpy()
    batch.features[:, 8:, GIVEN] = 1
    batch.weights[:, 2:] = 1.0
    return batch


def gradients(model: Model, bits: Tensor) -> list[Tensor | None]:
    torch.autograd.backward(bits.sum())
    found = [parameter.grad for parameter in model.parameters()]
    model.zero_grad(set_to_none=True)
    return found


def test_bits_by_field_are_those_of_evaluation() -> None:
    model, batch = network(), random_batch(SHAPE)
    expected = batch_bits(model, batch).sum(dim=(0, 1))
    torch.testing.assert_close(field_bits(model, compiled=False)(*placed(batch, CPU)), expected)


def test_the_whole_pass_is_one_graph_and_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def traced(function: object, **settings: object) -> object:  # no C++ or Triton compiler
        return compile_(function, backend="eager", **settings)  # type: ignore[call-overload]

    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", traced)
    model, batch = network(), random_batch(SHAPE)
    plain, compiled = (field_bits(model, compiled=how) for how in (False, True))
    assert warm_up(model, compiled, [SHAPE], compiled=True) > 0
    some, other = plain(*placed(batch, CPU)), compiled(*placed(batch, CPU))
    torch.testing.assert_close(some, other)
    for one, another in zip(gradients(model, some), gradients(model, other), strict=True):
        if one is None or another is None:
            assert one is another
        else:
            torch.testing.assert_close(one, another, rtol=1e-4, atol=1e-4)


def test_nothing_is_learnt_by_warming_up() -> None:
    model = network()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    warm_up(model, field_bits(model, compiled=False), [SHAPE], compiled=False)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize(
    ("error", "compiled", "advice"),
    [
        (torch.OutOfMemoryError("16 GiB"), True, "a pass of 48 events .* --micro-events"),
        (RuntimeError("no gcc"), True, "cannot compile .* --no-compile"),
        (RuntimeError("no kernel"), False, "^cannot run the network here .no kernel.$"),
    ],
)
def test_what_stops_the_warming_up_is_told(error: Exception, compiled: bool, advice: str) -> None:
    def run(*tensors: Tensor) -> Tensor:
        raise error

    with pytest.raises(UserError, match=advice):
        warm_up(network(), run, [SHAPE], compiled=compiled)


@pytest.fixture
def _as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training on a CPU does not ask torch for its attention."""
    monkeypatch.setattr(musenet.attention, "_learning_on_cpu", lambda _: False)


@pytest.mark.usefixtures("_as_on_a_gpu")
def test_attention_that_is_preferred_gives_the_same() -> None:
    model, batch = network(), random_batch(SHAPE)
    expected = batch_bits(model, batch)
    for name in ("flash", "math", None):
        with attention(name):
            torch.testing.assert_close(batch_bits(model, batch), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("_as_on_a_gpu")
def test_the_fastest_attention_is_one_that_works() -> None:
    assert fastest_attention(network(), SHAPE, repeats=1) in ("flash", "math")


def test_the_fastest_attention_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 3.0, 0.0, 1.0, 0.0, 2.0])
    monkeypatch.setattr(passes, "_attention_seconds", lambda *_: next(times))
    assert fastest_attention(network(), SHAPE) == "flash"


def test_no_attention_that_fits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> float:
        raise torch.OutOfMemoryError("16 GiB")

    monkeypatch.setattr(passes, "_attention_seconds", full)
    with pytest.raises(UserError, match="--micro-events"):
        fastest_attention(network(), SHAPE)


def test_values_are_read_later() -> None:
    assert later(torch.tensor([1.0, 2.0]))() == [1.0, 2.0]
