from collections.abc import Sequence
from dataclasses import FrozenInstanceError, replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores

from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.score import (
    METRE,
    NOTE,
    TEMPO,
    Array,
    Score,
    bar_starts,
    bar_ticks,
    crop,
    last_at_tick,
    note_ends,
    out_of_range,
    records,
    resample,
    seconds_at,
    sort_notes,
    tempo_map,
    ticks_at,
    transpose,
)

PIANO, VIOLIN = instrument_id("piano"), instrument_id("violin")
NOTE_FIELDS = ("onset", "duration", "pitch", "velocity", "instrument")
Rows = Sequence[tuple[float, ...]]
TICKS = st.integers(0, 50_000)


def piece(
    notes: Rows = (), tempos: Rows = (), metres: Rows = (), ticks_per_beat: int = 24
) -> Score:
    return Score(
        records(NOTE, notes), records(TEMPO, tempos), records(METRE, metres), ticks_per_beat
    )


def pairs(changes: Array) -> list[tuple[float, ...]]:
    return [tuple(change) for change in changes.tolist()]


def assert_valid(score: Score) -> None:
    notes = score.notes
    order = list(zip(notes["onset"], notes["instrument"], notes["pitch"], strict=True))
    assert order == sorted(order)
    assert (notes["onset"] >= 0).all()
    assert (notes["duration"] >= 1).all()
    assert (notes["pitch"] <= 127).all()
    assert ((notes["velocity"] >= 1) & (notes["velocity"] <= 127)).all()
    assert (notes["instrument"] < len(INSTRUMENTS)).all()
    for changes in (score.tempos, score.metres):
        assert (changes["tick"] >= 0).all()
        assert (np.diff(changes["tick"]) > 0).all()


# The score itself


def test_a_score_without_notes_has_no_length() -> None:
    assert (Score().end, Score().seconds, Score().instruments) == (0, 0.0, [])


def test_the_end_is_that_of_the_longest_sounding_note() -> None:
    score = piece([(0, 96, 60, 80, PIANO), (24, 24, 64, 80, VIOLIN)])
    assert score.end == 96
    assert score.seconds == 2.0
    assert score.instruments == sorted([PIANO, VIOLIN])


def test_a_score_cannot_be_changed_nor_hashed() -> None:
    with pytest.raises(FrozenInstanceError):
        Score().ticks_per_beat = 48  # type: ignore[misc]
    with pytest.raises(TypeError):
        hash(Score())


@given(scores())
def test_a_score_equals_a_copy_of_itself(score: Score) -> None:
    assert score == Score(
        score.notes.copy(), score.tempos.copy(), score.metres.copy(), score.ticks_per_beat
    )


@given(scores(min_notes=1), st.data())
def test_a_score_differs_when_any_part_does(score: Score, data: st.DataObject) -> None:
    notes = score.notes.copy()
    field = data.draw(st.sampled_from(NOTE_FIELDS))
    notes[field][data.draw(st.integers(0, len(notes) - 1))] += 1
    assert score != replace(score, notes=notes)
    assert score != replace(score, ticks_per_beat=score.ticks_per_beat + 1)
    assert score != replace(score, notes=score.notes[1:])
    assert score != "a score"


@given(scores(), st.randoms())
def test_sorting_undoes_any_shuffle(score: Score, random: Random) -> None:
    order = list(range(len(score.notes)))
    random.shuffle(order)
    assert np.array_equal(sort_notes(score.notes[order]), score.notes)


# Time


def test_time_at_two_tempos() -> None:
    score = piece(tempos=[(48, 60.0)])
    assert seconds_at(score, [0, 24, 48, 72]).tolist() == [0.0, 0.5, 1.0, 2.0]
    assert ticks_at(score, [0.0, 0.5, 1.0, 2.0]).tolist() == [0, 24, 48, 72]


def test_the_tempo_map_begins_at_the_given_tempo() -> None:
    ticks, seconds, per_tick = tempo_map(piece(tempos=[(0, 60.0), (24, 120.0)]))
    assert ticks.tolist() == [0, 24]
    assert seconds.tolist() == [0.0, 1.0]
    assert per_tick.tolist() == [1 / 24, 1 / 48]


@given(scores(), st.lists(TICKS))
def test_ticks_and_seconds_are_inverse(score: Score, ticks: list[int]) -> None:
    assert np.allclose(ticks_at(score, seconds_at(score, ticks)), ticks, rtol=0, atol=1e-6)


