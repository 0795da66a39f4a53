from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import toy_split, toy_tables

from musenet.corpus.shards import Split
from musenet.events import to_ids
from musenet.training.augment import NONE, Augmentation
from musenet.training.batches import Batch
from musenet.training.shapes import Shape, shaped_batches, shapes

PASSES = (Shape(4, 64), Shape(2, 128))


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    tables = toy_tables(3, notes=20) + toy_tables(3, notes=300, seed=9)
    return toy_split(tmp_path_factory.mktemp("toys"), "train", tables)


def drawn(split: Split, weights: Any = None, **changes: Any) -> list[Batch]:
    settings: dict[str, Any] = {
        "seed": 0, "step": 0, "events": 1024, "passes": PASSES, "augmentation": NONE
    } | changes  # fmt: skip
    return shaped_batches(split, np.full(6, 1 / 6) if weights is None else weights, **settings)


@given(st.integers(16, 5000), st.integers(16, 40_000), st.data())
def test_shapes_hold_a_pass_and_reach_the_longest_window(
    context: int, micro: int, data: st.DataObject
) -> None:
    longest = data.draw(st.integers(16, context))
    found = shapes(context, micro, longest)
    lengths = [shape.length for shape in found]
    assert lengths == sorted(set(lengths))
    assert lengths[-1] == longest
    assert all(shape.rows == max(1, micro // shape.length) for shape in found)


def test_shorter_windows_bring_no_new_shapes() -> None:
    whole = set(shapes(4096, 32_768))
    assert len(whole) == 5
    for share in (4, 2):
        assert set(shapes(4096, 32_768, 4096 // share)) <= whole


def test_every_batch_has_one_of_the_shapes_and_every_row_a_window(split: Split) -> None:
    for step in range(5):
        batches = drawn(split, step=step)
        assert len(batches) == 4
        for batch in batches:
            assert Shape(*batch.ids.shape[:2]) in PASSES
            assert (batch.lengths > 0).all()
            assert (batch.weights[..., 0].sum(axis=1) > 0).all()


def test_batches_follow_from_seed_step_and_worker(split: Split) -> None:
    def ids(**changes: Any) -> list[bytes]:
        return [batch.ids.tobytes() for batch in drawn(split, augmentation=AUGMENTED, **changes)]

    assert ids(step=3) == ids(step=3)
    assert len({tuple(ids(**own)) for own in ({}, {"seed": 1}, {"step": 1}, {"worker": 1})}) == 4


AUGMENTED = Augmentation()


def test_pieces_are_drawn_as_often_as_weighted_whatever_their_length(split: Split) -> None:
    weights = np.array([0.3, 0.0, 0.1, 0.0, 0.4, 0.2])
    found = np.zeros(6)
    known = {to_ids(split.table(piece))[:20].tobytes(): piece for piece in range(3)}
    for step in range(60):
        for batch in drawn(split, weights, step=step):
            for row, length in zip(batch.ids, batch.lengths, strict=True):
                piece = known.get(row[:20].tobytes()) if length < 64 else None
                found[5 if piece is None else piece] += 1
    found /= found.sum()
    np.testing.assert_allclose(found, [0.3, 0.0, 0.1, 0.0, 0.0, 0.6], atol=0.04)


def test_windows_of_one_length_alone(split: Split) -> None:
    weights = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    batches = drawn(split, weights, events=1)
    assert [batch.ids.shape[:2] for batch in batches] == [(4, 64)]
