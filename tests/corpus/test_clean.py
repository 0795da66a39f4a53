from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from music import BEAT, melody, then

from musenet.corpus import clean as cleaning
from musenet.corpus.clean import RejectedError, clean, sane_tempos, trim
from musenet.score import METRE, NOTE, TEMPO, Score, note_ends, records, transpose


def repeated(pitch: int, count: int, step: int = BEAT) -> Score:
    rows = [(i * step, step, pitch, 80, 0) for i in range(count)]
    return Score(records(NOTE, rows), ticks_per_beat=BEAT)


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        (Score(), "no notes"),
        (melody(0, 15), "under 16 notes"),
        (repeated(60, 100), "under 3 distinct notes"),
        (melody(0, 20, bpm=380.0), "under 5 seconds"),
        (replace(melody(0), tempos=records(TEMPO, [(0, 1.0), (BEAT, 2000.0)])), "nonsense tempo"),
    ],
)
def test_what_is_rejected(score: Score, reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        clean(score)


def test_a_black_score_is_rejected() -> None:
    rng = np.random.default_rng(0)
    rows = [(int(t), 10, int(p), 80, 0) for t, p in zip(rng.integers(0, 6000, 5000),
            rng.integers(20, 100, 5000), strict=True)]  # fmt: skip
    with pytest.raises(RejectedError, match="notes a second"):
        clean(Score(records(NOTE, sorted(rows)), ticks_per_beat=BEAT))


def test_a_sound_file_is_kept_as_it_is() -> None:
    assert clean(melody(1)) == [melody(1)]


def test_mad_tempi_among_sane_ones_are_left_out() -> None:
    tempos = records(TEMPO, [(0, 90.0), (BEAT, 5000.0), (2 * BEAT, 100.0)])
    assert sane_tempos(replace(melody(0), tempos=tempos)).tempos["bpm"].tolist() == [90.0, 100.0]
    alone = replace(melody(0), tempos=records(TEMPO, [(0, 5000.0)]))
    assert len(sane_tempos(alone).tempos) == 0


def test_whole_empty_bars_before_the_music_go() -> None:
    score = melody(2)
    notes = score.notes.copy()
    notes["onset"] += 3 * 3 * BEAT + BEAT
    late = replace(score, notes=notes, metres=records(METRE, [(0, 3, 4)]))
    trimmed = trim(late)
    assert trimmed.notes["onset"][0] == BEAT
    assert np.array_equal(np.diff(trimmed.notes["onset"]), np.diff(score.notes["onset"]))
    assert trim(trimmed) == trimmed


def test_long_silence_cuts() -> None:
    silence = int(90 / 60 * (cleaning.MAX_SILENCE + 1) * BEAT)
    pieces = clean(then(melody(3), melody(4), rest=silence, metre=None))
    assert [len(piece.notes) for piece in pieces] == [64, 64]
    assert all(piece.notes["onset"][0] < 4 * BEAT for piece in pieces)
    fragment = clean(then(melody(3), melody(4, 5), rest=silence, metre=None))
    assert [len(piece.notes) for piece in fragment] == [64]


def suite(rest: int, metre: tuple[int, int] | None, bpm: float) -> Score:
    return then(melody(5, 400), melody(6, 400, bpm=bpm), rest=rest, metre=metre)


def test_movements_are_cut_at_a_new_metre_and_tempo_after_a_rest() -> None:
    whole = suite(2 * BEAT, (3, 4), 120.0)
    first, second = clean(whole)
    assert np.array_equal(first.notes, melody(5, 400).notes)
    assert np.array_equal(second.notes, melody(6, 400).notes)
    assert second.metres[["numerator", "denominator"]].tolist() == [(3, 4)]
    assert second.tempos["bpm"].tolist() == [120.0]


def test_no_movement_without_change_or_where_notes_sound_on() -> None:
    assert len(clean(suite(2 * BEAT, None, 90.0))) == 1
    whole = suite(2 * BEAT, (3, 4), 120.0)
    held = whole.notes.copy()
    held["duration"][399] += 4 * BEAT
    assert len(clean(replace(whole, notes=held))) == 1


def test_a_tempo_alone_needs_a_new_key() -> None:
    scale = [60, 64, 67, 65, 69, 72, 67, 71, 74, 72, 60, 64] * 30
    rows = [(i * BEAT, BEAT, pitch, 80, 0) for i, pitch in enumerate(scale)]
    first = Score(records(NOTE, rows), records(TEMPO, [(0, 90.0)]), ticks_per_beat=BEAT)
    second = replace(first, tempos=records(TEMPO, [(0, 120.0)]))
    assert len(clean(then(first, second, rest=BEAT, metre=None))) == 1
    assert len(clean(then(first, transpose(second, 6), rest=BEAT, metre=None))) == 2


def test_short_files_and_short_movements_stay_whole() -> None:
    assert len(clean(then(melody(5), melody(6), rest=2 * BEAT, metre=(3, 4)))) == 1
    long_then_short = then(melody(5, 700), melody(6, 60), rest=2 * BEAT, metre=(3, 4))
    assert long_then_short.seconds > cleaning.MIN_SUITE_SECONDS
    assert len(clean(long_then_short)) == 1
    assert int(note_ends(long_then_short).max()) == long_then_short.end
