from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import scores

from musenet.composing.rules import (
    DURATION_IDS,
    MAX_RESTS,
    PITCHES,
    TEMPO_FREEDOM,
    VELOCITY_IDS,
    Past,
    Rules,
    Wishes,
)
from musenet.events import (
    DRUM_OFFSET,
    END,
    MAX_WAIT,
    METRE_EVENT,
    METRE_OFFSET,
    REST,
    TEMPO_EVENT,
    TEMPO_OFFSET,
    Table,
    encode,
    to_ids,
)
from musenet.features import Moments, moments_of
from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.quantise import METRES, TEMPI
from musenet.score import Score

PIANO, VIOLIN, TIMPANI = map(instrument_id, ("piano", "violin", "timpani"))
TEMPO_120 = 45
HEAD = [(0, METRE_EVENT, 0, 0, 0), (0, TEMPO_EVENT, TEMPO_120, 0, 0)]
ROWS = 100_000


def table(*rows: tuple[int, int, int, int, int]) -> Table:
    """Rows behind a metre of 4/4 and a tempo of about 120."""
    return np.array([*HEAD, *rows], dtype=np.uint8)


def after(music: Table) -> Moments:
    last = moments_of(music).take(np.array([len(music) - 1]))
    return last.after_row(music[-1:, 1].astype(np.int64), music[-1:, 2].astype(np.int64))


def waits(rules: Rules, music: Table, earliest: int = 0) -> list[int]:
    past = Past.of(music, earliest, 1)
    return np.flatnonzero(rules.waits(past, after(music))[0]).tolist()


def players(rules: Rules, music: Table, wait: int) -> list[int]:
    at, moments = np.array([wait]), after(music).after_wait(np.array([wait]))
    return np.flatnonzero(rules.instruments(Past.of(music, 0, 1), moments, at)[0]).tolist()


def pitches(rules: Rules, music: Table, wait: int, instrument: int) -> list[int]:
    moments = after(music).after_wait(np.array([wait]))
    mask = rules.pitches(Past.of(music, 0, 1), moments, np.array([instrument]))
    return np.flatnonzero(mask[0]).tolist()


def rules_for(*instruments: int, seconds: float = 600.0, **asked: Any) -> Rules:
    return Rules(Wishes(instruments, seconds, **asked), ROWS)


def test_every_instrument_has_its_range_and_what_is_no_note_has_none() -> None:
    for index, instrument in enumerate(INSTRUMENTS):
        ids = np.flatnonzero(PITCHES[index]) - (DRUM_OFFSET if index == DRUMS else 0)
        assert ids.tolist() == list(range(instrument.low, instrument.high + 1))
    for kind in (REST, END, TEMPO_EVENT, METRE_EVENT):
        assert np.flatnonzero(DURATION_IDS[kind]).tolist() == [0]
        assert np.flatnonzero(VELOCITY_IDS[kind]).tolist() == [0]
    assert np.flatnonzero(DURATION_IDS[DRUMS]).tolist() == [0]
    assert np.flatnonzero(VELOCITY_IDS[DRUMS]).tolist() == list(range(1, 33))
    assert np.flatnonzero(DURATION_IDS[PIANO]).tolist() == list(range(1, 121))


def test_a_piece_begins_with_metre_and_tempo() -> None:
    rules = rules_for(PIANO, metre=1, tempo=30)
    past, start = Past.of(np.zeros((0, 5), np.uint8), 0, 1), Moments.beginning(1)
    none = np.zeros(1, dtype=np.int64)
    assert np.flatnonzero(rules.waits(past, start)[0]).tolist() == [0]
    now = start.after_wait(none)
    assert np.flatnonzero(rules.instruments(past, now, none)[0]).tolist() == [METRE_EVENT]
    kind = np.array([METRE_EVENT])
    assert np.flatnonzero(rules.pitches(past, now, kind)[0]).tolist() == [METRE_OFFSET + 1]
    past.add(np.array([[0, METRE_EVENT, METRE_OFFSET + 1, 0, 0]]), now.tick)
    assert np.flatnonzero(rules.instruments(past, now, none)[0]).tolist() == [TEMPO_EVENT]
    kind = np.array([TEMPO_EVENT])
    assert np.flatnonzero(rules.pitches(past, now, kind)[0]).tolist() == [TEMPO_OFFSET + 30]


def test_within_a_tick_order_rises() -> None:
    rules = rules_for(PIANO, VIOLIN)
    music = table((0, PIANO, 60, 24, 20))
    assert players(rules, music, 0) == [PIANO, VIOLIN]
    assert pitches(rules, music, 0, PIANO) == list(range(61, 109))
    music = table((0, VIOLIN, 60, 24, 20))
    assert players(rules, music, 0) == [VIOLIN]
    music = table((0, VIOLIN, 103, 24, 20))
    assert waits(rules, music) == list(range(1, MAX_WAIT + 1))


