from __future__ import annotations

import numpy as np
import pytest
from music import melody

from musenet import midi
from musenet.errors import UserError
from musenet.score import METRE, NOTE, TEMPO, Score, records

BEAT = 480


def test_a_file_up_to_a_bar_is_as_it_was() -> None:
    data = midi.to_bytes(melody(3, 40), comment='{"a": 1}')
    kept, tick = midi.before_bar(data, 3)
    score, whole = midi.load(kept), midi.load(data)
    assert score.end == tick == 2 * 4 * BEAT
    assert score.notes.tolist() == whole.notes[whole.notes["onset"] < tick].tolist()
    assert midi.comment(kept) == '{"a": 1}'


def test_a_note_that_sounds_into_the_bar_ends_there() -> None:
    rows = [(0, BEAT, 60, 80, 0), (3 * BEAT, 3 * BEAT, 64, 80, 0), (8 * BEAT, BEAT, 65, 80, 0)]
    kept, tick = midi.before_bar(midi.to_bytes(Score(records(NOTE, rows), ticks_per_beat=480)), 2)
    notes = midi.load(kept).notes
    assert tick == 4 * BEAT
    assert np.array_equal(notes["onset"] + notes["duration"], [BEAT, 4 * BEAT])


def test_bars_are_those_of_the_metre() -> None:
    metres = records(METRE, [(0, 3, 4), (3 * BEAT, 4, 4)])
    notes = records(NOTE, [(beat * BEAT, BEAT, 60, 80, 0) for beat in range(11)])
    score = Score(notes, records(TEMPO, [(0, 90.0)]), metres, BEAT)
    assert [midi.bar_tick(score, bar) // BEAT for bar in (1, 2, 3, 4)] == [0, 3, 7, 11]


@pytest.mark.parametrize(
    ("bar", "says"), [(0, "no bar 0"), (12, "no bar 12: the piece has 8"), (1, "before bar 1")]
)
def test_bars_that_cannot_be(bar: int, says: str) -> None:
    with pytest.raises(UserError, match=says):
        midi.before_bar(midi.to_bytes(melody(3, 40)), bar)
