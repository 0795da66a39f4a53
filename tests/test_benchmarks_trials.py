"""The experiments of benchmarks/: results are remembered, and their arithmetic holds."""

import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from toys import toy_corpus, toy_split, toy_tables

from musenet.checkpoint import save_model
from musenet.corpus.shards import PIECE, Split, open_split
from musenet.errors import UserError
from musenet.evaluation.likelihood import split_samples
from musenet.features import CONTROLLED, NOT_TOLD
from musenet.model import Model
from musenet.presets import tiny
from musenet.training.batches import Sample, draw
from musenet.training.settings import TrainingConfig


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


def a_trial(trials: ModuleType, size: str = "tiny", steps: int = 10) -> Any:
    return trials.Trial(TrainingConfig(trials.sized(size, 64), "corpus", steps=steps, context=64))


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


@pytest.mark.parametrize("size", ["tiny", "2x96"])
def test_every_variant_changes_one_thing_that_training_has(
    trials: ModuleType, ablations: ModuleType, size: str
) -> None:
    whole = a_trial(trials, size)
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


def variant(trials: ModuleType, ablations: ModuleType, name: str) -> TrainingConfig:
    (chosen,) = (own for own in ablations.VARIANTS if own.name == name)
    whole = trials.Trial(TrainingConfig(tiny(), "corpus", steps=10, context=64))
    found = chosen.of(whole, 0).training
    assert isinstance(found, TrainingConfig)
    return found


def windows(config: TrainingConfig, folder: Path) -> list[Sample]:
    styles = [[3, -1, -1, -1], [5, -1, -1, -1]] * 4
    split = toy_split(folder, "train", toy_tables(8), styles=styles)
    rng = np.random.default_rng(0)
    return [draw(split, i % 8, 64, config.augmentation, rng) for i in range(200)]


def test_no_style_told_tells_none(trials: ModuleType, ablations: Any, tmp_path: Path) -> None:
    config = variant(trials, ablations, "no style told")
    for window in windows(config, tmp_path):
        assert not window.condition.styles
        assert (window.features[:, CONTROLLED[4]] == NOT_TOLD[4]).all()


def test_no_instruments_told_tells_none(trials: ModuleType, ablations: Any, tmp_path: Path) -> None:
    config = variant(trials, ablations, "no instruments told")
    assert not any(window.condition.instruments for window in windows(config, tmp_path))


def test_no_controls_are_none(trials: ModuleType, ablations: Any, tmp_path: Path) -> None:
    config = variant(trials, ablations, "no controls, no given notes")
    assert set(config.model.blind) == {"chord", "density", "dynamics", "given", "key", "style"}
    for window in windows(config, tmp_path):
        assert (window.features[:, CONTROLLED] == NOT_TOLD).all()


def test_a_line_that_was_cut_short_is_written_anew(trials: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "trials.jsonl"
    assert trials.read_records(file) == []
    for key in "ab":
        trials.add_record(file, {"key": key, "name": "größer"})
    whole = file.read_bytes()
    for cut in (1, 5, len(whole) // 2 - 1):
        file.write_bytes(whole[:-cut])
        assert list(trials.Trials(tmp_path, "cpu").records) == ["a"]
        trials.add_record(file, {"key": "b", "name": "größer"})
        assert file.read_bytes() == whole


def test_guarantees_go_on_behind_a_line_that_was_cut_short(
    benchmarks: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    import common
    import guarantees

    for name in common._POOLS:
        monkeypatch.setenv(name, "1")
    save_model(tmp_path / "tiny.safetensors", Model(tiny()))
    log = tmp_path / "log.jsonl"
    kept = {
        "number": 0, "kind": "compose", "asked": {}, "given": "", "notes": 9, "new": 9,
        "seconds": 30.0, "forced": 0, "ended_by": None,
        "broken": dict.fromkeys(guarantees.CHECKS, ""),
    }  # fmt: skip
    log.write_text(json.dumps(kept) + '\n{"number": 1, "ki')
    arguments = ("--model", str(tmp_path / "tiny.safetensors"), "--prompts", "1", "--json")
    monkeypatch.setattr("sys.argv", ["guarantees.py", *arguments, "--log", str(log)])
    guarantees.main()
    assert json.loads(capsys.readouterr().out)["new notes"] == "9"
