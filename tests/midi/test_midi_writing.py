from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores

from musenet import midi
from musenet.errors import UserError
from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.score import METRE, NOTE, TEMPO, Score, note_ends, records, resample

PITCHED = [instrument for instrument in range(len(INSTRUMENTS)) if instrument != DRUMS]


def read(data: bytes) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(data))


def canonical(score: Score) -> Score:
    """What a file can say of a score: one part an instrument, whole microseconds a beat."""
    notes = midi.unify(score.notes)
    joined = replace(score, notes=notes)
    tempos = score.tempos[score.tempos["tick"] <= joined.end].copy()
    tempos["bpm"] = 60e6 / np.rint(60e6 / tempos["bpm"])
    return replace(joined, tempos=tempos, metres=score.metres[score.metres["tick"] <= joined.end])


@given(scores())
def test_what_is_saved_is_loaded(score: Score) -> None:
    loaded = midi.load(midi.to_bytes(score))
    assert loaded.ticks_per_beat == max(score.ticks_per_beat, 480)
    assert resample(loaded, score.ticks_per_beat) == canonical(score)


@given(scores())
def test_writing_what_was_read_changes_nothing(score: Score) -> None:
    data = midi.to_bytes(score)
    assert midi.to_bytes(midi.load(data)) == data == midi.to_bytes(score)


@given(scores(min_notes=1, max_notes=60, instruments=(0, 1, DRUMS)))
def test_no_note_hangs_overlaps_or_has_no_length(score: Score) -> None:
    end = 0
    for track in read(midi.to_bytes(score)).tracks:
        now, since = 0, dict[tuple[int, int], int]()
        for message in track:
            now += message.time
            if message.type == "note_on":
                assert (message.channel, message.note) not in since
                assert 1 <= message.velocity <= 127
                since[message.channel, message.note] = now
            elif message.type == "note_off":
                assert since.pop((message.channel, message.note)) < now
        assert not since
        end = max(end, now)
    saved = midi.load(midi.to_bytes(score))
    assert end == saved.end


def test_tracks_have_names_programs_and_channels_in_order() -> None:
    instruments = [DRUMS, instrument_id("flute"), instrument_id("violin")]
    notes = records(NOTE, [(0, 24, 60, 80, instrument) for instrument in instruments])
    file = read(midi.to_bytes(Score(notes), title="Prélude"))
    assert (file.type, file.ticks_per_beat) == (1, 480)
    assert [track.name for track in file.tracks[1:]] == ["violin", "flute", "drums"]
    assert file.tracks[0].name.encode("latin-1").decode() == "Prélude"
    programs = [[m for m in track if m.type == "program_change"] for track in file.tracks]
    found = [(m.channel, m.program) for track in programs for m in track]
    assert found == [(0, 40), (1, 73), (9, 0)]


def test_fifteen_instruments_have_a_channel_each_and_none_that_of_the_drums() -> None:
    notes = records(NOTE, [(0, 24, 60, 80, instrument) for instrument in PITCHED[:15]])
    file = read(midi.to_bytes(Score(notes)))
    channels = [m.channel for track in file.tracks for m in track if m.type == "note_on"]
    assert channels == [*range(9), *range(10, 16)]


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from(PITCHED)), min_size=30, max_size=80))
def test_instruments_that_share_a_channel_play_with_their_own_program(
    strokes: list[tuple[int, int]],
) -> None:
    rows = [(tick * 24, 12, 60, 80, instrument) for tick, instrument in strokes]
    score = canonical(Score(records(NOTE, [*rows, *((0, 6, 50, 80, i) for i in PITCHED)])))
    data = midi.to_bytes(score)
    assert resample(midi.load(data), 24) == score
    program, played = dict[int, int](), 0
    file = read(data)
    names = {track.name for track in file.tracks[1:]}
    assert len(names) == len(PITCHED)
    messages = []
    for index, track in enumerate(file.tracks):
        now = 0
        for place, message in enumerate(track):
            now += message.time
            messages.append((now, index, place, track.name, message))
    for _, _, _, name, message in sorted(messages, key=lambda row: row[:3]):
        if message.type == "program_change":
            program[message.channel] = message.program
        elif message.type == "note_on":
            played += 1
            assert program[message.channel] == INSTRUMENTS[instrument_id(name)].program
    assert played == len(score.notes)


