import math
import statistics

import pytest
from hypothesis import given
from strategies import scores

from musenet.evaluation.texture import texture
from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.score import NOTE, TEMPO, Score, records

VIOLIN = instrument_id("violin")


@given(scores(ticks_per_beat=[24], max_beats=8, min_notes=1))
def test_polyphony_tick_by_tick(score: Score) -> None:
    at_once = []
    for tick in range(score.end):
        sound = {
            int(n["pitch"])
            for n in score.notes
            if n["instrument"] != DRUMS and n["onset"] <= tick < n["onset"] + n["duration"]
        }
        at_once.append(len(sound))
    found = texture(score)
    assert found["polyphony_rate"] == pytest.approx(sum(n > 2 for n in at_once) / len(at_once))
    some = [n for n in at_once if n]
    expected = statistics.mean(some) if some else math.nan
    assert found["polyphony"] == pytest.approx(expected, nan_ok=True)


@given(scores(min_notes=1))
def test_register_and_lengths_by_hand(score: Score) -> None:
    found = texture(score)
    notes = [n for n in score.notes if n["instrument"] != DRUMS]
    outside = [
        not INSTRUMENTS[n["instrument"]].low <= n["pitch"] <= INSTRUMENTS[n["instrument"]].high
        for n in score.notes
    ]
    assert found["out_of_range"] == pytest.approx(statistics.mean(outside))
    assert found["velocity_mean"] == pytest.approx(
        statistics.mean(map(int, score.notes["velocity"]))
    )
    assert found["velocity_spread"] == pytest.approx(
        statistics.pstdev(map(int, score.notes["velocity"])), abs=1e-9
    )
    if not notes:
        assert math.isnan(found["pitch_mean"])
        return
    parts: dict[int, list[int]] = {}
    for note in notes:
        parts.setdefault(int(note["instrument"]), []).append(int(note["pitch"]))
    ranges = [max(part) - min(part) for part in parts.values()]
    assert found["pitch_range"] == pytest.approx(statistics.mean(ranges))
    beats = [int(n["duration"]) / score.ticks_per_beat for n in notes]
    assert found["note_beats_mean"] == pytest.approx(statistics.mean(beats))
    assert found["note_beats_median"] == pytest.approx(statistics.median(beats))


def test_seconds_follow_the_tempo() -> None:
    notes = records(NOTE, [(0, 24, 60, 80, 0), (24, 24, 64, 80, VIOLIN), (24, 6, 36, 80, DRUMS)])
    found = texture(Score(notes, records(TEMPO, [(0, 60.0), (24, 120.0)])))
    assert found["note_seconds_mean"] == 0.75
    assert found["note_seconds_median"] == 0.75
    assert found["notes_per_second"] == 2.0
    assert found["instruments"] == 3


def test_of_nothing() -> None:
    found = texture(Score())
    assert found.pop("instruments") == 0
    assert all(math.isnan(value) for value in found.values())
