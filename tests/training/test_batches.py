from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import toy_split, toy_tables

from musenet.condition import KEYS, SOURCES, Condition
from musenet.corpus.shards import Split
from musenet.echoes import echoes
from musenet.events import END, METRE_EVENT, TEMPO_EVENT, Table, encode, is_note, to_ids
from musenet.features import COLUMNS, NO_BEAT, NO_COUNTDOWN, NO_PART, features, moments_of
from musenet.instruments import DRUMS
from musenet.score import NOTE, Score, records
from musenet.training import batches
from musenet.training.augment import NONE, Augmentation
from musenet.training.batches import (
    LENGTH_STEP,
    Batch,
    Sample,
    collate,
    draw,
    sample,
    step_batches,
)
from musenet.training.mixture import piece_weights
from musenet.windows import window

CONTEXT = 32


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    tables = toy_tables(12)
    styles = [[1, 2, -1, -1]] * len(tables)
    return toy_split(tmp_path_factory.mktemp("toys"), "train", tables, styles=styles)


def batches_of(split: Split, **changes: Any) -> list[Batch]:
    settings: dict[str, Any] = {
        "seed": 0,
        "step": 0,
        "events": 300,
        "context": CONTEXT,
        "augmentation": Augmentation(),
    } | changes
    return step_batches(split, piece_weights(split, CONTEXT), **settings)


def same(some: list[Batch], other: list[Batch]) -> bool:
    def parts(batches: list[Batch]) -> list[bytes]:
        return [
            getattr(part, field.name).tobytes()
            for batch in batches
            for part in (batch, batch.conditions)
            for field in fields(part)
            if isinstance(getattr(part, field.name), np.ndarray)
        ]

    return parts(some) == parts(other)


# A step


def test_batches_follow_from_seed_and_step_alone(split: Split) -> None:
    before = batches_of(split, seed=3, step=5)
    batches_of(split, seed=3, step=6)
    assert same(before, batches_of(split, seed=3, step=5))
    assert not same(before, batches_of(split, seed=3, step=6))
    assert not same(before, batches_of(split, seed=4, step=5))


def test_workers_have_windows_of_their_own(split: Split) -> None:
    assert same(batches_of(split), batches_of(split, worker=0))
    assert not same(batches_of(split), batches_of(split, worker=1))
    assert same(batches_of(split, worker=1), batches_of(split, worker=1))


def test_a_step_has_about_the_events_asked_for(split: Split) -> None:
    for step in range(20):
        rows = sum(batch.events for batch in batches_of(split, step=step))
        assert 300 - 2 * CONTEXT < rows < 300 + CONTEXT


def test_pieces_are_drawn_as_often_as_weighted(split: Split) -> None:
    weights = np.zeros(len(split))
    weights[3], weights[7] = 0.25, 0.75
    found = [0, 0]
    for step in range(30):
        for batch in step_batches(
            split, weights, seed=0, step=step, events=300, context=1024, augmentation=NONE
        ):
            for row in batch.ids:
                matches = [
                    np.array_equal(row[: len(split.table(piece))], to_ids(split.table(piece)))
                    for piece in (3, 7)
                ]
                assert any(matches)
                found[matches.index(True)] += 1
    assert 0.1 < found[0] / sum(found) < 0.4


def test_windows_of_unlike_length_are_apart(tmp_path: Path) -> None:
    tables = toy_tables(4, notes=20) + toy_tables(4, notes=600)
    split = toy_split(tmp_path, "train", tables)
    weights = np.full(8, 1 / 8)
    batches = step_batches(
        split, weights, seed=0, step=0, events=6_000, context=1024, augmentation=NONE
    )
    assert len(batches) > 1
    for batch in batches:
        lengths = (batch.weights[..., 0] > 0).sum(axis=1)
        assert batch.ids.shape[1] <= 1.5 * lengths.min() + 3 * LENGTH_STEP


# A window


def test_windows_are_crops_of_the_piece(split: Split) -> None:
    rng = np.random.default_rng(0)
    table = split.table(4)
    whole, total = to_ids(table), features(moments_of(table), np.nan)
    total = np.concatenate([total, echoes(table)], axis=1)
    begins = ends = 0
    for _ in range(200):
        item = draw(split, 4, CONTEXT, NONE, rng)
        assert len(item.ids) == CONTEXT
        fresh = item.weights[:, 0] > 0
        start = int(item.features[fresh][0, 0])
        where = next(
            at
            for at in np.flatnonzero(total[:, 0] == start)
            if np.array_equal(whole[at : at + int(fresh.sum())], item.ids[fresh])
        )
        assert np.array_equal(total[where : where + int(fresh.sum())], item.features[fresh])
        assert item.begins == (where == 0) == bool(fresh.all())
        begins += item.begins
        ends += where + int(fresh.sum()) == len(table)
    assert 20 < begins < 65
    assert 20 < ends < 75


def test_reminders_do_not_count(split: Split) -> None:
    view = window(split.table(0), 10, 30)
    item = sample(view, Condition(), np.nan)
    assert not item.weights[:2].any()
    assert item.weights[2:].all()
    assert item.notes == is_note(split.table(0)[10:30]).sum()


def test_the_ends_of_a_piece_count_more(split: Split) -> None:
    heavy = replace(NONE, openings=20.0, endings=8.0)
    rng = np.random.default_rng(0)
    seen = set()
    for item in [draw(split, 4, CONTEXT, heavy, rng) for _ in range(100)]:
        fresh = item.weights[:, 0] > 0
        ends = item.ids[-1, 1] == END
        away = np.arange(len(item.ids))
        expected = 1.0 + 20.0 * item.begins * np.exp(-away / 8.0)
        expected += 8.0 * ends * np.exp(-away[::-1] / 8.0)
        assert item.weights[fresh].max(axis=1) == pytest.approx(expected[fresh])
        assert collate([item]).events == fresh.sum()
        seen.add((item.begins, bool(ends)))
    assert seen == {(True, False), (False, True), (False, False)}
    plain = sample(window(split.table(4), 0, 20), Condition(), np.nan)
    assert (plain.weights == 1.0).all()


