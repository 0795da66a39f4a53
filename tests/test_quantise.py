from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores

from musenet.instruments import DRUMS, instrument_id
from musenet.quantise import (
    DRUM_DURATION,
    DURATIONS,
    MAX_DRIFT,
    METRES,
    TEMPI,
    VELOCITIES,
    quantise,
    settle,
    tempo_step,
)
from musenet.score import (
    METRE,
    NOTE,
    TEMPO,
    TICKS_PER_BEAT,
    Score,
    bar_starts,
    note_ends,
    records,
    resample,
    seconds_at,
)

PIANO, VIOLIN = instrument_id("piano"), instrument_id("violin")
Rows = Sequence[tuple[float, ...]]


def piece(notes: Rows, tempos: Rows = (), metres: Rows = (), ticks_per_beat: int = 24) -> Score:
    return Score(
        records(NOTE, notes), records(TEMPO, tempos), records(METRE, metres), ticks_per_beat
    )


def notes_of(score: Score) -> list[tuple[int, ...]]:
    return [tuple(note) for note in score.notes.tolist()]


# The grid


def test_the_grid_is_as_documented() -> None:
    assert (len(DURATIONS), len(VELOCITIES), len(TEMPI)) == (120, 32, 64)
    assert DURATIONS[:96].tolist() == list(range(1, 97))
    assert DURATIONS[96:].tolist() == [108 + 12 * i for i in range(24)]
    assert np.allclose(TEMPI[1:] / TEMPI[:-1], 1.0409, atol=1e-4)
    assert (TEMPI[0], TEMPI[-1]) == (24.0, pytest.approx(300.0))
    assert len(set(METRES)) == len(METRES) <= 40


def test_each_tempo_is_its_own_step() -> None:
    assert tempo_step(TEMPI).tolist() == list(range(64))


def test_tempi_beyond_the_grid_take_its_ends() -> None:
    assert tempo_step(np.array([1.0, 1e6])).tolist() == [0, 63]


# Scores


@given(scores())
def test_quantising_twice_is_quantising_once(score: Score) -> None:
    assert quantise(quantise(score)) == quantise(score)


@given(scores())
def test_all_values_lie_on_the_grid(score: Score) -> None:
    result = quantise(score)
    assert result.ticks_per_beat == TICKS_PER_BEAT
    assert np.isin(result.notes["duration"], DURATIONS).all()
    assert np.isin(result.notes["velocity"], VELOCITIES).all()
    assert np.isin(result.tempos["bpm"], TEMPI).all()
    assert all((int(m["numerator"]), int(m["denominator"])) in METRES for m in result.metres)


@given(scores(max_beats=4, instruments=[PIANO, DRUMS]))
def test_a_part_plays_a_pitch_once_at_a_time(score: Score) -> None:
    result = quantise(score)
    for key in {(n["instrument"], n["pitch"]) for n in result.notes}:
        same = result.notes[
            (result.notes["instrument"] == key[0]) & (result.notes["pitch"] == key[1])
        ]
        assert (np.diff(same["onset"]) > 0).all()
        if key[0] != DRUMS:
            assert (same["onset"][1:] >= (same["onset"] + same["duration"])[:-1]).all()


@given(scores())
def test_every_onset_stays(score: Score) -> None:
    fields = ["onset", "instrument", "pitch"]
    before, after = resample(score, TICKS_PER_BEAT), quantise(score)
    assert np.array_equal(np.unique(before.notes[fields]), np.unique(after.notes[fields]))


@given(scores(instruments=[PIANO]))
def test_notes_never_grow(score: Score) -> None:
    assert quantise(score).end <= resample(score, TICKS_PER_BEAT).end


def test_unisons_become_the_longest_and_the_loudest() -> None:
    score = piece([(0, 24, 60, 100, PIANO), (0, 48, 60, 50, PIANO), (0, 12, 60, 20, VIOLIN)])
    assert notes_of(quantise(score)) == [(0, 48, 60, 102, PIANO), (0, 12, 60, 22, VIOLIN)]


def test_a_note_struck_again_ends_the_earlier_one() -> None:
    score = piece([(0, 96, 60, 62, PIANO), (30, 24, 60, 62, PIANO)])
    assert notes_of(quantise(score)) == [(0, 30, 60, 62, PIANO), (30, 24, 60, 62, PIANO)]


def test_long_notes_are_coarse_and_drums_have_no_length() -> None:
    score = piece([(0, 119, 60, 62, PIANO), (0, 999, 61, 62, PIANO), (0, 200, 36, 62, DRUMS)])
    durations = quantise(score).notes["duration"].tolist()
    assert durations == [108, 384, DRUM_DURATION]


def test_settling_nothing_gives_nothing() -> None:
    assert len(settle(records(NOTE))) == 0


# Metre