def test_a_sounding_pitch_is_not_struck_again() -> None:
    rules = rules_for(PIANO)
    music = table((0, PIANO, 60, 24, 20))
    assert 60 not in pitches(rules, music, 23, PIANO)
    assert 60 in pitches(rules, music, 24, PIANO)


def test_drums_may_be_struck_again_at_once() -> None:
    rules = rules_for(DRUMS)
    assert DRUM_OFFSET + 38 in pitches(rules, table((0, DRUMS, 38, 0, 20)), 1, DRUMS)


def test_when_all_pitches_sound_the_wait_leads_beyond() -> None:
    low, high = INSTRUMENTS[TIMPANI].low, INSTRUMENTS[TIMPANI].high
    music = table(*[(0, TIMPANI, pitch, 50, 20) for pitch in range(low, high + 1)])
    rules = rules_for(TIMPANI)
    assert waits(rules, music) == list(range(50, MAX_WAIT + 1))
    long = music.copy()
    long[2:, 3] = 120
    assert waits(rules, long) == [MAX_WAIT]
    rested = np.concatenate([long, np.array([(96, REST, 0, 0, 0)] * 2, dtype=np.uint8)])
    assert players(rules, rested, MAX_WAIT) == [REST, TEMPO_EVENT, METRE_EVENT]


def test_rests_are_whole_waits_and_few() -> None:
    rules, note = rules_for(PIANO), (0, PIANO, 60, 1, 20)
    assert REST in players(rules, table(note), MAX_WAIT)
    assert REST not in players(rules, table(note), MAX_WAIT - 1)
    rested = table(note, *[(MAX_WAIT, REST, 0, 0, 0)] * MAX_RESTS)
    assert REST not in players(rules, rested, MAX_WAIT)
    assert 0 not in waits(rules, rested)


def test_tempo_changes_on_beats_and_metre_on_bars() -> None:
    rules, note = rules_for(PIANO), (0, PIANO, 60, 1, 20)
    assert TEMPO_EVENT in players(rules, table(note), 24)
    assert TEMPO_EVENT not in players(rules, table(note), 25)
    assert METRE_EVENT not in players(rules, table(note), 24)
    assert METRE_EVENT in players(rules, table(note), 96)
    metre = table(note, (96, METRE_EVENT, 1, 0, 0))
    assert players(rules, metre, 0) == [PIANO, TEMPO_EVENT]
    tempo = table(note, (96, TEMPO_EVENT, 30, 0, 0))
    assert players(rules, tempo, 0) == [PIANO]
    assert METRE_EVENT not in players(rules_for(PIANO, metre=0), table(note), 96)


def test_a_change_changes_something() -> None:
    rules, note = rules_for(PIANO), (0, PIANO, 60, 1, 20)
    steps = pitches(rules, table(note), 24, TEMPO_EVENT)
    assert steps == [TEMPO_OFFSET + i for i in range(len(TEMPI)) if i != TEMPO_120]
    metres = pitches(rules, table(note), 96, METRE_EVENT)
    assert metres == [METRE_OFFSET + i for i in range(1, len(METRES))]


def test_tempo_stays_near_the_one_asked_for() -> None:
    rules = rules_for(PIANO, tempo=TEMPO_120)
    steps = pitches(rules, table((0, PIANO, 60, 1, 20)), 24, TEMPO_EVENT)
    assert min(steps) == TEMPO_OFFSET + TEMPO_120 - TEMPO_FREEDOM
    assert max(steps) == TEMPO_OFFSET + TEMPO_120 + TEMPO_FREEDOM


def test_the_end_stands_where_the_last_note_ends_and_not_early() -> None:
    music = table((0, PIANO, 60, 96, 20), (90, PIANO, 62, 6, 20))
    seconds = 96 * 60 / (TEMPI[TEMPO_120] * 24)
    on_time = rules_for(PIANO, seconds=seconds)
    assert END in players(on_time, music, 6)
    assert END not in players(on_time, music, 5)
    assert END not in players(on_time, music, 7)
    assert END not in players(rules_for(PIANO, seconds=seconds * 1.06), music, 6)
    assert END not in players(rules_for(PIANO, VIOLIN, seconds=seconds), music, 6)


