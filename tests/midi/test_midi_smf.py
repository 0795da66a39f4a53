from __future__ import annotations

import io
from pathlib import Path

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from midi_bytes import SMALL, event, header, meta, midi_file, off, on, track, tune, wait

from musenet.errors import UserError
from musenet.midi import smf


def refused(source: Path | str | bytes) -> str:
    with pytest.raises(UserError) as error:
        smf.read(source)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_variable_length_numbers_are_those_of_the_standard() -> None:
    pairs = {0: "00", 0x7F: "7f", 0x80: "8100", 0x3FFF: "ff7f", 0x4000: "818000"}
    pairs |= {0x1FFFFF: "ffff7f", 0x200000: "81808000", 0xFFFFFFF: "ffffff7f"}
    assert {value: smf.variable_length(value).hex() for value in pairs} == pairs


@given(st.integers(0, smf.MAX_TICK))
def test_a_wait_is_read_as_it_is_written(ticks: int) -> None:
    (read,) = smf.read(midi_file(track(wait(ticks) + b"\x90\x3c\x40"))).tracks
    assert read.tick.tolist() == [ticks]


def test_a_copy_of_all_messages_is_the_file_itself() -> None:
    file = smf.read(SMALL)
    whole = [track.messages(smf.MAX_TICK) for track in file.tracks]
    assert smf.file_bytes(file.format, file.division, whole) == SMALL


def test_running_status_survives_meta_events() -> None:
    body = track(on(0, 60), event(10, 60, 0), meta(0, 1, b"hm"), event(5, 62, 70))
    (read,) = smf.read(midi_file(body)).tracks
    kept = zip(read.tick.tolist(), read.status.tolist(), read.first.tolist(), strict=True)
    assert list(kept) == [(0, 0x90, 60), (10, 0x90, 60), (10, 0xFF, 0), (15, 0x90, 62)]


def test_system_messages_out_of_place_are_stepped_over() -> None:
    body = track(event(0, 0xF2, 1, 2), event(3, 0xF8), on(1, 60), off(4, 60))
    file = smf.read(midi_file(body))
    assert file.tracks[0].tick.tolist() == [4, 8]
    assert not file.damaged


@pytest.mark.parametrize("length", [0, 1, 7, 1000, 0xFFFFFFFF])
def test_a_track_that_lies_about_its_length_is_read_whole(length: int) -> None:
    first, second = track(*tune(), length=length), track(*tune((50,)))
    file = smf.read(midi_file(first, second))
    assert [len(track.tick) for track in file.tracks] == [6, 2]


def test_a_text_that_looks_like_a_track_is_no_track() -> None:
    body = track(meta(0, 1, b"MTrk\x00\x00\x00\x04\x00\xff\x2f\x00"), *tune())
    assert len(smf.read(midi_file(body)).tracks) == 1


def test_unknown_chunks_and_rubbish_are_stepped_over() -> None:
    odd = b"XFIH\x00\x00\x00\x04abcd"
    data = header(1, 2) + odd + track(*tune()) + odd + track(*tune()) + b"\x00\x1a rubbish"
    file = smf.read(data)
    assert [len(track.tick) for track in file.tracks] == [6, 6]
    assert not file.damaged


def test_a_file_wrapped_in_riff_is_the_same_file() -> None:
    inner = midi_file(track(*tune()), division=96)
    body = b"RMIDdata" + len(inner).to_bytes(4, "little") + inner
    file = smf.read(b"RIFF" + len(body).to_bytes(4, "little") + body)
    assert (file.division, len(file.tracks[0].tick)) == (96, 6)


def test_a_track_is_read_up_to_the_byte_that_makes_no_sense() -> None:
    file = smf.read(midi_file(track(*tune(), event(0, 0x90, 0x99, 5), *tune()), track(*tune())))
    assert [len(track.tick) for track in file.tracks] == [6, 6]
    assert file.damaged


def test_data_without_a_status_is_damage() -> None:
    file = smf.read(midi_file(track(event(0, 60, 60))))
    assert file.damaged
    assert not len(file.tracks[0].tick)


def test_missing_tracks_are_damage() -> None:
    assert smf.read(header(1, 3) + track(*tune())).damaged


def test_patterns_of_format_2_follow_one_another() -> None:
    file = smf.read(midi_file(track(*tune()), track(*tune((50,))), kind=2))
    assert file.tracks[1].tick.tolist() == [1440, 1920]


def test_what_is_no_midi_file_is_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "empty.mid").touch()
    assert "empty" in refused(tmp_path / "empty.mid")
    assert "no such file" in refused(tmp_path / "none.mid")
    assert "a folder" in refused(str(tmp_path))
    assert "empty" in refused(b"")
    assert "not a MIDI file" in refused(b"ID3 music of another kind")
    assert "cut off in its header" in refused(header()[:11])
    assert "cut off before its first track" in refused(header())
    assert "time division" in refused(midi_file(track(*tune()), division=0))
    assert "time division" in refused(midi_file(track(*tune()), division=0x8010))
    assert "cannot be read" in refused("a\0b") or "no such file" in refused("a\0b")


def test_limits_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    data = midi_file(track(*tune()), track(meta(0, 1, b"a"), meta(0, 1, b"b")))
    limits = {"MAX_TRACKS": 1, "MAX_EVENTS": 7, "MAX_TEXTS": 1, "MAX_BYTES": len(data) - 1}
    for limit, value in limits.items():
        with monkeypatch.context() as patch:
            patch.setattr(smf, limit, value)
            refused(data)
    smf.read(data)


def test_mido_reads_what_is_written() -> None:
    messages = [(0, smf.text_meta(smf.TRACK_NAME, "x" * 300)), (200, bytes([0x90, 60, 64]))]
    data = smf.file_bytes(1, 480, [messages, []], ends=[1000])
    read = mido.MidiFile(file=io.BytesIO(data))
    assert [message.time for message in read.tracks[0]] == [0, 200, 800]
    assert [message.type for message in read.tracks[1]] == ["end_of_track"]
