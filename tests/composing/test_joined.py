from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from composers import random_composer
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from musenet.composing.composer import Composer
from musenet.composing.decoding import Stopped
from musenet.composing.joined import Joined
from musenet.composing.network import Eager, Ids, Network, Packed
from musenet.features import Features
from musenet.model import Cache, Model

WISHES = st.fixed_dictionaries(
    {
        "minutes": st.sampled_from([0.1, 0.2, 0.4]),
        "candidates": st.integers(1, 3),
        "seed": st.integers(0, 9),
        "instruments": st.sampled_from(["piano", ("violin", "cello"), ()]),
        "styles": st.sampled_from(["mozart", "jazz"]),
        "guidance": st.sampled_from([1.0, 1.0, 2.0]),
    }
)
LONG: Mapping[str, Any] = {"minutes": 1.0, "instruments": "piano"}


class Counted(Packed):
    """Tells of how many caches each step was."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.sizes: list[int] = []

    def step(self, ids: Ids, columns: Features, caches: Sequence[Cache]) -> Tensor:
        self.sizes.append(len(caches))
        return super().step(ids, columns, caches)


class Broken(Packed):
    """Breaks at its first step."""

    def step(self, ids: Ids, columns: Features, caches: Sequence[Cache]) -> Tensor:
        raise RuntimeError("out of order")


def together(composer: Composer, network: Network, wishes: Sequence[Mapping[str, Any]]) -> Any:
    """The files of each wish, composed at the same time, or what it raised."""
    composer.network = Joined(network)

    def files(wish: Mapping[str, Any]) -> Any:
        try:
            return [piece.midi for piece in composer.compose(**wish)]
        except (Stopped, RuntimeError) as error:
            return type(error)

    with ThreadPoolExecutor(len(wishes)) as pool:
        return list(pool.map(files, wishes))


def alone(composer: Composer, network: Network, wish: Mapping[str, Any]) -> list[bytes]:
    composer.network = network
    return [piece.midi for piece in composer.compose(**wish)]


@settings(max_examples=8, deadline=None)
@given(st.lists(WISHES, min_size=2, max_size=3))
def test_each_has_the_notes_that_it_has_alone(wishes: list[dict[str, Any]]) -> None:
    composer = random_composer()
    network = Packed(composer.model)
    expected = [alone(composer, network, wish) for wish in wishes]
    assert together(composer, network, wishes) == expected


def test_steps_are_taken_together() -> None:
    composer = random_composer()
    network = Counted(composer.model)
    alone(composer, network, LONG)
    rows = len(network.sizes)
    network.sizes.clear()
    together(composer, network, [{**LONG, "seed": seed} for seed in (0, 0, 0)])
    assert max(network.sizes) == 3
    assert sum(network.sizes) == 3 * rows
    assert len(network.sizes) < 2 * rows


def test_one_that_is_stopped_leaves_the_others() -> None:
    composer = random_composer()
    network = Counted(composer.model)
    stopped = {**LONG, "seed": 1, "stop": lambda: 2 in network.sizes}
    expected = alone(composer, network, LONG)
    network.sizes.clear()
    assert together(composer, network, [stopped, LONG]) == [Stopped, expected]
    assert 2 in network.sizes


def test_the_model_as_it_stands_takes_them_one_by_one() -> None:
    composer = random_composer()
    composer.model.dtype = torch.bfloat16
    network, wishes = Eager(composer.model), [{"minutes": 0.1, "seed": seed} for seed in (0, 1)]
    expected = [alone(composer, network, wish) for wish in wishes]
    assert together(composer, network, wishes) == expected


def test_a_fault_of_the_network_reaches_all() -> None:
    composer = random_composer()
    found = together(composer, Broken(composer.model), [LONG, {**LONG, "seed": 1}])
    assert found == [RuntimeError, RuntimeError]


def test_nobody_waits_for_one_that_has_left() -> None:
    composer = random_composer()
    network = composer.network = Joined(Packed(composer.model))
    with ThreadPoolExecutor(1) as other:
        other.submit(composer.compose, minutes=0.1).result()
        assert network._awaited
        other.submit(network.leave).result()
    assert not network._awaited
