"""Given notes ahead of time."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import restored

from musenet.condition import Condition
from musenet.events import REST, Table, encode, is_note, is_valid, to_ids
from musenet.features import GIVEN, moments_of
from musenet.given import AHEAD, anticipated, chosen_parts, drawn, melody, passages
from musenet.model import Model
from musenet.presets import tiny
from musenet.score import NOTE, Score, records, sort_notes
from musenet.training.batches import collate, sample
from musenet.windows import window

NOTES = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(1, 200), st.integers(40, 80), st.integers(0, 3)),
    min_size=1, max_size=50,
)  # fmt: skip


def table_of(notes: list[tuple[int, int, int, int]]) -> Table:
    rows = [(onset, length, pitch, 80, player) for onset, length, pitch, player in notes]
    return encode(Score(notes=sort_notes(records(NOTE, rows)), ticks_per_beat=24))


def sounding(table: Table, ticks: np.ndarray) -> set[tuple[int, ...]]:
    """All rows but rests, with the tick at which they sound."""
    kept = table[:, 1] != REST
    pairs = zip(ticks[kept].tolist(), table[kept, 1:].tolist(), strict=True)
    return {(tick, *row) for tick, row in pairs}


@settings(max_examples=80, deadline=None)
@given(NOTES, st.integers(0, 10_000))
def test_nothing_is_lost_and_given_notes_stand_ahead(
    notes: list[tuple[int, int, int, int]], seed: int
) -> None:
    table = table_of(notes)
    chosen = drawn(table, np.random.default_rng(seed))
    assert not chosen[~is_note(table)].any()
    ahead = anticipated(table, chosen)
    assert is_valid(ahead.table)
    ticks = np.cumsum(ahead.table[:, 0], dtype=np.int64)
    assert sounding(ahead.table, ticks + ahead.lead) == sounding(
        table, np.cumsum(table[:, 0], dtype=np.int64)
    )
    assert ahead.given.sum() == chosen.sum()
    assert (restored(ahead) == table).all()
    full = ahead.given & (ticks > 0)
    assert (ahead.lead[full] == AHEAD).all() and (ahead.lead[~ahead.given] == 0).all()


def test_without_given_notes_nothing_moves() -> None:
    table = table_of([(0, 24, 60, 0), (500, 24, 62, 1)])
    ahead = anticipated(table, np.zeros(len(table), dtype=bool))
    assert (ahead.table == table).all() and not ahead.given.any() and not ahead.lead.any()


def test_what_is_chosen() -> None:
    table = table_of([(24 * i, 24, 60 + 4 * j, j) for i in range(40) for j in range(3)])
    rng = np.random.default_rng(0)
    highest = melody(table)
    assert (table[highest, 1] == 2).all() and highest.sum() == 40
    parts = chosen_parts(table, rng)
    players = set(table[parts, 1].tolist())
    assert 0 < len(players) < 3
    assert (parts == np.isin(table[:, 1], list(players)) & is_note(table)).all()
    some = passages(table, rng, beats=(4, 8))
    assert 0.2 < some[is_note(table)].mean() < 0.8
    alone = table_of([(0, 24, 60, 0)])
    assert not chosen_parts(alone, rng).any()


def test_of_a_given_note_only_that_nothing_came_before_counts() -> None:
    torch.manual_seed(0)
    table = table_of([(0, 24, 60, 0), (40, 24, 62, 1), (300, 24, 64, 0)])
    chosen = is_note(table) & (table[:, 1] == 1)
    ahead = anticipated(table, chosen)
    item = sample(window(ahead.table, 0, len(ahead.table)), Condition(), np.nan, ahead=ahead)
    assert item.notes == 2
    row = int(np.flatnonzero(ahead.given)[0])
    assert item.features[row, GIVEN] == 1 and item.weights[row].tolist() == [1, 0, 0, 0, 0]
    assert item.features[row, 0] == 40
    model = Model(tiny())
    batch = collate([item])
    ids, columns = torch.as_tensor(batch.ids), torch.as_tensor(batch.features)
    with torch.no_grad():
        for output in model.heads.outputs:
            output.weight.normal_(std=0.3)
        nats = model(batch.conditions, ids, columns)[0, row, 0]
        plain = columns.clone()
        plain[..., GIVEN] = 0
        hidden = model.trunk(*model.embed(batch.conditions, ids, columns))[:, row + 4]
        chances = model.heads.logits(0, hidden).softmax(dim=-1)[0]
    wait = int(to_ids(ahead.table)[row, 0])
    assert torch.isclose(nats, -chances[wait:].sum().log(), atol=1e-5)
    assert moments_of(ahead.table).tick[row] == 0
