from __future__ import annotations

import json
import random
import time
from typing import Any

import numpy as np
import pytest
import symusic
from hypothesis import example, given, settings
from hypothesis import strategies as st
from midi_bytes import (
    SMALL,
    event,
    header,
    meta,
    metre,
    midi_file,
    off,
    on,
    pedal,
    program,
    tempo,
    track,
    tune,
)
from strategies import scores

from musenet import midi
from musenet.errors import UserError
from musenet.instruments import DRUMS, instrument_id
from musenet.midi import reading
from musenet.score import NOTE, Score, records

PIANO, VIOLIN, FLUTE = (instrument_id(name) for name in ("piano", "violin", "flute"))


def spans(data: bytes) -> list[tuple[int, int, int]]:
    """Onset, end and pitch of each note."""
    notes = midi.load(data).notes
    return [(int(n["onset"]), int(n["onset"] + n["duration"]), int(n["pitch"])) for n in notes]


def one_track(*events: bytes) -> list[tuple[int, int, int]]:
    return spans(midi_file(track(*events)))


def test_a_small_file_is_read_in_full() -> None:
    score = midi.load(SMALL)
    assert score.ticks_per_beat == 480
    assert score.tempos["tick"].tolist() == [0, 960]
    assert score.tempos["bpm"].tolist() == pytest.approx([90, 100], abs=1e-4)
    assert score.metres.tolist() == [(0, 3, 4)]
    assert score.notes.tolist() == [
        (0, 1450, 60, 80, VIOLIN),
        (0, 480, 36, 80, DRUMS),
        (480, 970, 62, 80, VIOLIN),
        (480, 480, 38, 80, DRUMS),
        (960, 490, 64, 80, VIOLIN),
    ]


def test_formats_0_1_and_2_hold_the_same_tune() -> None:
    zero = midi_file(track(program(0, 40), *tune()), kind=0)
    one = midi_file(track(), track(program(0, 40), *tune()))
    two = midi_file(track(program(0, 40), *tune((60, 62))), track(*tune((64,))), kind=2)
    assert midi.load(zero) == midi.load(one) == midi.load(two)


def test_note_on_of_velocity_0_ends_a_note() -> None:
    assert one_track(on(5, 60), on(10, 60, 0)) == [(5, 15, 60)]


def test_notes_of_one_pitch_are_paired_first_in_first_out() -> None:
    assert one_track(on(0, 60), on(10, 60), off(2, 60), off(8, 60)) == [(0, 10, 60), (10, 20, 60)]


def test_releases_of_keys_that_are_up_mean_nothing() -> None:
    events = (off(0, 60), off(1, 60), on(1, 60), off(2, 60), off(2, 60), on(1, 60), off(4, 60))
    assert one_track(*events) == [(2, 4, 60), (7, 11, 60)]


def test_a_note_of_no_length_lasts_a_tick() -> None:
    assert one_track(on(4, 60), off(0, 60)) == [(4, 5, 60)]


def test_a_hanging_note_lasts_until_its_track_ends() -> None:
    assert one_track(on(4, 60), off(10, 61), meta(6, 1, b"end")) == [(4, 20, 60)]


def test_a_hanging_note_ends_at_all_notes_off_and_when_struck_again() -> None:
    silence = event(10, 0xB0, 123, 0)
    assert one_track(on(0, 60), on(3, 62), silence, off(90, 1)) == [(0, 13, 60), (3, 13, 62)]
    assert one_track(on(0, 60), on(3, 60), off(90, 1)) == [(0, 3, 60), (3, 93, 60)]


@pytest.mark.parametrize("controller", [120, 123])
def test_what_silences_a_channel_lets_go_its_keys(controller: int) -> None:
    silence = event(480, 0xB0, controller, 0)
    again = (on(480, 60), off(480, 60))
    assert one_track(on(0, 60), silence, *again) == [(0, 480, 60), (960, 1440, 60)]
    assert one_track(on(0, 60), silence, off(480, 60), *again) == [(0, 480, 60), (1440, 1920, 60)]
    other = (on(0, 62, 80, 1), on(0, 60), silence, off(480, 62, 1))
    assert one_track(*other) == [(0, 480, 60), (0, 960, 62)]


def test_a_key_struck_after_all_notes_off_at_one_tick_sounds() -> None:
    silence = event(480, 0xB0, 123, 0)
    assert one_track(on(0, 60), silence, on(0, 60), off(480, 60)) == [(0, 480, 60), (480, 960, 60)]
    assert one_track(silence, on(0, 60), off(480, 1)) == [(480, 960, 60)]