def test_a_metre_stands_at_the_beginning_and_none_after_the_end() -> None:
    score = piece([(0, 24, 60, 62, PIANO)], metres=[(12, 3, 4), (24, 2, 4)])
    assert quantise(score).metres.tolist() == [(0, 4, 4), (12, 3, 4)]


def test_a_metre_that_changes_nothing_is_left_out() -> None:
    score = piece([(0, 400, 60, 62, PIANO)], metres=[(0, 3, 4), (72, 3, 4), (100, 3, 4)])
    assert quantise(score).metres.tolist() == [(0, 3, 4), (100, 3, 4)]


def test_an_unknown_metre_becomes_one_as_long_or_common_time() -> None:
    notes: Rows = [(0, 400, 60, 62, PIANO)]
    assert quantise(piece(notes, metres=[(0, 16, 8)])).metres.tolist() == [(0, 4, 2)]
    assert quantise(piece(notes, metres=[(0, 11, 8)])).metres.tolist() == [(0, 4, 4)]


@given(scores(ticks_per_beat=[24], max_beats=16))
def test_known_metres_keep_their_bars(score: Score) -> None:
    known = [(int(m["numerator"]), int(m["denominator"])) in METRES for m in score.metres]
    score = Score(score.notes, score.tempos, score.metres[np.array(known, dtype=bool)])
    result = quantise(score)
    assert np.array_equal(bar_starts(result), bar_starts(score, result.end))


# Tempo


def test_a_steady_tempo_is_one_step() -> None:
    score = piece([(0, 24 * 100, 60, 62, PIANO)], tempos=[(0, 61.0)])
    assert quantise(score).tempos.tolist() == [(0, TEMPI[tempo_step(61.0)])]


def test_a_piece_without_tempo_is_at_the_default() -> None:
    assert quantise(piece([(0, 24, 60, 62, PIANO)])).tempos.tolist() == [
        (0, TEMPI[tempo_step(120.0)])
    ]


def test_a_tempo_after_the_beginning_leaves_what_stands_before() -> None:
    score = piece([(0, 96, 60, 62, PIANO)], tempos=[(12, 24.0)])
    beats = [24, 48, 72]
    drift = seconds_at(quantise(score), beats) - seconds_at(score, beats)
    assert np.abs(drift).max() <= MAX_DRIFT


@given(scores())
def test_tempo_changes_once_a_beat_at_most(score: Score) -> None:
    tempos = quantise(score).tempos
    assert tempos["tick"][0] == 0
    assert (tempos["tick"] % TICKS_PER_BEAT == 0).all()
    assert (np.diff(tempos["tick"]) > 0).all()
    assert (np.diff(tempos["bpm"]) != 0).all()


PLAYED = st.lists(st.floats(24.0, 300.0), min_size=2, max_size=40)


@given(PLAYED, st.sampled_from([6, 12, 24, 48, 100]))
def test_time_at_the_beats_keeps_to_a_tempo_that_moves(bpms: list[float], apart: int) -> None:
    tempos: Rows = [(i * apart, bpm) for i, bpm in enumerate(bpms)]
    score = piece([(0, 24, 60, 62, PIANO), (apart * len(bpms), 1, 60, 62, PIANO)], tempos)
    beats = np.arange(0, score.end, TICKS_PER_BEAT)
    drift = seconds_at(quantise(score), beats) - seconds_at(score, beats)
    assert np.abs(drift).max() <= MAX_DRIFT + 1e-6


@given(scores(min_notes=1, max_beats=64))
def test_time_at_the_beats_is_within_a_step_of_steady_stretches(score: Score) -> None:
    result, reference = quantise(score), resample(score, TICKS_PER_BEAT)
    beats = np.arange(0, result.end, TICKS_PER_BEAT)
    there = seconds_at(reference, beats)
    half_step = (TEMPI[1] / TEMPI[0]) ** 0.5 - 1
    assert (np.abs(seconds_at(result, beats) - there) <= MAX_DRIFT + half_step * there + 1e-6).all()


@given(PLAYED)
def test_a_tempo_that_wavers_within_a_step_is_left_alone(factors: list[float]) -> None:
    wavers: Rows = [(i * 24, 100.0 + (f - 162) / 300) for i, f in enumerate(factors)]
    score = piece([(0, 24 * len(factors), 60, 62, PIANO)], wavers)
    assert len(quantise(score).tempos) <= 2 + len(factors) // 3


def test_the_score_given_is_left_alone() -> None:
    score = piece([(0, 7, 60, 61, PIANO)], tempos=[(0, 61.0)])
    notes, tempos = score.notes.copy(), score.tempos.copy()
    quantise(score)
    assert np.array_equal(score.notes, notes)
    assert np.array_equal(score.tempos, tempos)
    assert note_ends(score).tolist() == [7]
