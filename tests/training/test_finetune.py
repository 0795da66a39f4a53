from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
import torch
from composers import random_model
from music import melody
from toys import toy_split

from musenet.adapters import Adapter
from musenet.corpus.shards import Split
from musenet.events import encode
from musenet.instruments import INSTRUMENTS
from musenet.training.finetune import (
    LOOKS,
    PATIENCE,
    SLOT,
    Learnt,
    Tuner,
    Tuning,
    compared,
    described,
    some,
)
from musenet.training.holdout import parted

CONTEXT = 128
FLUTE = [instrument.name for instrument in INSTRUMENTS].index("flute")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Split, Split]:
    tables = [encode(melody(seed, 60, instrument=FLUTE)) for seed in range(10)]
    folder = tmp_path_factory.mktemp("tunes")
    return parted(toy_split(folder, "train", tables, kind=[0] * 10), 0)


def learnt(
    parts: tuple[Split, Split], seen: list[Mapping[str, float]] | None = None, **changes: Any
) -> Learnt:
    tuning = Tuning(**{"steps": 24, "batch_events": 256, "window": 64, **changes})
    tuner = Tuner(random_model(), *parts, tuning, context=CONTEXT)
    return tuner.fit(seen.append if seen is not None else lambda facts: None)


def test_held_out_pieces_gain_and_the_model_stays(parts: tuple[Split, Split]) -> None:
    model = random_model()
    before = deepcopy(model.state_dict())
    tuning = Tuning(steps=24, batch_events=256, window=64, learning_rate=0.02)
    best = Tuner(model, *parts, tuning, context=CONTEXT).fit(lambda facts: None)
    own = Adapter("x", "y", best.embedding, best.factors, {})
    told = compared(model, own.halved(), None, parts[1], CONTEXT)
    assert told["bits_after"] < 0.9 * told["bits_before"]
    assert told["bits_after"] == pytest.approx(best.bits, rel=0.02)
    assert told["held_pieces"] == 2
    assert told["held_notes"] == 120
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_the_same_seed_learns_the_same(parts: tuple[Split, Split]) -> None:
    one, other, another = (learnt(parts, steps=3, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one.embedding, other.embedding)
    assert not torch.equal(one.embedding, another.embedding)
    for name, (up, down) in one.factors.items():
        assert torch.equal(up, other.factors[name][0])
        assert torch.equal(down, other.factors[name][1])


def test_the_best_look_is_kept_and_it_ends_when_nothing_is_gained(
    parts: tuple[Split, Split],
) -> None:
    seen: list[Mapping[str, float]] = []
    best = learnt(parts, seen, steps=240, learning_rate=30.0)
    looks = [facts["bits"] for facts in seen if "bits" in facts]
    assert best.bits == min(looks)
    assert looks.index(best.bits) == len(looks) - 1 - PATIENCE
    assert len(looks) < 1 + LOOKS


def test_told_to_stop_it_gives_the_best_so_far(parts: tuple[Split, Split]) -> None:
    tuner = Tuner(random_model(), *parts, Tuning(minutes=60, window=64), context=CONTEXT)
    best = tuner.fit(lambda facts: None, stop=lambda: True)
    assert tuner.step == 1
    assert best.step in (0, 1)


def test_time_ends_it(parts: tuple[Split, Split]) -> None:
    tuner = Tuner(random_model(), *parts, Tuning(minutes=1e-6, window=64), context=CONTEXT)
    tuner.fit(lambda facts: None)
    assert tuner.step == 1


def test_it_may_begin_with_a_known_style(parts: tuple[Split, Split]) -> None:
    model = random_model()
    tuner = Tuner(model, *parts, Tuning(), context=CONTEXT, like=model.style.weight[3].detach())
    assert torch.equal(tuner.model.style.weight[SLOT], model.style.weight[3])
    assert torch.equal(
        Tuner(model, *parts, Tuning(), context=CONTEXT).model.style.weight[SLOT],
        torch.zeros(model.config.width),
    )


def test_what_a_file_tells_of_its_pieces(parts: tuple[Split, Split]) -> None:
    told = described(parts[0])
    assert told == {
        "pieces": 8,
        "notes": 480,
        "kind": 1,
        "ensembles": [[["flute"], 8]],
        "keys": {"none": 8},
        "metres": {"4/4": 8},
        "tempi": {"90.1": 8},
    }


def test_some_pieces_of_many(parts: tuple[Split, Split]) -> None:
    train = parts[0]
    assert len(some(train, 10**6)) == len(train)
    assert len(some(train, 1)) == 1
    assert some(train, 200).pieces["events"].sum() <= 200