def test_unisons_of_an_instrument_are_one_note_the_longest_and_loudest() -> None:
    first = track(program(0, 0), on(0, 60, 30), off(100, 60))
    second = track(program(0, 1, 1), on(0, 60, 90, 1), off(40, 60, 1))
    assert midi.load(midi_file(first, second)).notes.tolist() == [(0, 100, 60, 90, PIANO)]


def test_the_pedal_holds_notes_until_it_is_lifted() -> None:
    held = one_track(on(0, 60), pedal(5, 64), off(5, 60), pedal(90, 63), off(100, 1))
    assert held == [(0, 100, 60)]


def test_the_pedal_does_not_hold_what_ended_before_or_as_it_was_pressed() -> None:
    assert one_track(on(0, 60), off(10, 60), pedal(0, 127), pedal(90, 0)) == [(0, 10, 60)]
    assert one_track(pedal(0, 127), on(0, 60), pedal(10, 0), off(0, 60)) == [(0, 10, 60)]


def test_the_pedal_lifted_and_pressed_at_once_lets_notes_go() -> None:
    events = (pedal(0, 127), on(0, 60), off(10, 60), pedal(10, 0), pedal(0, 127), pedal(80, 0))
    assert one_track(*events) == [(0, 20, 60)]


def test_a_note_held_by_the_pedal_ends_when_it_is_struck_again() -> None:
    events = (pedal(0, 127), on(0, 60), off(10, 60), on(20, 60), off(10, 60), pedal(60, 0))
    assert one_track(*events) == [(0, 30, 60), (30, 100, 60)]


def test_half_pedal_values_in_between_do_not_lift_it() -> None:
    events = (pedal(0, 127), on(0, 60), off(10, 60), pedal(5, 90), pedal(5, 70), pedal(30, 20))
    assert one_track(*events) == [(0, 50, 60)]


def test_a_pedal_never_lifted_holds_until_the_track_ends() -> None:
    assert one_track(pedal(0, 127), on(0, 60), off(10, 60), meta(40, 1, b"")) == [(0, 50, 60)]


def test_reset_of_all_controllers_lifts_the_pedal() -> None:
    reset = event(15, 0xB0, 121, 0)
    assert one_track(pedal(0, 127), on(0, 60), off(10, 60), reset, off(70, 1)) == [(0, 25, 60)]


def test_the_pedal_is_of_its_channel_and_spares_the_drums() -> None:
    other = (on(0, 62, 80, 1), on(0, 36, 80, 9), off(10, 62, 1), off(0, 36, 9))
    events = (pedal(0, 127), pedal(0, 127, 9), *other, pedal(90, 0), pedal(0, 0, 9))
    assert one_track(*events) == [(0, 10, 62), (0, 10, 36)]


def test_a_track_without_pedal_follows_that_of_its_channel() -> None:
    right = track(on(0, 72), off(10, 72), meta(90, 1, b""))
    left = track(pedal(0, 127), on(0, 48), off(10, 48), pedal(40, 0))
    own = track(on(0, 60), off(20, 60), pedal(60, 0))
    found = spans(midi_file(right, left, own))
    assert found == [(0, 50, 48), (0, 20, 60), (0, 50, 72)]


def test_programs_change_within_a_track() -> None:
    events = (program(0, 40), *tune((60,)), program(0, 73), *tune((62,)), program(0, 40))
    score = midi.load(midi_file(track(*events)))
    assert score.notes["instrument"].tolist() == [VIOLIN, FLUTE]


def test_a_track_without_program_follows_its_channel_and_one_with_its_own() -> None:
    setup = track(program(0, 40), program(0, 73, 1))
    plain = track(*tune((60,)), program(0, 73), *tune((62,)))
    own = track(program(0, 0, 1), *tune((64,), 1))
    score = midi.load(midi_file(setup, plain, own))
    by_pitch = dict(zip(score.notes["pitch"].tolist(), score.notes["instrument"], strict=True))
    assert by_pitch == {60: VIOLIN, 62: FLUTE, 64: PIANO}


def test_tempo_and_metre_are_found_in_any_track_once_a_tick() -> None:
    first = track(tempo(0, 60), tempo(0, 90), metre(0, 4, 2))
    second = track(*tune(), tempo(0, 120), metre(0, 6, 3), tempo(5, 50))
    score = midi.load(midi_file(first, second))
    assert score.tempos["tick"].tolist() == [0, 1440]
    assert score.tempos["bpm"].tolist() == pytest.approx([90, 120], abs=1e-3)
    assert score.metres.tolist() == [(0, 4, 4), (1440, 6, 8)]


