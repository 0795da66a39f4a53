from __future__ import annotations

import io
import os
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from midi_bytes import event, midi_file, off, on, track, tune

from musenet.errors import UserError
from musenet.rendering import audio
from musenet.rendering.audio import (
    FORMATS,
    SAMPLE_RATES,
    default_soundfont,
    encode,
    render,
    save_audio,
)

RATE = 44100


def midi_bytes(*tracks: list[mido.Message | mido.MetaMessage]) -> bytes:
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def part(
    channel: int, program: int, pitches: list[int], velocity: int = 80, ticks: int = 480
) -> list[mido.Message | mido.MetaMessage]:
    """Notes one after the other, half a second each at the tempo that MIDI files begin with."""
    track = [mido.Message("program_change", channel=channel, program=program)]
    for note in pitches:
        track.append(mido.Message("note_on", channel=channel, note=note, velocity=velocity))
        track.append(mido.Message("note_off", channel=channel, note=note, time=ticks))
    return track


SCALE = midi_bytes(part(0, 0, [60, 62, 64, 65]), part(1, 40, [72, 74, 76, 77]))


def test_sound_lasts_as_long_as_the_piece_and_a_short_tail() -> None:
    sound = render(SCALE)
    assert sound.shape[1] == 2
    assert sound.dtype == np.float32
    assert 2.0 <= len(sound) / RATE <= 2.0 + 4.0
    assert np.abs(sound[int(1.9 * RATE) : 2 * RATE]).max() > 0.01


def test_peak_is_one_decibel_below_full_scale() -> None:
    sound = render(SCALE)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() == pytest.approx(10 ** (-1 / 20), abs=0.01)


