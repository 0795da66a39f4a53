from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musenet.instruments import DRUMS
from musenet.key import (
    KEYS,
    MIN_CORRELATION,
    NO_KEY,
    key_of,
    keys_in_time,
    keys_of,
    pitch_class_weights,
    transpose_key,
)
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


def test_a_key_changes_once_where_the_music_does() -> None:
    tonic, other = (pitch_class_weights(transpose(score_of(C_MAJOR), step)) for step in (0, 6))
    keys = keys_in_time(np.array([tonic] * 12 + [other] * 12))
    assert [KEYS[key] for key in keys] == ["C major"] * 12 + ["F# major"] * 12


def test_a_bar_elsewhere_is_no_change_of_key() -> None:
    tonic, near = (pitch_class_weights(transpose(score_of(C_MAJOR), step)) for step in (0, 7))
    keys = keys_in_time(np.array([tonic] * 8 + [near] + [tonic] * 8))
    assert {KEYS[key] for key in keys} == {"C major"}


def test_silence_has_no_key_of_its_own() -> None:
    assert keys_in_time(np.zeros((5, 12))).tolist() == [NO_KEY] * 5
    assert len(keys_in_time(np.zeros((0, 12)))) == 0