def test_senseless_tempo_and_metre_are_left_out() -> None:
    odd = (meta(0, 0x51, b"\0\0\0"), meta(0, 0x51, b""), metre(0, 0, 2), metre(0, 3, 200))
    score = midi.load(midi_file(track(*odd, meta(0, 0x58, b"\x03"), *tune())))
    assert not len(score.tempos)
    assert not len(score.metres)


@pytest.mark.parametrize(("frames", "rate"), [(24, 24), (25, 25), (29, 30000 / 1001), (30, 30)])
@pytest.mark.parametrize("ticks", [1, 4, 40, 80])
def test_smpte_frames_keep_their_time(frames: int, rate: float, ticks: int) -> None:
    division = (256 - frames) << 8 | ticks
    body = track(tempo(0, 33), on(0, 60), off(frames * ticks * 10, 60))
    score = midi.load(midi_file(body, division=division))
    assert score.seconds == pytest.approx(frames / rate * 10)
    assert 100 < score.tempos["bpm"][0] < 140


def test_a_score_may_have_no_notes() -> None:
    score = midi.load(midi_file(track(tempo(0, 90))))
    assert not len(score.notes)
    assert len(score.tempos) == 1


def test_a_path_a_text_and_bytes_give_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("midi") / "a.mid"
    path.write_bytes(SMALL)
    assert midi.load(path) == midi.load(str(path)) == midi.load(SMALL)


def test_limits_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, value in {"MAX_NOTES": 4, "MAX_BEATS": 2, "MAX_HOURS": 0.0001}.items():
        with monkeypatch.context() as patch:
            patch.setattr(reading, limit, value)
            with pytest.raises(UserError, match="give a s"):
                midi.load(SMALL)


def test_a_piece_of_many_years_is_refused() -> None:
    slow = meta(0, 0x51, b"\xff\xff\xff")
    with pytest.raises(UserError, match="24 hours"):
        midi.load(midi_file(track(slow, on(0, 60), off(60_000, 60)), division=1))
    with pytest.raises(UserError, match="beats"):
        midi.load(midi_file(track(on(0, 60), off(2**28 - 1, 60)), division=1))


def survives(data: bytes) -> bool:
    """Whether bytes give a score; all that reads them either does or refuses."""
    try:
        score = midi.load(data)
        json.dumps(midi.describe(data), allow_nan=False)
    except UserError as error:
        assert "\n" not in str(error)
        return False
    assert isinstance(score, Score)
    assert (score.notes["duration"] > 0).all()
    assert ((score.notes["velocity"] > 0) & (score.notes["velocity"] < 128)).all()
    try:
        midi.load(midi.extend(data, score.end // 2, score))
    except UserError as error:
        assert "too long" in str(error) or "longer than" in str(error)
    return True


def test_a_file_cut_off_anywhere_gives_its_beginning_or_is_refused() -> None:
    whole = len(midi.load(SMALL).notes)
    first_track = SMALL.index(b"MTrk") + 4
    for length in range(len(SMALL)):
        assert survives(SMALL[:length]) == (length >= first_track)
        if length >= first_track:
            assert len(midi.load(SMALL[:length]).notes) <= whole


def test_any_change_of_a_few_bytes_is_read_or_refused() -> None:
    rng = random.Random(1)
    values = (0, 0x7F, 0x80, 0xFF, *range(256))
    read = 0
    for _ in range(3000):
        data = bytearray(SMALL)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.choice(values)
        read += survives(bytes(data))
    assert read > 1500


@given(st.binary(max_size=400))
@example(b"MThd")
@example(header() + b"MTrk")
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    survives(data)
    survives(header() + data)
    assert survives(header() + b"MTrk\0\0\0\0" + data)


@pytest.mark.parametrize("unit", [b"\0", b"MTrk\0\0\0\0", b"\0\x90\x3c\x40", b"\0\xff\x01\0"])
def test_large_rubbish_is_refused_or_read_soon(unit: bytes) -> None:
    data = header() + b"MTrk\xff\xff\xff\xff" + unit * (2**22 // len(unit))
    began = time.perf_counter()
    try:
        midi.load(data)
    except UserError as error:
        assert "\n" not in str(error)
    assert time.perf_counter() - began < 30


@settings(max_examples=30)
@given(scores(ticks_per_beat=[480], max_notes=40))
def test_another_reader_finds_the_same_notes(score: Score) -> None:
    data = midi.to_bytes(score)
    other: Any = symusic.Score.from_midi(data)
    rows = [
        (n.start, n.duration, n.pitch, n.velocity, instrument_id(track.name))
        for track in other.tracks
        for n in track.notes
    ]
    expected = records(NOTE, sorted(rows))
    found = midi.load(data).notes
    assert np.array_equal(np.sort(found), np.sort(expected))
