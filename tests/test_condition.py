import numpy as np
import pytest

from musenet.condition import INSTRUMENT_SLOTS, KEYS, KINDS, STYLE_SLOTS, Condition, stack
from musenet.events import SIZES
from musenet.instruments import INSTRUMENTS
from musenet.key import NO_KEY
from musenet.styles import STYLES


def test_prompts_side_by_side() -> None:
    batch = stack([Condition(((3, 0.25), (7, 0.75)), (0, 15), 4, 2), Condition()], [True, False])
    assert batch.styles.shape == (2, STYLE_SLOTS)
    assert batch.styles[0, [3, 7]].tolist() == [0.25, 0.75]
    assert batch.styles.sum(axis=1).tolist() == [1.0, 0.0]
    assert np.flatnonzero(batch.instruments[0]).tolist() == [0, 15]
    assert not batch.instruments[1].any()
    assert batch.key.tolist() == [4, KEYS]
    assert batch.kind.tolist() == [2, KINDS]
    assert batch.start.tolist() == [1, 0]


def test_a_style_given_twice_counts_twice() -> None:
    assert stack([Condition(((3, 0.5), (3, 0.5)))], [True]).styles[0, 3] == pytest.approx(1.0)


def test_there_is_room_for_all_names() -> None:
    assert len(STYLES) <= STYLE_SLOTS
    assert len(INSTRUMENTS) <= INSTRUMENT_SLOTS == SIZES[1]
    assert KEYS == NO_KEY
