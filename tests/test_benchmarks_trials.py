"""The experiments of benchmarks/: results are remembered, and their arithmetic holds."""

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from toys import toy_corpus

from musenet.corpus.shards import PIECE, Split, open_split
from musenet.errors import UserError
from musenet.evaluation.likelihood import split_samples
from musenet.presets import PRESETS
from musenet.training.settings import TrainingConfig


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))


@pytest.fixture
def trials(benchmarks: None) -> ModuleType:
    import trials

    return trials


@pytest.fixture
def ablations(benchmarks: None) -> ModuleType:
    import ablations

    return ablations


@pytest.fixture
def scaling(benchmarks: None) -> ModuleType:
    import scaling

    return scaling


def corpus_of(works: list[int]) -> Split:
    pieces = np.zeros(len(works), dtype=PIECE)
    pieces["work"], pieces["events"] = works, 1
    pieces["offset"] = np.arange(len(works))
    table = np.arange(5 * len(works), dtype=np.uint8).reshape(-1, 5)
    return Split(table, pieces, tuple(f"piece {place}" for place in range(len(works))))


def a_trial(trials: ModuleType, steps: int = 10) -> Any:
    return trials.Trial(TrainingConfig(PRESETS["tiny"](), "corpus", steps=steps, context=64))


def test_a_share_of_the_works_takes_whole_works_and_shares_are_nested(trials: ModuleType) -> None:
    split = corpus_of([7, 3, 7, 9, 1, 3, 4, 8])
    previous: set[str] = set()
    for share, works in ((0.01, 1), (0.5, 3), (1.0, 6)):
        part = trials.some_works(split, share)
        chosen = set(part.pieces["work"].tolist())
        assert len(chosen) == works
        assert len(part) == sum(work in chosen for work in split.pieces["work"].tolist())
        for place, name in enumerate(part.names):
            original = split.names.index(name)
            assert np.array_equal(part.table(place), split.table(original))
        assert previous <= set(part.names)
        previous = set(part.names)


def test_a_trial_is_known_by_what_decides_it(trials: ModuleType) -> None:
    one = a_trial(trials)
    threads = replace(one, training=replace(one.training, threads=8))
    assert one.key == threads.key
    others = [
        a_trial(trials, steps=11),
        replace(one, share=0.5),
        replace(one, untold=("styles",)),
        replace(one, training=replace(one.training, seed=1)),
    ]
    assert len({trial.key for trial in [one, *others]}) == 5


def test_results_are_read_back_and_not_run_again(trials: ModuleType, tmp_path: Path) -> None:
    trial = a_trial(trials)
    bits = {"nothing told": {"all": 5.0}, "all told": {"all": 4.0}}
    record = {"key": trial.key, "bits_per_note": bits}
    (tmp_path / "trials.jsonl").write_text(json.dumps(record) + "\n", encoding="utf8")
    done = trials.Trials(tmp_path, "cpu")
    assert done.bits(trial, "all told") == 4.0
    assert done.bits(a_trial(trials, steps=11)) is None
    assert done.run([("again", trial)], stop=lambda: False)
    assert len(done.path.read_text(encoding="utf8").splitlines()) == 1


def test_a_trial_that_was_stopped_goes_on_to_the_same_result(
    trials: ModuleType, tmp_path: Path
) -> None:
    corpus = toy_corpus(tmp_path / "corpus")
    training = TrainingConfig(
        trials.sized("1x32", 64), str(corpus), steps=4, context=64, batch_events=128
    )
    trial = trials.Trial(training, scored=200)
    at_once = trials.Trials(tmp_path / "at once", "cpu")
    assert at_once.run([("one", trial)], lambda: False)
    asked = iter([False, True])
    assert not trials.Trials(tmp_path / "twice", "cpu").run([("one", trial)], lambda: next(asked))
    later = trials.Trials(tmp_path / "twice", "cpu")
    assert later.bits(trial) is None
    assert later.run([("one", trial)], lambda: False)
    assert later.result(trial)["bits_per_note"] == at_once.result(trial)["bits_per_note"]
    assert later.result(trial)["events"] == at_once.result(trial)["events"]
    assert trials.Trials(tmp_path / "twice", "cpu").bits(trial) == at_once.bits(trial)


def test_what_was_never_told_is_left_out_of_the_prompt(trials: ModuleType, tmp_path: Path) -> None:
    split = open_split(toy_corpus(tmp_path), "valid")
    (windows,) = split_samples(split, [0], 64, prompted=True)
    known = trials.without(windows[0], ("instruments",)).condition
    assert windows[0].condition.instruments and not known.instruments
    assert replace(known, instruments=windows[0].condition.instruments) == windows[0].condition


@pytest.mark.parametrize("size", ["huge", "2x", "0x96", "2x8", "2x96x3"])
def test_an_unknown_size_is_refused(trials: ModuleType, size: str) -> None:
    with pytest.raises(UserError, match="no size"):
        trials.sized(size, 64)


def test_every_variant_changes_one_thing_that_training_has(
    trials: ModuleType, ablations: ModuleType
) -> None:
    whole = a_trial(trials)
    changed = [variant.of(whole, 0).key for variant in ablations.VARIANTS]
    assert len({whole.key, *changed}) == 1 + len(changed)
    names = [variant.name for variant in ablations.VARIANTS]
    assert len(set(names)) == len(names)


def test_differences_are_between_equal_seeds_and_noise_shrinks_with_them(
    ablations: ModuleType,
) -> None:
    once = ablations.Outcome(((5.2, 5.0),))
    twice = ablations.Outcome(((5.2, 5.0), (6.2, 6.0)))
    assert once.difference == pytest.approx(0.2)
    assert twice.difference == pytest.approx(0.2)
    assert twice.mean == pytest.approx(5.7)
    assert once.spread is None
    assert twice.spread == pytest.approx(0.0)
    assert once.is_noise(0.12) and not twice.is_noise(0.12)


def test_a_power_law_is_found_again(scaling: ModuleType) -> None:
    amounts = [1e3, 3e4, 1e6]
    law = scaling.PowerLaw.fitted(amounts, [7.0 * amount**-0.08 for amount in amounts])
    assert law.factor == pytest.approx(7.0)
    assert law.exponent == pytest.approx(0.08)
    assert law(1e7) == pytest.approx(7.0 * 1e7**-0.08)
