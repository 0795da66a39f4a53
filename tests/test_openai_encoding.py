from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores

from musenet.errors import UserError
from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.midi import load, to_bytes
from musenet.openai_encoding import (
    BPM,
    END,
    END_OF_SAMPLE,
    START,
    TICKS_PER_BEAT,
    VOCABULARY,
    decode,
    encode,
    instrument_set,
    on_grid,
    parse,
)
from musenet.score import NOTE, TEMPO, Score, note_ends, records, seconds_at

IDS = st.lists(st.integers(0, VOCABULARY - 1), max_size=80)
EVENTS = st.lists(st.one_of(st.integers(0, 4095), st.integers(3968, 4095)), max_size=80)


def played(*rows: tuple[int, int, int, int, int]) -> Score:
    """Notes in ticks of 10 ms."""
    return Score(records(NOTE, rows), records(TEMPO, [(0, BPM)]), ticks_per_beat=TICKS_PER_BEAT)


@given(scores(), st.booleans())
def test_what_the_grid_holds_comes_back(score: Score, framed: bool) -> None:
    coarse = on_grid(score)
    ids = encode(score, framed=framed)
    assert decode(ids) == coarse
    assert on_grid(coarse) == coarse
    assert encode(coarse, framed=framed) == ids
    assert all(0 <= number < VOCABULARY for number in ids)


@given(st.one_of(IDS, EVENTS))
def test_any_ids_make_a_sound_score(ids: list[int]) -> None:
    score = decode(ids)
    assert on_grid(score) == score
    cut = next((i for i, n in enumerate(ids) if n in (END, END_OF_SAMPLE)), len(ids))
    length = sum(n - 3967 for n in ids[:cut] if 3968 <= n <= 4095)
    pitched = score.notes["instrument"] != DRUMS
    assert np.all(score.notes["duration"] >= 1)
    assert np.all(note_ends(score)[pitched] <= max(length, 0) + 1)
    assert np.all(score.notes["onset"] <= length)
    again = load(to_bytes(score))
    assert np.array_equal(again.notes["pitch"], score.notes["pitch"])


@given(scores(min_notes=1, max_notes=12))
def test_time_is_kept_to_half_a_tick(score: Score) -> None:
    coarse = on_grid(score)
    last = seconds_at(score, score.notes["onset"]).max()
    assert seconds_at(coarse, coarse.notes["onset"]).max() == pytest.approx(last, abs=0.00501)


@pytest.mark.parametrize(
    ("ids", "rows"),
    [
        ([128 + 60, 4015, 60], [(0, 48, 60, 24, 0)]),
        ([128 * 13 + 60, 3968, 60], [(0, 1, 60, 120, 0)]),
        ([1792 + 60, 3968, 1920 + 60], [(0, 1, 60, 80, instrument_id("violin"))]),
        ([2048 + 60, 3968, 2176 + 60], [(0, 1, 60, 80, instrument_id("cello"))]),
        ([2304 + 40, 3968, 2432 + 40], [(0, 1, 40, 80, instrument_id("acoustic bass"))]),
        ([2560 + 60, 3968, 2688 + 60], [(0, 1, 60, 80, instrument_id("acoustic guitar"))]),
        ([2816 + 60, 3968, 2944 + 60], [(0, 1, 60, 80, instrument_id("flute"))]),
        ([3072 + 60, 3968, 3200 + 60], [(0, 1, 60, 80, instrument_id("clarinet"))]),
        ([3328 + 60, 3968, 3456 + 60], [(0, 1, 60, 80, instrument_id("trumpet"))]),
        ([3584 + 60, 3968, 3712 + 60], [(0, 1, 60, 80, instrument_id("harp"))]),
        ([4095, 3967 + 72, 3840 + 38], [(200, 12, 38, 80, DRUMS)]),
    ],
)
def test_the_documented_ids(ids: list[int], rows: list[tuple[int, int, int, int, int]]) -> None:
    score = played(*rows)
    assert decode(ids) == score
    assert encode(score) == ids


def test_the_frame() -> None:
    quartet = played(
        (0, 5, 60, 80, 0), (0, 5, 40, 80, instrument_id("electric bass")), (0, 12, 38, 80, DRUMS)
    )
    assert instrument_set(quartet) == END_OF_SAMPLE + 64 + 16 + 1
    ids = encode(quartet, framed=True)
    assert (ids[0], ids[1], ids[-1]) == (END_OF_SAMPLE + 81, START, END)
    assert ids[2:-1] == encode(quartet)
    everything = played(*((0, 1, 60, 80, i) for i in range(len(INSTRUMENTS))))
    assert instrument_set(everything) == 4225
    assert decode([*ids, 188, 4095, 60]) == decode(ids)


@pytest.mark.parametrize(
    ("name", "becomes"),
    [("viola", "violin"), ("strings", "violin"), ("contrabass", "cello"), ("tuba", "trumpet"),
     ("oboe", "clarinet"), ("alto sax", "clarinet"), ("piccolo", "flute"), ("organ", "piano"),
     ("distorted guitar", "acoustic guitar"), ("synth bass", "acoustic bass"),
     ("choir", "piano"), ("timpani", "piano"), ("sitar", "piano")],
)  # fmt: skip
def test_instruments_fold(name: str, becomes: str) -> None:
    score = on_grid(played((0, 5, 60, 80, instrument_id(name))))
    assert score.instruments == [instrument_id(becomes)]


def test_nothing_hangs() -> None:
    held = decode([128 + 60, 3977, 128 + 64, 3977])
    assert held == played((0, 20, 60, 24, 0), (10, 10, 64, 24, 0))
    struck_again = decode([128 + 60, 3977, 256 + 60, 3977, 60])
    assert struck_again == played((0, 10, 60, 24, 0), (10, 10, 60, 32, 0))
    assert decode([60, 3977, 61]) == played()


@pytest.mark.parametrize("number", [-1, VOCABULARY, 10**9])
def test_other_ids_are_refused(number: int) -> None:
    with pytest.raises(UserError, match="no id of the web service"):
        decode([188, number])


def test_text() -> None:
    assert parse(" 188 3968\n60 ") == parse("[188, 3968, 60]") == [188, 3968, 60]
    assert parse("") == []
    for wrong in ("188 -60", "1.5", "start", "²"):
        with pytest.raises(UserError, match="is no id"):
            parse(wrong)
