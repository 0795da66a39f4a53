import math
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores

from musenet.analysis.arrays import (
    bar_sets,
    bars_of,
    mean,
    metre_at,
    sounding,
    spread,
    stretches,
)
from musenet.score import METRE, NOTE, Score, bar_starts, note_ends, records


@given(scores(ticks_per_beat=[24], max_beats=8), st.lists(st.integers(0, 400), min_size=1))
def test_sounding_is_the_overlap_with_each_window(score: Score, edges: list[int]) -> None:
    edges.sort()
    overlaps = [
        sum(
            max(0, min(int(end), stop) - max(int(onset), start))
            for onset, end in zip(score.notes["onset"], note_ends(score), strict=True)
        )
        for start, stop in pairwise(edges)
    ]
    assert np.allclose(sounding(score, edges), overlaps)


@given(scores(ticks_per_beat=[24], max_beats=8))
def test_stretches_count_distinct_pitches_tick_by_tick(score: Score) -> None:
    edges, count = stretches(score)
    roll = np.zeros((score.end, 128), dtype=bool)
    for note in score.notes:
        roll[note["onset"] : note["onset"] + note["duration"], note["pitch"]] = True
    assert edges[0] == 0
    assert edges[-1] == score.end
    assert np.array_equal(np.repeat(count, np.diff(edges)), roll.sum(axis=1))


def test_mean_and_spread() -> None:
    assert math.isnan(mean([]))
    assert math.isnan(spread([]))
    assert math.isnan(mean([1.0], [0.0]))
    assert mean([1.0, 4.0], [2.0, 1.0]) == 2.0
    assert spread([1.0, 3.0]) == 1.0
    assert spread([1.0, 3.0], [0.0, 2.0]) == 0.0


@given(scores(max_beats=30))
def test_every_note_lies_in_its_bar(score: Score) -> None:
    bars = bars_of(score)
    assert np.array_equal(bars.starts, bar_starts(score))
    assert np.array_equal(bars.starts[bars.of] + bars.place, score.notes["onset"])
    assert np.all(bars.place < bars.lengths[bars.of])
    assert np.all(bars.place >= 0)
    assert np.all(bars.lengths > 0)


def test_metre_in_force() -> None:
    score = Score(records(NOTE, [(0, 200, 60, 80, 0)]), metres=records(METRE, [(96, 3, 8)]))
    assert metre_at(score, 95) == (4, 4)
    assert metre_at(score, 96) == (3, 8)
    assert bars_of(score).lengths.tolist() == [96, 36, 36, 36]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9))), st.integers(1, 8))
def test_bar_sets_share_what_they_have_in_common(members: list[tuple[int, int]], lag: int) -> None:
    sets = [{m for bar, m in members if bar == number} for number in range(6)]
    pairs = np.array(members, dtype=np.int64).reshape(-1, 2)
    made = bar_sets(pairs[:, 0], pairs[:, 1], 6)
    assert made.counts.tolist() == [len(one) for one in sets]
    expected = [len(one & other) for one, other in zip(sets, sets[lag:], strict=False)]
    assert made.shared(lag).tolist() == expected