def test_the_end_fades_to_silence() -> None:
    organ = midi_bytes(part(0, 19, [60], ticks=960))
    sound = render(organ)
    assert np.abs(sound[-1]).max() == 0.0
    assert np.abs(sound[-RATE // 20 :]).max() < 0.01


def test_silence_at_the_end_is_cut_to_two_seconds() -> None:
    late = [
        *part(0, 115, [60]),
        mido.Message("control_change", channel=0, control=64, value=0, time=480 * 40),
        mido.MetaMessage("end_of_track", time=480 * 2000),
    ]
    sound = render(midi_bytes(late))
    loud = np.flatnonzero(np.abs(sound).max(axis=1) > 1e-3)
    assert (len(sound) - loud[-1]) / RATE <= 2.1
    assert len(sound) / RATE < 6


def test_a_piece_without_notes_is_short_silence() -> None:
    sound = render(midi_bytes([]))
    assert 0 < len(sound) < RATE
    assert not sound.any()


def test_tempo_changes_set_the_length() -> None:
    slow = [mido.MetaMessage("set_tempo", tempo=1_000_000), *part(0, 19, [60, 62, 64, 65])]
    assert 4.0 <= len(render(midi_bytes(slow))) / RATE <= 8.0


def test_pitch_survives_the_sample_rate() -> None:
    flute = midi_bytes(part(0, 73, [69], ticks=1920))
    for rate in (22050, 44100, 48000):
        sound = render(flute, sample_rate=rate)[: 2 * rate, 0]
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
        assert spectrum.argmax() / 2 == pytest.approx(440, abs=4)


def test_a_mix_louder_than_the_synthesizer_holds_is_not_clipped() -> None:
    channels = [channel for channel in range(16) if channel != 9]
    full = [mido.Message("control_change", channel=c, control=7, value=127) for c in channels]
    chords = [part(c, 81, [40 + c % 4], velocity=127, ticks=960) for c in channels]
    loud = np.abs(render(midi_bytes(full, *chords), sample_rate=48000))
    assert np.sum(loud == loud.max()) <= 2


def test_the_same_midi_gives_the_same_sound() -> None:
    np.testing.assert_array_equal(render(SCALE), render(SCALE))


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_is_read_again(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"piece{suffix.upper()}"
    save_audio(SCALE, path)
    heard, rate = soundfile.read(path)
    sound = render(SCALE)
    assert rate == RATE
    assert abs(len(heard) - len(sound)) < 4000
    assert np.abs(heard).max() <= 1.0
    assert heard.std() == pytest.approx(sound.std(), rel=0.1)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("rate", SAMPLE_RATES)
def test_every_format_takes_every_rate(suffix: str, rate: int) -> None:
    tone = np.sin(np.arange(rate) * 0.05)[:, None].repeat(2, axis=1).astype(np.float32)
    _, found = soundfile.read(io.BytesIO(encode(tone, rate, suffix)))
    assert found == rate


def test_a_long_ogg_is_written() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (RATE * 60, 2)).astype(np.float32)
    assert soundfile.info(io.BytesIO(encode(noise, RATE, ".ogg"))).frames == len(noise)


def test_an_unknown_suffix_names_the_formats(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.wav, \.flac, \.ogg or \.mp3"):
        save_audio(SCALE, tmp_path / "piece.aiff")


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "piece.wav"
    path.write_bytes(b"before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        save_audio(SCALE, path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "none").write_bytes(b"a file")
    with pytest.raises(UserError, match="cannot write"):
        save_audio(SCALE, tmp_path / "none" / "piece.wav")


def test_a_soundfont_of_the_user(tmp_path: Path) -> None:
    own = tmp_path / "own.sf2"
    own.write_bytes(default_soundfont().read_bytes())
    np.testing.assert_array_equal(render(SCALE, soundfont=own), render(SCALE))
    own.write_bytes(b"RIFF")
    with pytest.raises(UserError, match="SoundFont"):
        render(SCALE, soundfont=own)
    with pytest.raises(UserError, match=r"none\.sf2"):
        render(SCALE, soundfont=tmp_path / "none.sf2")


@pytest.mark.parametrize("content", [b"", b"MThd", b"RIFFxxxx", SCALE[:14]])
def test_what_is_no_midi_is_told(content: bytes) -> None:
    with pytest.raises(UserError, match="MIDI"):
        render(content)


def test_a_file_in_riff_sounds_as_without() -> None:
    body = b"RMIDdata" + len(SCALE).to_bytes(4, "little") + SCALE
    riff = b"RIFF" + len(body).to_bytes(4, "little") + body
    np.testing.assert_array_equal(render(riff), render(SCALE))


def test_a_file_in_smpte_frames_keeps_its_time() -> None:
    frames = midi_file(
        track(on(0, 60), off(1000, 60), on(0, 64), off(1000, 64)), division=(256 - 25) << 8 | 40
    )
    beats = midi_file(track(on(0, 60), off(1000, 60), on(0, 64), off(1000, 64)), division=500)
    np.testing.assert_array_equal(render(frames), render(beats))


def test_of_a_damaged_file_the_sound_part_is_rendered() -> None:
    sound = track(*tune((60, 62)))
    whole, cut = midi_file(sound), midi_file(sound)[:-4]
    odd = midi_file(track(*tune((60, 62)), event(0, 0x90, 0x99, 5), *tune((64,))))
    np.testing.assert_array_equal(render(cut), render(whole))
    np.testing.assert_array_equal(render(odd), render(whole))


def test_patterns_sound_one_after_the_other() -> None:
    both = midi_file(track(*tune((60,))), track(*tune((72,))), kind=2)
    np.testing.assert_array_equal(render(both), render(midi_file(track(*tune((60, 72))))))


def test_what_follows_long_after_the_last_note_is_not_rendered() -> None:
    ticks = 480 * 2 * 60 * 59
    short, late = track(*tune((60,))), track(*tune((60,)), event(ticks, 0xB0, 1, 0))
    np.testing.assert_array_equal(render(midi_file(late)), render(midi_file(short)))


def test_what_follows_soon_after_the_last_note_bends_what_dies_away() -> None:
    rows = (event(0, 0xC0, 19), *tune((60,)))
    plain, bent = (render(midi_file(track(*rows, *more))) for more in ((), (event(1, 0xE0, 0, 0),)))
    size = min(len(plain), len(bent))
    np.testing.assert_array_equal(plain[: RATE // 3], bent[: RATE // 3])
    assert not np.array_equal(plain[:size], bent[:size])


def test_the_longest_piece_that_is_composed_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        audio, "_synthesize", lambda *_: (np.zeros((6 * RATE, 2), np.float32), RATE)
    )
    minute = 480 * 2 * 60
    assert len(render(midi_bytes(part(0, 0, [60], ticks=63 * minute))))
    with pytest.raises(UserError, match="at most 63"):
        render(midi_bytes(part(0, 0, [60], ticks=63 * minute + 480)))


def test_a_piece_of_hours_is_refused() -> None:
    hours = midi_bytes(part(0, 0, [60, 62], ticks=480 * 2 * 3600))
    with pytest.raises(UserError, match="120 minutes"):
        render(hours)


def test_an_odd_sample_rate_is_refused() -> None:
    with pytest.raises(UserError, match="44100"):
        render(SCALE, sample_rate=12345)
