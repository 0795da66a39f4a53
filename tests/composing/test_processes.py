from __future__ import annotations

import os
import signal
import sys
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
from composers import random_model

from musenet.checkpoint import save_model
from musenet.composing.composer import Composer, load
from musenet.composing.decoding import Stopped
from musenet.composing.processes import usual
from musenet.errors import UserError

ASKED: dict[str, Any] = {"minutes": 0.2, "styles": "bach", "candidates": 3, "seed": 5}


@pytest.fixture(scope="module")
def composer(tmp_path_factory: pytest.TempPathFactory) -> Composer:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    save_model(path, random_model(), facts={"config": {"context": 64}})
    return load(path)


def test_candidates_are_the_same_for_any_number_of_processes(composer: Composer) -> None:
    heard: list[float] = []
    alone = composer.compose(**ASKED)
    shared = composer.compose(**ASKED, processes=2, progress=heard.append)
    assert [piece.midi for piece in shared] == [piece.midi for piece in alone]
    for one, other in zip(shared, alone, strict=True):
        told = {"notes_per_second": other.facts["notes_per_second"]}
        assert one.facts | told == other.facts
    assert heard
    assert max(heard) <= 60 * ASKED["minutes"]
    assert not active_children()


def test_a_piece_is_composed_again_alone(composer: Composer) -> None:
    for piece in composer.compose(**ASKED):
        assert composer.again(piece.midi).midi == piece.midi


def test_what_goes_wrong_in_another_process_is_told(composer: Composer, tmp_path: Path) -> None:
    moved = load(composer.path)
    moved.path = tmp_path / "gone.safetensors"
    with pytest.raises(UserError, match="gone"):
        moved.compose(**ASKED, processes=2)
    assert not active_children()


def test_what_cannot_be_had_is_told_at_once(composer: Composer) -> None:
    with pytest.raises(UserError, match="jaz"):
        composer.compose(**ASKED | {"styles": "jaz"}, processes=2)
    assert not active_children()


def test_a_process_that_is_ended_is_told_of(composer: Composer) -> None:
    def kill(_: float) -> None:
        for child in active_children():
            child.kill()

    with pytest.raises(UserError, match="--processes 1"):
        composer.compose(**ASKED, processes=2, progress=kill)


def test_who_listens_to_rows_hears_those_of_all_candidates(composer: Composer) -> None:
    heard: set[int] = set()
    composer.compose(**ASKED, processes=2, on_rows=lambda place, _: heard.add(place))
    assert heard == {0, 1, 2}


def test_interrupts_are_for_the_process_that_began_the_others(composer: Composer) -> None:
    def interrupt(_: float) -> None:
        for child in active_children():
            os.kill(child.pid or 0, signal.SIGINT)

    assert len(composer.compose(**ASKED, processes=2, progress=interrupt)) == 3


def test_all_processes_stop(composer: Composer) -> None:
    with pytest.raises(Stopped):
        composer.compose(**ASKED, processes=2, stop=lambda: len(active_children()) > 0)
    assert not active_children()


def test_as_many_processes_as_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert [usual(4, seconds) for seconds in (10.0, 30.0, 60.0, 600.0)] == [1, 2, 4, 4]
    assert usual(16, 240.0) == 8
    assert usual(1, 600.0) == 1
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert usual(4, 240.0) == 2
