from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musenet.instruments import DRUMS
from musenet.key import KEYS, MIN_CORRELATION, NO_KEY, key_of, keys_of, transpose_key
from musenet.score import NOTE, Score, records, transpose

C_MAJOR = (60, 64, 67, 65, 69, 72, 67, 71, 74, 72, 60, 64)
A_MINOR = (57, 60, 64, 62, 65, 69, 64, 68, 71, 69, 57, 60)


def score_of(pitches: tuple[int, ...], instrument: int = 0) -> Score:
    return Score(records(NOTE, [(24 * i, 24, p, 80, instrument) for i, p in enumerate(pitches)]))


def test_the_key_of_plain_cadences() -> None:
    assert KEYS[key_of(score_of(C_MAJOR))[0]] == "C major"
    assert KEYS[key_of(score_of(A_MINOR))[0]] == "A minor"


@given(st.integers(-12, 12))
def test_the_key_moves_with_transposition(semitones: int) -> None:
    for pitches in (C_MAJOR, A_MINOR):
        key, confidence = key_of(score_of(pitches))
        moved, same = key_of(transpose(score_of(pitches), semitones))
        assert moved == transpose_key(key, semitones)
        assert np.isclose(confidence, same)


@given(st.lists(st.floats(0, 100), min_size=12, max_size=12), st.integers(0, 11))
def test_rows_are_judged_alone_and_confidence_decides(weights: list[float], shift: int) -> None:
    rows = np.array([weights, np.roll(weights, shift), np.eye(12)[0]])
    keys, confidences = keys_of(rows)
    assert keys.shape == confidences.shape == (3,)
    assert np.isclose(confidences[0], confidences[1])
    assert np.array_equal(keys == NO_KEY, confidences < MIN_CORRELATION)
    assert keys[0] == keys_of(weights)[0]


def test_no_key_without_pitches() -> None:
    assert key_of(Score())[0] == NO_KEY
    assert key_of(score_of(C_MAJOR, DRUMS))[0] == NO_KEY
    assert key_of(score_of(tuple(range(60, 72))))[0] == NO_KEY
    assert transpose_key(NO_KEY, 3) == NO_KEY
