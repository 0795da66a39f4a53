from pathlib import Path

import pytest
import torch
from composers import random_model
from toys import toy_tables

from musenet.composing.critic import (
    Critic,
    InnerCritic,
    _windows,
    load_critic,
    pool,
    save_critic,
    states_of,
)
from musenet.condition import Condition
from musenet.errors import UserError

PIANO = Condition(instruments=(0,))


def critic(context: int = 32) -> InnerCritic:
    model = random_model(0)
    return InnerCritic(model, some_critic(2 * model.config.width), context)


def some_critic(size: int) -> Critic:
    torch.manual_seed(1)
    made = Critic(torch.randn(size), torch.rand(size) + 0.5, torch.randn(size), torch.ones(size))
    torch.nn.init.normal_(made.weight, std=0.1)
    return made.requires_grad_(False).eval()


@pytest.mark.parametrize("context", [8, 32, 500])
def test_windows_hold_every_row_once(context: int) -> None:
    table = toy_tables(1, notes=60)[0]
    windows = _windows(table, PIANO, 20.0, context)
    rows = sum(int(item.weights[:, 0].sum()) for item in windows)
    assert rows == len(table)
    assert max(int(item.weights[:, 0].sum()) for item in windows) <= context
    assert windows[0].begins


def test_a_window_alone_has_the_states_that_it_has_among_others() -> None:
    tables = toy_tables(3)
    model = random_model(0)
    windows = [_windows(table, PIANO, 20.0, 500)[0] for table in tables]
    for alone, among in zip(
        (states_of(model, [each])[0] for each in windows), states_of(model, windows), strict=True
    ):
        assert alone.shape == among.shape
        torch.testing.assert_close(alone, among, rtol=1e-4, atol=1e-4)


def test_an_opinion_judges_the_whole_piece() -> None:
    table = toy_tables(1, notes=60)[0]
    judge = critic()
    whole = judge.opinion(table, PIANO, 20.0)
    changed = table.copy()
    changed[10, 4] += 1
    assert 0 < whole.human < 1
    assert whole.strangeness > 0
    assert judge.opinion(changed, PIANO, 20.0) != whole


def test_states_are_pooled_to_mean_and_deviation() -> None:
    states = torch.tensor([[1.0, 5.0], [3.0, 5.0]])
    torch.testing.assert_close(pool(states), torch.tensor([2.0, 5.0, 1.0, 0.0]))


def test_a_critic_that_has_learned_nothing_is_undecided() -> None:
    fresh = Critic(*(torch.zeros(6), torch.ones(6)) * 2)
    torch.testing.assert_close(fresh(torch.randn(4, 6)), torch.zeros(4))


def test_strangeness_is_the_mean_square_on_the_scale_of_human_pieces() -> None:
    usual, spread = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 4.0])
    critic = Critic(torch.zeros(2), torch.ones(2), usual, spread)
    assert float(critic.strangeness(usual)) == 0.0
    states = torch.tensor([[1.5, 2.0], [1.0, -6.0], [0.0, 6.0]])
    torch.testing.assert_close(critic.strangeness(states), torch.tensor([0.5, 2.0, 2.5]))


def test_a_critic_is_written_and_read_whole_for_its_weights_alone(tmp_path: Path) -> None:
    path, head = tmp_path / "critic.safetensors", some_critic(64)
    save_critic(path, head, "abc", {"places": 3})
    again, facts = load_critic(path, "abc")
    states = torch.randn(5, 64)
    torch.testing.assert_close(again(states), head(states))
    torch.testing.assert_close(again.strangeness(states), head.strangeness(states))
    assert facts == {"places": 3}
    with pytest.raises(UserError, match="other weights"):
        load_critic(path, "def")
    with pytest.raises(UserError, match="no model"):
        load_critic(tmp_path / "none.safetensors", "abc")
