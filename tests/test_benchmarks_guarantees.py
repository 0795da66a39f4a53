"""The random prompts of benchmarks/, what is found broken in a piece, and how chords fit."""

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from composers import random_composer

from musenet import midi
from musenet.chords import parse_chords
from musenet.score import METRE, NOTE, TEMPO, Score, records

BEAT = 24


@pytest.fixture
def guarantees(benchmarks: None) -> ModuleType:
    import guarantees

    return guarantees


@pytest.fixture
def harmony(benchmarks: None) -> ModuleType:
    import harmony

    return harmony


@pytest.fixture
def given(guarantees: ModuleType) -> Any:
    return guarantees.openings([])


def made(guarantees: ModuleType, kind: str, given: Any, **asked: Any) -> Any:
    """A task and its piece, by a model that has learned nothing."""
    name = "ode-to-joy" if kind in ("go on", "arrange") else ""
    task = guarantees.Task(0, kind, {"seed": 1, **asked}, name)
    piece = guarantees.composed(random_composer(), task, given)
    kept = task.kept(given)
    return guarantees.Made(task, None if kept is None else midi.load(kept), piece)


def broken(guarantees: ModuleType, one: Any) -> dict[str, str]:
    found = {name: check(one) for name, check in guarantees.CHECKS.items()}
    return {name.split()[0]: words for name, words in found.items() if words}


def with_notes(one: Any, rows: list[tuple[int, ...]]) -> Any:
    score = replace(one.score, notes=np.concatenate([one.score.notes, records(NOTE, rows)]))
    return replace(one, piece=replace(one.piece, score=score))


def test_prompts_are_of_all_kinds_and_always_the_same(guarantees: ModuleType, given: Any) -> None:
    tasks = [guarantees.drawn(number, 0, given) for number in range(60)]
    assert tasks == [guarantees.drawn(number, 0, given) for number in range(60)]
    assert {task.kind for task in tasks} == {"compose", "melody", "go on", "arrange"}
    asked = {name for task in tasks for name in task.asked}
    assert {"tempo", "metre", "key", "chords", "density", "dynamics", "sections", "at", "bars",
            "notes"} <= asked  # fmt: skip
    assert {len(task.asked.get("instruments", ())) for task in tasks} >= {1, 10}


def test_a_piece_that_keeps_all_breaks_nothing(guarantees: ModuleType, given: Any) -> None:
    asked = {"instruments": ["violin", "cello"], "minutes": 0.5, "tempo": 90.0, "metre": "3/4"}
    assert not broken(guarantees, made(guarantees, "compose", given, **asked))
    on = made(guarantees, "go on", given, at=4, minutes=0.5, instruments=["flute"])
    assert not broken(guarantees, on) and on.given is not None and on.new.any()


def test_what_is_wrong_is_found(guarantees: ModuleType, given: Any) -> None:
    one = made(guarantees, "compose", given, instruments=["violin"], minutes=0.5)
    intruder = with_notes(one, [(4000, 24, 200 % 128, 80, 0)])
    assert broken(guarantees, intruder)["no"] == "piano"
    assert broken(guarantees, with_notes(one, [(4000, 24, 20, 80, 15)]))["within"] == "1 notes"
    other = replace(one, task=replace(one.task, asked={**one.task.asked, "instruments": ["harp"]}))
    assert broken(guarantees, other)["each"] == "harp"
    longer = replace(one, task=replace(one.task, asked={**one.task.asked, "minutes": 0.6}))
    assert "length" in broken(guarantees, longer)


def test_given_notes_that_changed_are_counted(guarantees: ModuleType, given: Any) -> None:
    one = made(guarantees, "arrange", given, instruments=["flute"])
    assert "given" not in broken(guarantees, one)
    lost = replace(one.score, notes=one.score.notes[one.score.notes["onset"] > 0])
    found = broken(guarantees, replace(one, piece=replace(one.piece, score=lost)))
    assert found["given"] == "2 notes"
    filled = made(guarantees, "arrange", given, bars=[3, 4])
    assert "given" not in broken(guarantees, filled)


def test_notes_that_fit_their_chords(harmony: ModuleType) -> None:
    rows = [
        (0, 4 * BEAT, 60, 80, 0),
        (4 * BEAT, 4 * BEAT, 62, 80, 0),
        (4 * BEAT, 2 * BEAT, 60, 80, 0),
    ]
    score = Score(records(NOTE, rows), records(TEMPO, [(0, 90.0)]), records(METRE, [(0, 4, 4)]))
    found = harmony.fit(score, harmony._asked(score, "C | G"))
    assert found.notes == pytest.approx(2 / 3) and found.duration == pytest.approx(8 / 10)
    chords = harmony._asked(score, "C Am | N")
    assert chords.tolist() == 48 * [parse_chords("C").at(0, 0)] + 48 * [
        parse_chords("Am").at(0, 0)
    ] + 96 * [parse_chords("N").at(0, 0)]
    assert harmony.fit(score, chords).notes == 1.0
