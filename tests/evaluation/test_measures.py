import math

import pytest
from hypothesis import given
from music import melody, together
from strategies import scores

from musenet.evaluation.measures import MEASURES, YES_NO, measures
from musenet.events import decode, encode
from musenet.instruments import DRUMS
from musenet.score import Score, resample

SHARES = [name for name, measure in MEASURES.items() if measure.unit == "share"]


@given(scores(max_beats=300))
def test_every_score_has_every_measure(score: Score) -> None:
    found = measures(score)
    assert list(found) == list(MEASURES)
    for name, value in found.items():
        assert not math.isinf(value)
        if name in SHARES and not math.isnan(value):
            assert -1e-9 <= value <= 1 + 1e-9
        if MEASURES[name].unit == YES_NO:
            assert math.isnan(value) or value in (0.0, 1.0)


def test_of_nothing() -> None:
    found = measures(Score())
    assert found.pop("instruments") == 0
    assert all(math.isnan(value) for value in found.values())


def test_the_resolution_does_not_matter() -> None:
    score = melody(3, 200)
    coarse = measures(resample(score, 24))
    for name, value in measures(score).items():
        if name != "groove_consistency":
            assert coarse[name] == pytest.approx(value, nan_ok=True), name


def test_what_a_source_does_not_tell_is_not_measured() -> None:
    score = decode(encode(together([melody(1, 400), melody(2, 400, instrument=DRUMS)])))
    full = measures(score)
    assert not any(map(math.isnan, full.values()))
    for needs, options in (("tempo", {"tempos": False}), ("beats", {"beats": False})):
        found = measures(score, **options)
        for name, measure in MEASURES.items():
            left_out = measure.needs == needs or (needs == "beats" and measure.needs == "tempo")
            assert math.isnan(found[name]) == left_out
            assert left_out or found[name] == full[name]