def test_velocities_are_brought_into_range() -> None:
    notes = records(NOTE, [(0, 24, 60, 0, 0), (0, 24, 62, 255, 0)])
    assert midi.load(midi.to_bytes(Score(notes))).notes["velocity"].tolist() == [1, 127]


def test_tempo_is_rounded_and_kept_in_range() -> None:
    tempos = records(TEMPO, [(0, 133.3), (1, 1.0), (2, 1e9)])
    score = Score(records(NOTE, [(0, 24, 60, 80, 0)]), tempos)
    found = [m.tempo for m in read(midi.to_bytes(score)).tracks[0] if m.type == "set_tempo"]
    assert found == [round(60e6 / 133.3), 0xFFFFFF, 1]


def test_metres_are_written_with_their_power_of_two() -> None:
    rows = [(0, 6, 8), (24, 2, 1), (48, 3, 32)]
    score = Score(records(NOTE, [(0, 72, 60, 80, 0)]), metres=records(METRE, rows))
    messages = read(midi.to_bytes(score)).tracks[0]
    found = [
        (m.numerator, m.denominator, m.clocks_per_click)
        for m in messages
        if m.type == "time_signature"
    ]
    assert found == [(6, 8, 12), (2, 1, 96), (3, 32, 3)]


def test_an_empty_score_is_a_file_too() -> None:
    assert midi.load(midi.to_bytes(Score())) == Score(ticks_per_beat=480)


def test_a_resolution_that_a_file_cannot_say_becomes_one_that_it_can() -> None:
    score = Score(records(NOTE, [(0, 48_000, 60, 80, 0)]), ticks_per_beat=48_000)
    assert midi.load(midi.to_bytes(score)).notes.tolist() == [(0, 480, 60, 80, 0)]


def test_a_piece_too_long_for_a_file_is_refused() -> None:
    with pytest.raises(UserError, match="too long"):
        midi.to_bytes(Score(records(NOTE, [(2**30, 24, 60, 80, 0)])))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_the_comment_is_read_back(text: str) -> None:
    assert midi.comment(midi.to_bytes(Score(), comment=text)) == text


def test_without_a_comment_there_is_none() -> None:
    assert midi.comment(midi.to_bytes(Score(), title="musenet")) is None


def test_save_writes_the_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "piece.mid"
    path.write_bytes(b"an older one")
    score = Score(records(NOTE, [(0, 24, 60, 80, 0)]))
    midi.save(score, path, title="A", comment="{}")
    assert path.read_bytes() == midi.to_bytes(score, title="A", comment="{}")
    assert [file.name for file in tmp_path.iterdir()] == ["piece.mid"]
    assert note_ends(midi.load(path)).tolist() == [480]


def test_a_path_that_cannot_be_written_is_refused_and_left_clean(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match="cannot write"):
        midi.save(Score(), tmp_path / "folder")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


@given(scores(max_notes=40))
def test_unify_is_stable_and_leaves_one_note_a_pitch(score: Score) -> None:
    notes = midi.unify(score.notes)
    assert np.array_equal(midi.unify(notes), notes)
    sounding: set[tuple[int, int, int]] = set()
    for onset, duration, pitch, _, instrument in notes.tolist():
        span = {(tick, pitch, instrument) for tick in range(onset, onset + min(duration, 50))}
        assert not span & sounding
        sounding |= span
    strokes = {tuple(row) for row in score.notes[["onset", "pitch", "instrument"]].tolist()}
    assert {tuple(row) for row in notes[["onset", "pitch", "instrument"]].tolist()} == strokes