def test_a_short_piece_is_whole(split: Split) -> None:
    item = draw(split, 0, 1024, NONE, np.random.default_rng(0))
    assert item.begins
    assert np.array_equal(item.ids, to_ids(split.table(0)))


def test_a_guessed_tempo_does_not_count(split: Split) -> None:
    view = window(split.table(0), 0, 20)
    item = sample(view, Condition(), np.nan, tempo_known=False)
    tempo = view.table[:, 1] == TEMPO_EVENT
    assert tempo.any()
    assert not item.weights[tempo, 2].any()
    assert item.weights[tempo][:, [0, 1, 3, 4]].all()
    assert item.weights[view.table[:, 1] == METRE_EVENT].all()


def test_a_piece_without_beat_has_no_place_in_the_bar(tmp_path: Path) -> None:
    kind = 2 * SOURCES.index("beatless")
    split = toy_split(tmp_path, "train", toy_tables(1), kind=[kind])
    item = draw(split, 0, 1024, NONE, np.random.default_rng(0))
    assert (item.features[:, 5] == NO_BEAT).all()


def test_the_length_told_is_near_the_true_one(split: Split) -> None:
    rng = np.random.default_rng(0)
    last = []
    for _ in range(200):
        item = draw(split, 0, 1024, Augmentation(tempo=0), rng)
        told = item.features[:, 2] != NO_PART
        assert told.all() or not told.any()
        assert np.array_equal(told, item.features[:, 3] != NO_COUNTDOWN)
        last.append(item.features[-1, 2] if told.all() else -1)
    parts = np.array(last)
    assert 10 < (parts < 0).sum() < 55
    assert (parts[parts >= 0] > 110).all()
    assert len(set(parts)) > 5


def test_the_key_told_moves_with_the_notes(tmp_path: Path) -> None:
    split = toy_split(tmp_path, "train", toy_tables(1), key=[0])
    rng = np.random.default_rng(0)
    table = split.table(0)
    first = int(np.flatnonzero(is_note(table))[0])
    keys = set()
    for _ in range(50):
        item = draw(split, 0, 1024, Augmentation(drop_key=0.0, give=0.0, show_key=0.0), rng)
        moved = int(item.ids[first, 2]) - int(table[first, 2])
        assert item.condition.key == moved % 12
        keys.add(item.condition.key)
    assert len(keys) > 4


def test_the_key_shown_is_that_of_each_bar_and_changes_with_it(tmp_path: Path) -> None:
    split = toy_split(tmp_path, "train", [_cadences(40)], key=[0])
    rng, keys = np.random.default_rng(0), set()
    always = Augmentation(drop_key=0.0, give=0.0, orchestrate=0.0, show_key=1.0, modulate=1.0)
    for _ in range(20):
        item = draw(split, 0, 1024, always, rng)
        notes = item.ids[:, 1] <= DRUMS
        told, lowest = item.features[notes, COLUMNS.index("key")], item.ids[notes, 2]
        assert item.condition.key == KEYS
        assert set(((lowest - told) % 12).tolist()) <= {0, 2, 4, 5, 7, 9, 11}
        keys |= set(told.tolist())
    assert len(keys) > 4


def _cadences(count: int) -> Table:
    """Bars of tonic, subdominant, dominant and tonic in C major."""
    chords = [(60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67)]
    rows = [
        (96 * bar, 96, pitch, 80, 0) for bar in range(count) for pitch in chords[bar % len(chords)]
    ]
    return encode(Score(records(NOTE, rows), ticks_per_beat=24))


# Padding


def test_padding_does_not_count(split: Split) -> None:
    items = [sample(window(split.table(0), 0, n), Condition(), np.nan) for n in (5, 40)]
    batch = collate(items)
    assert batch.ids.shape == (2, LENGTH_STEP, 5)
    assert batch.events == 45
    assert batch.notes == sum(item.notes for item in items)
    assert batch.weights[0, 5:].sum() == batch.weights[1, 40:].sum() == 0
    assert np.array_equal(batch.ids[1, :40], items[1].ids)
    assert np.array_equal(batch.features[1, :40], items[1].features)
    assert batch.conditions.start.tolist() == [1, 1]


def test_a_sample_alone_is_padded_too(split: Split) -> None:
    item: Sample = sample(window(split.table(0), 10, 20), Condition(), np.nan)
    batch = collate([item])
    assert batch.ids.shape == (1, LENGTH_STEP, 5)
    assert batch.conditions.start.tolist() == [0]
    assert batch.conditions.key.tolist() == [KEYS]


def test_what_begins_every_fourth_bar_counts_more_but_for_when_it_comes() -> None:
    notes = [(24, 0, 60, 12, 16)] * 40
    table = np.array([(0, 0, 60, 12, 16), *notes, (24, END, 0, 0, 0)], dtype=np.uint8)
    plain = sample(window(table, 0, len(table)), Condition(), np.nan)
    weights = batches._weighed(plain, replace(NONE, phrases=4.0)).weights
    first = np.arange(len(table)) % 16 == 0
    assert (weights[:, 0] == 1.0).all()
    assert (weights[first, 1:] == 5.0).all() and (weights[~first, 1:] == 1.0).all()
    untold = sample(window(table, 0, len(table)), Condition(), np.nan, beat_known=False)
    assert (batches._weighed(untold, replace(NONE, phrases=4.0)).weights == 1.0).all()