@given(scores(), st.lists(st.floats(0, 1_000)))
def test_seconds_and_ticks_are_inverse(score: Score, seconds: list[float]) -> None:
    assert np.allclose(seconds_at(score, ticks_at(score, seconds)), seconds, rtol=0, atol=1e-6)


@given(scores(), st.lists(TICKS, unique=True).map(sorted))
def test_time_rises(score: Score, ticks: list[int]) -> None:
    assert (np.diff(seconds_at(score, ticks)) > 0).all()


@given(scores(ticks_per_beat=[24], max_beats=8), st.integers(0, 300))
def test_time_is_the_sum_over_ticks(score: Score, tick: int) -> None:
    tempo_at = {change["tick"]: change["bpm"] for change in score.tempos}
    seconds, bpm = 0.0, 120.0
    for now in range(tick):
        bpm = tempo_at.get(now, bpm)
        seconds += 60 / bpm / 24
    assert seconds_at(score, tick) == pytest.approx(seconds)


# Bars


@pytest.mark.parametrize(
    ("numerator", "denominator", "ticks"),
    [(4, 4, 96), (3, 4, 72), (6, 8, 72), (2, 2, 96), (12, 16, 72), (1, 4, 24), (1, 128, 1)],
)
def test_bar_lengths(numerator: int, denominator: int, ticks: int) -> None:
    assert bar_ticks(numerator, denominator, 24) == ticks


def test_bars_after_an_upbeat_and_a_cut_bar() -> None:
    score = piece(metres=[(0, 1, 4), (24, 3, 4), (200, 2, 4)])
    assert bar_starts(score, 300).tolist() == [0, 24, 96, 168, 200, 248, 296]


def test_bars_are_in_four_before_the_first_metre() -> None:
    assert bar_starts(piece(metres=[(192, 3, 4)]), 300).tolist() == [0, 96, 192, 264]


def naive_bar_starts(score: Score, until: int) -> list[int]:
    metre_at = {m["tick"]: (m["numerator"], m["denominator"]) for m in score.metres}
    starts, next_bar, metre = [], 0, (4, 4)
    for tick in range(until):
        if tick in metre_at:
            metre, next_bar = metre_at[tick], tick
        if tick == next_bar:
            starts.append(tick)
            next_bar += bar_ticks(int(metre[0]), int(metre[1]), score.ticks_per_beat)
    return starts


@given(scores(ticks_per_beat=[24, 96], max_beats=12), st.integers(0, 2_000))
def test_bars_agree_with_a_walk_from_tick_to_tick(score: Score, until: int) -> None:
    assert bar_starts(score, until).tolist() == naive_bar_starts(score, until)


@given(scores())
def test_bars_reach_to_the_end_by_default(score: Score) -> None:
    assert np.array_equal(bar_starts(score), bar_starts(score, score.end))


# Transforms


@given(scores(), st.integers(-128, 128))
def test_transposing_keeps_a_score_valid(score: Score, semitones: int) -> None:
    before = score.notes.copy()
    moved = transpose(score, semitones)
    assert_valid(moved)
    assert np.array_equal(score.notes, before)
    kept = [n for n in pairs(before) if n[4] == DRUMS or 0 <= n[2] + semitones <= 127]
    assert [(n[0], n[1], n[3], n[4]) for n in pairs(moved.notes)] == [
        (n[0], n[1], n[3], n[4]) for n in kept
    ]


@given(scores(), st.integers(-40, 40))
def test_transposing_back_restores_what_stayed_inside(score: Score, semitones: int) -> None:
    there = score.notes["pitch"].astype(int) + semitones
    inside = (score.notes["instrument"] == DRUMS) | ((there >= 0) & (there <= 127))
    back = transpose(transpose(score, semitones), -semitones)
    assert back == replace(score, notes=score.notes[inside])


@given(scores(instruments=[DRUMS]), st.integers(-128, 128))
def test_drums_are_not_transposed(score: Score, semitones: int) -> None:
    assert transpose(score, semitones) == score


@given(scores(), st.integers(1, 40))
def test_resampling_up_and_down_is_identity(score: Score, factor: int) -> None:
    finer = resample(score, score.ticks_per_beat * factor)
    assert_valid(finer)
    assert resample(finer, score.ticks_per_beat) == score


