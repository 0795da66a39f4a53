import math
from dataclasses import replace

import pytest
from hypothesis import given
from music import melody
from strategies import scores

from musenet.analysis.arrays import bars_of
from musenet.analysis.timing import ending, silence, tempo
from musenet.instruments import DRUMS
from musenet.score import METRE, NOTE, TEMPO, Score, records

C_MAJOR = [(24 * i, 24, 60 + step, 80, 0) for i, step in enumerate((0, 4, 7, 5, 9, 11, 2, 7))]


def test_tempo_over_time() -> None:
    notes = records(NOTE, [(0, 96, 60, 80, 0)])
    tempos = records(TEMPO, [(0, 60.0), (24, 120.0), (72, 120.0), (999, 30.0)])
    found = tempo(Score(notes, tempos))
    assert found["tempo"] == pytest.approx(60 * 2 ** (1.5 / 2.5))
    assert found["tempo_spread"] == pytest.approx(math.log(2) * math.sqrt(0.4 * 0.6))
    assert found["tempo_changes"] == pytest.approx(60 / 2.5)
    assert all(math.isnan(value) for value in tempo(Score()).values())


@given(scores(min_notes=1))
def test_one_tempo_is_steady(score: Score) -> None:
    found = tempo(replace(score, tempos=records(TEMPO, [(0, 90.0)])))
    assert found["tempo"] == pytest.approx(90.0)
    assert (found["tempo_spread"], found["tempo_changes"]) == pytest.approx((0.0, 0.0))


@given(scores(ticks_per_beat=[24], max_beats=20, min_notes=1))
def test_silence_by_hand(score: Score) -> None:
    score = replace(score, tempos=records(TEMPO, [(0, 60.0)]))
    heard = [
        any(n["onset"] <= tick < n["onset"] + n["duration"] for n in score.notes)
        for tick in range(score.end)
    ]
    bars = bars_of(score)
    stops = [*bars.starts[1:].tolist(), score.end]
    silent = [not any(heard[a:b]) for a, b in zip(bars.starts, stops, strict=True)]
    beats = [not any(heard[tick : tick + 24]) for tick in range(0, score.end, 24)]
    longest = max(map(len, "".join("x" if h else "." for h in heard).split("x")))
    found = silence(score, bars)
    assert found["empty_bars"] == pytest.approx(sum(silent) / len(silent))
    assert found["empty_beats"] == pytest.approx(sum(beats) / len(beats))
    assert found["longest_silence"] == pytest.approx(longest / 24)


def _ending(*last: tuple[int, ...]) -> dict[str, float]:
    score = Score(records(NOTE, [*C_MAJOR, *last]))
    return ending(score, bars_of(score))


def test_a_final_chord_on_the_tonic() -> None:
    chord = [(192, 96, pitch, 80, 0) for pitch in (48, 64, 67)]
    assert set(_ending(*chord).values()) == {1.0}
    inverted = _ending((192, 96, 52, 80, 0), (192, 96, 60, 80, 0))
    assert (inverted["ending_tonic"], inverted["ending_bass"]) == (1.0, 0.0)
    short = _ending((204, 6, 60, 80, 0))
    assert (short["ending_held"], short["ending_strong_beat"]) == (0.0, 0.0)


def test_a_bass_held_below_the_last_onset_belongs_to_the_chord() -> None:
    assert _ending((192, 96, 48, 80, 0), (216, 24, 64, 80, 0))["ending_bass"] == 1.0
    assert _ending((192, 24, 48, 80, 0), (216, 24, 64, 80, 0))["ending_tonic"] == 0.0


@pytest.mark.parametrize(
    ("metre", "tick", "strong"),
    [((4, 4), 192, 1), ((4, 4), 240, 1), ((4, 4), 194, 1), ((4, 4), 216, 0), ((3, 4), 216, 1),
     ((3, 4), 252, 0), ((6, 8), 252, 1), ((2, 4), 216, 0), ((4, 4), 286, 1)],
)  # fmt: skip
def test_strong_beats(metre: tuple[int, int], tick: int, strong: int) -> None:
    notes = records(NOTE, [*C_MAJOR, (tick, 24, 60, 80, 0)])
    score = Score(notes, metres=records(METRE, [(0, *metre)]))
    assert ending(score, bars_of(score))["ending_strong_beat"] == strong


def test_without_a_key_or_notes() -> None:
    every = records(NOTE, [(24 * i, 24, 60 + i, 80, 0) for i in range(12)])
    found = ending(Score(every), bars_of(Score(every)))
    assert math.isnan(found["ending_tonic"])
    assert not math.isnan(found["ending_held"])
    drums = Score(records(NOTE, [(0, 6, 36, 80, DRUMS)]))
    assert all(math.isnan(value) for value in ending(drums, bars_of(drums)).values())
    assert not math.isnan(silence(melody(1), bars_of(melody(1)))["empty_bars"])
