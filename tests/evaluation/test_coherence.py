import math

import numpy as np
import pytest
from hypothesis import given
from music import BEAT, melody, then, together
from strategies import scores

from musenet.evaluation.coherence import by_minute, coherence, minute_edges
from musenet.instruments import instrument_id
from musenet.score import NOTE, TEMPO, Score, records, seconds_at, transpose

VIOLIN, FLUTE = instrument_id("violin"), instrument_id("flute")


def minute(instrument: int, semitones: int = 0, bpm: float = 120.0) -> Score:
    """A minute of one melody for one instrument, whatever the tempo."""
    notes = [
        (int(i * BEAT), BEAT, 60 + step, 80, instrument)
        for i, step in enumerate(np.resize([0, 4, 7, 0, 5, 9, 11, 2, 7, 0], round(bpm)).tolist())
    ]
    score = Score(records(NOTE, notes), records(TEMPO, [(0, bpm)]), ticks_per_beat=BEAT)
    return transpose(score, semitones)


@given(scores(min_notes=1, max_beats=400))
def test_minutes_are_equal_parts_that_hold_all_notes(score: Score) -> None:
    edges = minute_edges(score)
    lengths = np.diff(seconds_at(score, edges))
    assert np.allclose(lengths, lengths[0], rtol=1e-3)
    assert len(lengths) == 1 or 40 <= lengths[0] <= 75
    minutes = by_minute(score)
    assert sum(part.notes for part in minutes) == len(score.notes)
    for part in minutes:
        assert sum(part.shares.values()) == pytest.approx(1.0 if part.notes else 0.0)


def test_a_piece_that_stays_as_it_is() -> None:
    score = then(minute(0), minute(0), rest=0, metre=None)
    found = coherence(score)
    clarity = found.pop("minute_key_clarity")
    assert clarity > 0.8
    assert set(found.values()) == {0.0}
    assert [part.key for part in by_minute(score)] == ["C major", "C major"]


def test_a_minute_in_another_key_tempo_and_instrument() -> None:
    score = then(then(minute(0), minute(0), rest=0, metre=None), minute(VIOLIN, 1, 60.0),
                 rest=0, metre=None)  # fmt: skip
    found = coherence(score)
    assert found["minute_key_drift"] == pytest.approx(1 / 3)
    assert found["minute_key_distance"] == pytest.approx(5 / 3)
    assert found["minute_tempo_drift"] == pytest.approx(
        (2 * math.log(120 / 100) + math.log(100 / 60)) / 3
    )
    piano = 240 / 300
    assert found["minute_balance_drift"] == pytest.approx((2 * (1 - piano) + piano) / 3)
    assert found["minute_absence"] == pytest.approx(0.5)
    assert [round(part.tempo) for part in by_minute(score)] == [120, 120, 60]
    assert by_minute(score)[2].shares == {"violin": 1.0}


def test_shorter_than_two_minutes_there_is_nothing_to_compare() -> None:
    short = together([melody(1), melody(2, instrument=FLUTE)])
    assert all(math.isnan(value) for value in coherence(short).values())
    assert len(by_minute(short)) == 1
    assert by_minute(Score())[0].notes == 0
    assert by_minute(Score())[0].key == "none"