def test_nothing_outlasts_the_limit() -> None:
    music = table((0, PIANO, 60, 1, 20))
    seconds = 96 * 60 / (TEMPI[TEMPO_120] * 24)
    rules = rules_for(PIANO, seconds=seconds)
    assert max(waits(rules, music)) == 96
    now = after(music).after_wait(np.array([90]))
    left = int(rules.ticks_left(now)[0])
    assert left == 10
    lengths = np.flatnonzero(rules.durations(now, np.array([PIANO]))[0])
    assert lengths.tolist() == list(range(1, left + 1))
    past = Past.of(music, 0, 1)
    assert not rules.is_over(past, now)[0]
    assert rules.is_over(past, now.after_wait(np.array([9])))[0]


def test_the_wait_for_the_end_is_one_that_exists() -> None:
    rules = rules_for(PIANO, seconds=99 * 60 / (TEMPI[TEMPO_120] * 24))
    music = table((0, PIANO, 60, 96, 20), (0, PIANO, 62, 97, 20))
    assert max(waits(rules, music)) == MAX_WAIT


def test_a_slower_tempo_must_leave_room_for_what_sounds() -> None:
    music = table((0, PIANO, 60, 96, 20))
    seconds = 96 * 60 / (TEMPI[TEMPO_120] * 24)
    steps = pitches(rules_for(PIANO, seconds=seconds), music, 24, TEMPO_EVENT)
    slowest = TEMPI[min(steps) - TEMPO_OFFSET]
    beat = 60 / TEMPI[TEMPO_120]
    assert beat + 3 * 60 / slowest <= 1.05 * seconds < beat + 3 * 60 / (slowest / 1.05)


def test_ticks_are_kept_for_instruments_not_heard() -> None:
    music = table((0, PIANO, 60, 1, 20))
    rules = rules_for(PIANO, VIOLIN, TIMPANI, seconds=1.5)
    assert max(waits(rules, music)) == int(rules.ticks_left(after(music))[0]) - 2
    latest = after(music).after_wait(np.array([max(waits(rules, music))]))
    assert rules.is_last_call(Past.of(music, 0, 1), latest)[0]


def test_nothing_new_begins_before_a_given_end() -> None:
    assert min(waits(rules_for(PIANO), table((0, PIANO, 60, 120, 20)), earliest=50)) == 50


def test_when_rows_run_out_time_must_pass() -> None:
    wishes = Wishes((PIANO,), 60.0)
    music = table((0, PIANO, 60, 1, 20))
    assert min(waits(Rules(wishes, 100), music)) == 6
    assert min(waits(Rules(wishes, 100), music, earliest=50)) == 50
    assert min(waits(Rules(wishes, 10_000), music)) == 0


@settings(max_examples=40)
@given(scores(min_notes=1), st.integers(1, 3))
def test_an_opening_is_remembered_as_if_it_had_been_composed(score: Score, count: int) -> None:
    music = encode(score)[:-1]
    whole = Past.of(music, 7, count)
    grown = Past.of(music[:0], 7, count)
    moments, ids = moments_of(music), to_ids(music)
    for row in range(len(music)):
        grown.add(np.tile(ids[row], (count, 1)), np.full(count, moments.tick[row]))
    for name in vars(whole):
        assert np.array_equal(getattr(whole, name), getattr(grown, name)), name


def test_wishes_may_name_instruments_in_any_order() -> None:
    music = table((0, PIANO, 60, 1, 20))
    one, other = rules_for(VIOLIN, PIANO, DRUMS), rules_for(DRUMS, PIANO, VIOLIN)
    assert players(one, music, 3) == players(other, music, 3) == [PIANO, VIOLIN, DRUMS]


def test_no_more_notes_sound_at_once_than_there_are_voices() -> None:
    rules = Rules(Wishes((VIOLIN, PIANO), 600.0, voices=(2, 3)), ROWS)
    music = table((0, PIANO, 60, 96, 20), (0, VIOLIN, 60, 24, 20), (0, VIOLIN, 64, 48, 20))
    assert waits(rules, music)[0] == 1
    assert players(rules, music, 12) == [PIANO]
    assert VIOLIN in players(rules, music, 24)
    music = table((0, PIANO, 60, 96, 20), (0, VIOLIN, 60, 24, 20))
    assert players(rules, music, 0) == [VIOLIN]
    alone = Rules(Wishes((VIOLIN,), 600.0, voices=(1,)), ROWS)
    assert waits(alone, table((0, VIOLIN, 60, 24, 20))) == list(range(24, MAX_WAIT + 1))
    long = table((0, VIOLIN, 60, 120, 20))
    assert waits(alone, long) == [MAX_WAIT]
    assert REST in players(alone, long, MAX_WAIT)
    assert VIOLIN not in players(alone, long, MAX_WAIT)
