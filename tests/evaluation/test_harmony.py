import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from music import SCALE, melody, then
from strategies import scores

from musenet.analysis.arrays import bars_of
from musenet.evaluation.harmony import fifths, harmony, key_drift, weights_between
from musenet.instruments import DRUMS
from musenet.key import key_of, pitch_class_weights
from musenet.score import NOTE, Score, records, transpose


def of(score: Score) -> dict[str, float]:
    return harmony(score, bars_of(score))


@given(scores(min_notes=1))
def test_entropy_and_scale_by_hand(score: Score) -> None:
    counted = Counter(int(n["pitch"]) % 12 for n in score.notes if n["instrument"] != DRUMS)
    total = sum(counted.values())
    found = of(score)
    if not total:
        assert math.isnan(found["pitch_class_entropy"])
        assert math.isnan(found["scale_consistency"])
        return
    entropy = -sum(n / total * math.log2(n / total) for n in counted.values())
    assert found["pitch_class_entropy"] == pytest.approx(entropy, abs=1e-9)
    minor = {0, 2, 3, 5, 7, 8, 10}
    best = max(
        sum(n for p, n in counted.items() if (p - tonic) % 12 in scale)
        for scale in (set(SCALE), minor)
        for tonic in range(12)
    )
    assert found["scale_consistency"] == pytest.approx(best / total)


@given(scores(min_notes=1), st.integers(-5, 6))
def test_transposition_changes_nothing(score: Score, semitones: int) -> None:
    notes = score.notes[(score.notes["pitch"] > 5) & (score.notes["pitch"] < 121)]
    score = Score(notes, score.tempos, score.metres, score.ticks_per_beat)
    before, after = of(score), of(transpose(score, semitones))
    for name in ("pitch_class_entropy", "scale_consistency", "key_clarity", "key_clarity_8_bars"):
        assert before[name] == pytest.approx(after[name], nan_ok=True)


@given(scores(max_beats=12), st.integers(1, 300))
def test_weights_are_those_of_the_parts(score: Score, edge: int) -> None:
    weights = weights_between(score, [0, edge, max(edge, score.end)])
    whole = pitch_class_weights(score) * score.ticks_per_beat
    assert np.allclose(weights.sum(axis=0), whole)
    long = [note for note in score.notes if note["onset"] + note["duration"] > edge]
    if not long:
        assert np.allclose(weights[0], whole)


def test_a_melody_in_c_stays_there() -> None:
    found = of(melody(2, 256))
    assert found["scale_consistency"] == 1.0
    assert found["key_clarity"] > 0.7
    steady = key_drift(melody(2, 256), [0, melody(2, 256).end])
    assert (steady["drift"], steady["distance"]) == (0.0, 0.0)


def test_a_quarter_in_another_key_is_a_quarter_of_drift() -> None:
    steps = (0, 4, 7, 0, 5, 9, 11, 2, 7, 0)
    notes = records(NOTE, [(24 * i, 24, 60 + step, 80, 0) for i, step in enumerate(3 * steps)])
    score = then(Score(notes), transpose(Score(notes[:10]), 6), rest=0, metre=None)
    drift = key_drift(score, [0, 240, 480, 720, 960])
    assert drift["drift"] == 0.25
    assert drift["distance"] == 1.5
    assert drift["clarity"] == pytest.approx(key_of(Score(notes))[1])


def test_fifths() -> None:
    c_major, a_minor, g_major, f_sharp, c_minor = 0, 21, 7, 6, 12
    keys = [c_major, a_minor, g_major, f_sharp, c_minor]
    assert fifths(keys, c_major).tolist() == [0, 0, 1, 6, 3]


def test_without_pitches_there_is_no_harmony() -> None:
    drums = Score(records(NOTE, [(0, 6, 36, 80, DRUMS)]))
    assert all(math.isnan(value) for value in of(drums).values())
    assert all(math.isnan(value) for value in of(Score()).values())
