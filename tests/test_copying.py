from dataclasses import replace

import numpy as np
import pytest
import torch

from musenet.copying import COPY, POINTERS, TAUGHT, Copies, Told, comes_again
from musenet.echoes import NO_ECHO, ROW_WIDTH, no_echoes
from musenet.events import END, FIELDS, MAX_WAIT, NO_PITCH, REST, SIZES
from musenet.features import COLUMNS, features, moments_of
from musenet.instruments import DRUMS
from musenet.quantise import DURATIONS, VELOCITIES

ROWS = 64


def random_scores(field: int) -> torch.Tensor:
    return torch.randn(ROWS, SIZES[field], generator=torch.Generator().manual_seed(field))


def random_echoes(field: int) -> np.ndarray:
    """Pointers that are open or not, and point at few values."""
    rng, made = np.random.default_rng(field), no_echoes(ROWS)
    made[:, 0] = rng.integers(0, 2, ROWS)
    for pointer in range(POINTERS):
        begin = len(NO_ECHO) - len(FIELDS) * (POINTERS - pointer)
        made[:, begin + 1] = rng.choice([REST, 0], ROWS)
        made[:, begin + field] = rng.integers(0, 3, ROWS) if field != 1 else made[:, begin + 1]
    return made


def told(echoes: np.ndarray, pointers: int = POINTERS) -> Told:
    """Of the events that follow rows, each alone in its window."""
    columns = torch.zeros((ROWS, 2, ROW_WIDTH), dtype=torch.int32)
    columns[:, 0, len(COLUMNS) :] = torch.from_numpy(echoes)
    return Told.by(columns, pointers)


def test_no_event_has_a_value_that_stands_for_a_copy() -> None:
    for place, above in enumerate((MAX_WAIT, DRUMS, NO_PITCH, len(DURATIONS), len(VELOCITIES))):
        assert all(above < copy < SIZES[place] for copy in COPY[place])
    assert max(COPY[1]) < REST < END


@pytest.mark.parametrize("pointers", range(POINTERS + 1))
@pytest.mark.parametrize("field", range(len(FIELDS)))
def test_what_is_given_to_copying_goes_to_what_is_copied(field: int, pointers: int) -> None:
    scores, echoes = random_scores(field), random_echoes(field)
    chances = Copies(echoes, pointers).merged(field, scores.numpy()).astype(np.float64)
    chances = np.exp(chances) / np.exp(chances).sum(axis=1, keepdims=True)
    assert (chances[:, COPY[field]] == 0.0).all()
    by = told(echoes, pointers)
    shut = by.shut(scores[:, None].repeat(1, 2, 1), field)
    for value in range(4):
        nats, after = by.nats(shut, field, torch.full((ROWS, 2), value))
        assert np.allclose(nats[:, 1].numpy(), -np.log(chances[:, value]), atol=1e-4)
        same = by.ids[..., field] == value
        assert torch.equal(after.open, by.open & same)
    plain = torch.from_numpy(np.delete(scores.numpy(), COPY[field], axis=1)).softmax(dim=-1)
    alone = ~by.open[:, 1].any(dim=-1).numpy()
    assert alone.any()
    rest = np.delete(chances, COPY[field], axis=1)
    assert np.allclose(rest[alone], plain.numpy()[alone], atol=1e-6)


def test_right_copies_of_pitches_are_learnt_once_more_where_passages_come_again() -> None:
    scores = random_scores(2)[:, None].repeat(1, 2, 1).requires_grad_()
    by, value = told(random_echoes(2)), torch.ones((ROWS, 2), dtype=torch.int64)
    taught = torch.arange(2 * ROWS).view(ROWS, 2) % 3 > 0
    by = replace(by, taught=taught)
    shut = by.shut(scores, 2)
    nats, right = by.nats(shut, 2, value)
    learnt = torch.autograd.grad(nats.sum(), scores, retain_graph=True)[0]
    chances = shut.softmax(dim=-1)
    copied = (chances[..., COPY[2]] * right.open).sum(dim=-1)
    plain = -(chances[..., 1] + copied).log()
    assert torch.allclose(nats, plain, atol=1e-5)
    once_more = -torch.where(taught & (copied > 0.0), copied, 1.0).log()
    expected = torch.autograd.grad((plain + TAUGHT * once_more).sum(), scores)[0]
    assert torch.allclose(learnt, expected, atol=1e-6)
    assert learnt.isfinite().all()


def test_passages_come_again_every_fourth_bar() -> None:
    table = np.array([(24 * (row > 0), 0, 60 + row, 8, 8) for row in range(40)], dtype=np.uint8)
    columns = features(moments_of(table), 20.0)
    expected = np.arange(40) % 16 == 0
    assert np.array_equal(comes_again(columns), expected)
    assert np.array_equal(comes_again(torch.from_numpy(columns)).numpy(), expected)
    silent = features(moments_of(table), 20.0, beat_known=False)
    assert not comes_again(silent).any()


def test_what_parts_from_a_pointer_copies_no_more() -> None:
    echoes = no_echoes(3)
    echoes[:, 0], echoes[:, 3], echoes[:, 4] = (1, 1, 0), 24, 7
    copies = Copies(echoes, POINTERS)
    copies.follow(0, np.array([24, 12, 24]))
    merged = copies.merged(1, np.zeros((3, SIZES[1]), dtype=np.float32))
    assert merged[0, 7] == pytest.approx(np.log(2.0))
    assert (merged[1:, 7] == 0.0).all()


def test_events_are_foretold_by_the_echo_of_the_row_before() -> None:
    columns = torch.zeros((1, 3, ROW_WIDTH), dtype=torch.int32)
    columns[0, :, len(COLUMNS)] = torch.tensor([8, 0, 4])
    columns[0, :, -15:] = torch.arange(45).view(3, 15)
    by = Told.by(columns, POINTERS)
    assert by.open[0].tolist() == [[False] * 3, [True] * 3, [False, True, True]]
    assert by.ids[0, 1].tolist() == np.arange(15).reshape(3, 5).tolist()
