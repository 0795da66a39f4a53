import numpy as np
import pytest
import torch

from musenet.copying import COPY, Copies, Told, with_copies
from musenet.echoes import ECHO_SIZES, no_echoes
from musenet.events import END, FIELDS, MAX_WAIT, NO_PITCH, REST, SIZES
from musenet.features import COLUMNS
from musenet.instruments import DRUMS
from musenet.quantise import DURATIONS, VELOCITIES

ROWS = 6


def random_scores(field: int) -> torch.Tensor:
    return torch.randn(ROWS, SIZES[field], generator=torch.Generator().manual_seed(field))


def told(field: int) -> torch.Tensor:
    return torch.arange(ROWS) % 4


def test_no_event_has_the_value_that_stands_for_a_copy() -> None:
    assert COPY[0] > MAX_WAIT
    assert DRUMS < COPY[1] < REST < END
    assert COPY[2] > NO_PITCH
    assert COPY[3] > len(DURATIONS)
    assert COPY[4] > len(VELOCITIES)
    assert all(copy < size for copy, size in zip(COPY, SIZES, strict=True))


@pytest.mark.parametrize("field", range(len(FIELDS)))
def test_what_is_given_to_copying_goes_to_what_is_copied(field: int) -> None:
    scores, own = random_scores(field), told(field)
    open_rows = torch.tensor([True, False] * (ROWS // 2))
    merged = with_copies(scores, field, own, open_rows).softmax(dim=-1)
    assert torch.allclose(merged.sum(dim=-1), torch.ones(ROWS))
    assert (merged[:, COPY[field]] == 0.0).all()
    plain = scores.softmax(dim=-1)
    each = torch.arange(ROWS)
    expected = plain[each, own] + plain[:, COPY[field]]
    assert torch.allclose(merged[each, own][open_rows], expected[open_rows])
    closed = plain / (1.0 - plain[:, COPY[field], None])
    assert torch.allclose(merged[each, own][~open_rows], closed[each, own][~open_rows])


@pytest.mark.parametrize("field", range(len(FIELDS)))
def test_composing_merges_as_training_does(field: int) -> None:
    scores, own = random_scores(field), told(field)
    echoes = no_echoes(ROWS)
    echoes[:, 0], echoes[:, 3 + field] = np.arange(ROWS) % 2, own.numpy()
    copies = Copies(echoes, copying=True)
    expected = with_copies(scores, field, own, torch.from_numpy(echoes[:, 0] > 0))
    assert np.allclose(copies.merged(field, scores.numpy()), expected.numpy(), atol=1e-6)
    never = Copies(echoes, copying=False).merged(field, scores.numpy())
    closed = with_copies(scores, field, own, torch.zeros(ROWS, dtype=torch.bool))
    assert np.array_equal(never, closed.numpy())


def test_what_parts_from_the_echo_copies_no_more() -> None:
    echoes = no_echoes(3)
    echoes[:, 0], echoes[:, 3] = (1, 1, 0), 24
    copies = Copies(echoes, copying=True)
    copies.follow(0, np.array([24, 12, 24]))
    scores = np.zeros((3, SIZES[1]), dtype=np.float32)
    merged = copies.merged(1, scores)
    assert merged[0, echoes[0, 4]] == pytest.approx(np.log(2.0))
    assert (merged[1:, echoes[1, 4]] == 0.0).all()


def test_events_are_foretold_by_the_echo_of_the_row_before() -> None:
    columns = torch.zeros((1, 3, len(COLUMNS) + len(ECHO_SIZES)), dtype=torch.int32)
    columns[0, :, len(COLUMNS)] = torch.tensor([8, 0, 4])
    columns[0, :, -5:] = torch.arange(15).view(3, 5)
    by = Told.by(columns)
    assert by.heard.tolist() == [[False, True, False]]
    assert by.ids[0, 1:].tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
