import math
import statistics
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from music import melody
from strategies import scores

from musenet.analysis.arrays import bars_of
from musenet.analysis.repetition import (
    DRUM_LAGS,
    LAGS,
    PERCUSSION,
    drum_sets,
    groove_consistency,
    longest_loop,
    repetition,
    similarity,
    similarity_sets,
    stuck,
)
from musenet.instruments import DRUMS, instrument_id
from musenet.score import NOTE, TEMPO, Score, crop, records, sort_notes

BAR = 96
VIOLIN, TIMPANI = instrument_id("violin"), instrument_id("timpani")


def line(
    pitches: list[int], instrument: int = 0, step: int = 24, start: int = 0
) -> list[tuple[int, ...]]:
    return [(start + step * i, step, pitch, 80, instrument) for i, pitch in enumerate(pitches)]


def piece(*rows: tuple[int, ...]) -> Score:
    return Score(sort_notes(records(NOTE, rows)), records(TEMPO, [(0, 60.0)]))


@given(scores(ticks_per_beat=[24], max_beats=30, max_notes=40, instruments=[0, VIOLIN, DRUMS]))
def test_groove_and_similarity_by_hand(score: Score) -> None:
    bars = bars_of(score)
    onsets: list[set[int]] = [set() for _ in bars.starts]
    classes: list[set[tuple[int, int]]] = [set() for _ in bars.starts]
    beats: list[set[tuple[int, int]]] = [set() for _ in bars.starts]
    for note in score.notes:
        bar = max(i for i, start in enumerate(bars.starts) if start <= note["onset"])
        place = int(note["onset"] - bars.starts[bar])
        onsets[bar].add(place)
        sixteenth, pitch = math.floor(place / 6 + 0.5), int(note["pitch"])
        if note["instrument"] == DRUMS:
            beats[bar].add((sixteenth, pitch))
        else:
            classes[bar].add((sixteenth, pitch % 12))
    alike = [
        len(one ^ other) / int(length)
        for (one, other), length, after in zip(
            pairwise(onsets), bars.lengths, bars.lengths[1:], strict=False
        )
        if length == after
    ]
    groove = 1 - statistics.mean(alike) if alike else math.nan
    assert groove_consistency(bars) == pytest.approx(groove, nan_ok=True)
    for lags, sets, found in (
        (LAGS, classes, similarity_sets(score, bars)),
        (DRUM_LAGS, beats, drum_sets(score, bars)),
    ):
        for lag in lags:
            pairs = [(a, b) for a, b in zip(sets, sets[lag:], strict=False) if a | b]
            shares = [len(a & b) / len(a | b) for a, b in pairs]
            expected = statistics.mean(shares) if shares else math.nan
            assert similarity(found, lag) == pytest.approx(expected, nan_ok=True)


@given(scores(max_notes=60, max_beats=10, instruments=[0, VIOLIN, TIMPANI]))
def test_stuck_notes_by_hand(score: Score) -> None:
    marked: set[int] = set()
    melodic = [i for i, n in enumerate(score.notes) if n["instrument"] not in PERCUSSION]
    for instrument in (0, VIOLIN):
        own = [i for i in melodic if score.notes["instrument"][i] == instrument]
        for first in range(len(own) - 7):
            eight = own[first : first + 8]
            if len({int(score.notes["pitch"][i]) for i in eight}) <= 2:
                marked |= set(eight)
    expected = len(marked) / len(melodic) if melodic else math.nan
    assert stuck(score)["stuck"] == pytest.approx(expected, nan_ok=True)


def test_an_instrument_that_is_stuck() -> None:
    rows = [*line([60, 62] * 6), *line([64, 65, 67, 69], start=12 * 24), *line([70] * 7, VIOLIN)]
    found = stuck(piece(*rows))
    assert found["stuck"] == pytest.approx(12 / 23)
    assert found["longest_stuck"] == pytest.approx(12.0)
    assert stuck(piece(*line([45, 48] * 20, TIMPANI), *line([60, 62, 64])))["stuck"] == 0.0
    assert math.isnan(stuck(piece(*line([45, 48] * 20, TIMPANI)))["stuck"])


def test_a_long_rest_ends_being_stuck() -> None:
    near = piece(*line([60] * 8), *line([60] * 8, start=8 * 24 + 48))
    far = piece(*line([60] * 8), *line([60] * 8, start=8 * 24 + 96))
    assert stuck(near)["longest_stuck"] == pytest.approx(18.0)
    assert stuck(far)["longest_stuck"] == pytest.approx(8.0)
    assert stuck(far)["stuck"] == 1.0


@pytest.mark.parametrize(("period", "times", "loop"), [(1, 4, 3), (2, 3, 4), (4, 2, 4), (3, 4, 0)])
def test_loops_are_the_bars_that_come_again(period: int, times: int, loop: int) -> None:
    bars = [50 + i for i in range(period)] * times
    rows = [row for i, pitch in enumerate(bars) for row in line([pitch, pitch + 7], start=i * BAR)]
    score = piece(*rows)
    assert longest_loop(score, bars_of(score)) == loop


def test_another_instrument_or_silence_is_no_loop() -> None:
    other = piece(*line([60, 64]), *line([60, 64], VIOLIN, start=BAR))
    assert longest_loop(other, bars_of(other)) == 0
    silent = piece(*line([60, 64]), *line([65], start=6 * BAR))
    assert longest_loop(silent, bars_of(silent)) == 0


@given(st.integers(0, 99))
def test_a_repeated_bar_is_wholly_similar(seed: int) -> None:
    bar = crop(melody(seed, 16), 0, 4 * 480)
    notes = np.concatenate([bar.notes] * 12)
    notes["onset"] += np.repeat(np.arange(12, dtype=np.int32) * 4 * 480, len(bar.notes))
    score = Score(sort_notes(notes), ticks_per_beat=480)
    found = repetition(score, bars_of(score))
    names = "groove_consistency", *(f"similarity_{lag}" for lag in LAGS)
    assert [found[name] for name in names] == [1.0] * 5
    assert found["longest_loop"] == 11
