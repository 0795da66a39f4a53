from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from composers import random_model
from music import melody
from torch import Tensor

from musenet.composing.engine import Engine
from musenet.composing.network import Packed, network_of
from musenet.condition import Condition, stack
from musenet.events import FIELDS, Table, encode, to_ids
from musenet.features import features, moments_of
from musenet.model import Model
from musenet.presets import ModelConfig, tiny
from musenet.windows import window

CONDITION = Condition(styles=((3, 1.0),), instruments=(0, 15), key=4, kind=1)
SECONDS, CONTEXT, ROWS = 90.0, 32, 80
CONFIGS = {
    "rotary": tiny(),
    "learned": replace(tiny(), positions="learned", activation="gelu", musical_time=False),
    "ungrouped": replace(tiny(), kv_heads=2),
}


def tables(count: int) -> list[Table]:
    return [encode(melody(seed, 140, instrument=15 * (seed % 2)))[:ROWS] for seed in range(count)]


def streamed(
    model: Model, pieces: Sequence[Table], opening: int, candidates: int, context: int = CONTEXT,
    *, half: bool = False,
) -> Iterator[Tensor]:  # fmt: skip
    """The hidden states after the opening and after each row behind it."""
    engine = Engine(Packed(model, half=half), CONDITION, candidates, context, SECONDS)
    stacked = np.stack(pieces)
    columns = np.stack([features(moments_of(piece), SECONDS) for piece in pieces])
    yield engine.begin(pieces[0][:opening])
    for rows in range(opening + 1, ROWS + 1):
        yield engine.append(stacked[:, :rows], columns[:, rows - 1])


@torch.inference_mode()
def recomputed(model: Model, piece: Table, start: int, rows: int) -> Tensor:
    """The hidden state behind a window, without any cache."""
    view = window(piece, start, rows)
    columns = np.concatenate([features(view.moments, SECONDS), view.echoes], axis=1)
    ids, moments = torch.from_numpy(to_ids(view.table)[None]), torch.from_numpy(columns[None])
    return model.trunk(*model.embed(stack([CONDITION], [view.begins]), ids, moments))[:, -1]


def starts(opening: int, context: int = CONTEXT) -> Iterator[int]:
    """Where the window begins after the opening and after each row behind it."""
    start = 0 if opening < context else opening - context // 2
    held = opening - start + (2 if start else 0)
    yield start
    for rows in range(opening + 1, ROWS + 1):
        held += 1
        if held > context:
            start = rows - context // 2
            held = rows - start + 2
        yield start


def logits(model: Model, hidden: Tensor) -> Tensor:
    """Scores of all fields, the first value being chosen in each."""
    scores, chosen = [], torch.zeros(len(hidden), dtype=torch.long)
    with torch.inference_mode():
        for field in range(len(FIELDS)):
            scores.append(model.heads.logits(field, hidden))
            if field + 1 < len(FIELDS):
                hidden = model.heads.choose(field, hidden, chosen, None)
    return torch.cat(scores, dim=-1)


@pytest.mark.parametrize("opening", [0, 31, 32, 33, 60])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_cache_says_what_reading_the_window_anew_says(name: str, opening: int) -> None:
    config: ModelConfig = CONFIGS[name]
    model = random_model(1, config=config)
    piece = tables(1)[0]
    windows = list(starts(opening))
    assert len(set(windows)) > 1
    hidden_states = streamed(model, [piece], opening, 1)
    for rows, start, hidden in zip(range(opening, ROWS + 1), windows, hidden_states, strict=True):
        expected = logits(model, recomputed(model, piece, start, rows))
        assert torch.allclose(logits(model, hidden), expected, atol=1e-4)


def test_candidates_stand_in_a_batch_as_they_do_alone() -> None:
    model, pieces = random_model(2), tables(3)
    shared = 4
    for piece in pieces:
        piece[:shared] = pieces[0][:shared]
    together = [logits(model, hidden) for hidden in streamed(model, pieces, shared, 3)]
    for place, piece in enumerate(pieces):
        alone = [logits(model, hidden) for hidden in streamed(model, [piece], shared, 1)]
        for row, scores in zip(together, alone, strict=True):
            assert torch.allclose(row[place], scores[0], atol=1e-4)


def test_candidates_that_differ_are_told_apart() -> None:
    model, pieces = random_model(2), tables(2)
    last = list(streamed(model, pieces, 0, 2))[-1]
    assert not torch.allclose(last[0], last[1], atol=1e-2)


def test_decoding_keeps_no_gradients() -> None:
    engine = Engine(network_of(random_model()), CONDITION, 1, CONTEXT, SECONDS)
    assert engine.begin(tables(1)[0][:5]).grad_fn is None


@pytest.mark.parametrize("opening", [10, 45])
def test_rows_that_are_not_seen_change_nothing(opening: int) -> None:
    """Neither at the beginning nor when the window slides; what the others have stays."""
    piece = tables(1)[0]
    columns = features(moments_of(piece), SECONDS)
    seen = np.arange(opening) % 7 < 4
    seen[:2] = True
    other = piece.copy()
    other[np.flatnonzero(~seen), 4] = 9

    def states(table: Table, mask: np.ndarray | None) -> list[Tensor]:
        network = Packed(random_model(0), half=False)
        engine = Engine(network, CONDITION, 1, CONTEXT, SECONDS, seen=mask)
        found = [engine.begin(table[:opening])]
        return found + [
            engine.append(table[None, :rows], columns[None, rows - 1])
            for rows in range(opening + 1, ROWS + 1)
        ]

    hidden, same = states(piece, seen), states(other, seen)
    torch.testing.assert_close(torch.cat(hidden), torch.cat(same))
    assert not torch.allclose(torch.cat(hidden), torch.cat(states(other, None)))