@given(scores(), st.integers(0, 2_000))
def test_resampling_to_any_finer_grid_loses_nothing(score: Score, more: int) -> None:
    finer = resample(score, score.ticks_per_beat + more)
    assert resample(finer, score.ticks_per_beat) == score


@given(scores(), st.integers(1, 48))
def test_resampling_moves_nothing_by_more_than_half_a_tick(score: Score, resolution: int) -> None:
    coarse = resample(score, resolution)
    assert_valid(coarse)
    assert len(coarse.notes) == len(score.notes)
    ratio = resolution / score.ticks_per_beat
    moved = np.sort(coarse.notes["onset"]) - score.notes["onset"] * ratio
    assert (np.abs(moved) <= 0.5 + 1e-9).all()
    assert coarse.end <= score.end * ratio + 1.5


def test_resampling_keeps_the_last_of_the_changes_that_fall_together() -> None:
    score = piece(
        tempos=[(0, 60.0), (3, 90.0), (480, 70.0)],
        metres=[(0, 4, 4), (5, 3, 4)],
        ticks_per_beat=480,
    )
    coarse = resample(score, 24)
    assert pairs(coarse.tempos) == [(0, 90.0), (24, 70.0)]
    assert pairs(coarse.metres) == [(0, 3, 4)]


@given(scores())
def test_cropping_to_the_whole_changes_no_note(score: Score) -> None:
    assert np.array_equal(crop(score, 0, score.end).notes, score.notes)


@given(scores(), st.integers(0, 2_000), st.integers(0, 2_000))
def test_cropping_keeps_the_notes_that_begin_inside(score: Score, start: int, length: int) -> None:
    stop = start + length
    part = crop(score, start, stop)
    assert_valid(part)
    assert part.end <= length
    assert [(n[0] + start, *n[2:]) for n in pairs(part.notes)] == [
        (n[0], *n[2:]) for n in pairs(score.notes) if start <= n[0] < stop
    ]
    uncut = note_ends(score) <= stop
    inside = (score.notes["onset"] >= start) & (score.notes["onset"] < stop)
    assert (note_ends(part)[~uncut[inside]] == length).all()
    assert np.array_equal(note_ends(part)[uncut[inside]] + start, note_ends(score)[inside & uncut])


@given(scores(), st.integers(0, 2_000), st.integers(1, 2_000))
def test_cropping_keeps_the_tempo(score: Score, start: int, length: int) -> None:
    ticks = np.arange(0, length + 1, 7)
    whole = seconds_at(score, ticks + start) - seconds_at(score, start)
    assert np.allclose(seconds_at(crop(score, start, start + length), ticks), whole)


@given(scores(), st.integers(0, 20), st.integers(1, 2_000))
def test_cropping_at_a_bar_line_keeps_the_bars(score: Score, bar: int, length: int) -> None:
    bars = bar_starts(score, 30 * 1_000)
    start = int(bars[bar % len(bars)])
    part = crop(score, start, start + length)
    inside = bars[(bars >= start) & (bars < start + length)] - start
    assert np.array_equal(bar_starts(part, length)[: len(inside)], inside)


def test_a_crop_carries_the_tempo_and_metre_in_force() -> None:
    score = piece(tempos=[(0, 60.0), (48, 90.0), (90, 100.0)], metres=[(0, 3, 4), (72, 2, 4)])
    part = crop(score, 50, 90)
    assert pairs(part.tempos) == [(0, 90.0)]
    assert pairs(part.metres) == [(0, 3, 4), (22, 2, 4)]


def test_the_last_of_the_changes_at_a_tick_holds() -> None:
    changes = records(TEMPO, [(0, 60.0), (0, 70.0), (5, 80.0), (9, 90.0), (9, 95.0)])
    assert pairs(last_at_tick(changes)) == [(0, 70.0), (5, 80.0), (9, 95.0)]
    assert pairs(last_at_tick(records(TEMPO))) == []


# Ranges


@given(scores())
def test_out_of_range_agrees_with_the_instruments(score: Score) -> None:
    assert out_of_range(score).tolist() == [
        not INSTRUMENTS[note["instrument"]].low
        <= note["pitch"]
        <= INSTRUMENTS[note["instrument"]].high
        for note in score.notes
    ]


def test_a_violin_does_not_play_below_its_lowest_string() -> None:
    score = piece([(0, 24, 55, 80, VIOLIN), (0, 24, 54, 80, VIOLIN)])
    assert out_of_range(score).tolist() == [False, True]
