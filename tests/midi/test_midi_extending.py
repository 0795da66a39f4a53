from __future__ import annotations

import io

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from midi_bytes import (
    SMALL,
    event,
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
from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.score import METRE, NOTE, TEMPO, Score, crop, records, seconds_at

PIANO, VIOLIN, FLUTE = (instrument_id(name) for name in ("piano", "violin", "flute"))
RICH = midi_file(
    track(meta(0, 3, b"Song"), tempo(0, 90), metre(0, 3, 2), meta(0, 0x59, b"\x02\x00")),
    track(
        meta(0, 3, b"Fiddle"), meta(0, 0x21, b"\x00"), program(0, 110, 2), event(0, 0xB2, 7, 99),
        event(0, 0xE2, 1, 70), *tune((60, 62, 64, 65), 2), meta(0, 0x6E, b"unknown"),
        event(7, 0xF0, 3, 0x7E, 0x7F, 0xF7), event(1, 0xD2, 50), event(1, 0xA2, 60, 50),
    ),
    track(meta(0, 3, b"Keys"), pedal(0, 127, 5), program(0, 1, 5), *tune((40, 43, 45), 5)),
)  # fmt: skip


def line(instrument: int, *, beats: int = 2, start: int = 0) -> list[tuple[int, ...]]:
    return [(24 * (start + beat), 24, 60 + beat, 90, instrument) for beat in range(beats)]


def addition(*rows: tuple[int, ...]) -> Score:
    return Score(records(NOTE, rows))


def timed(data: bytes) -> list[list[tuple[int, mido.Message]]]:
    """Each track's messages, with their times."""
    tracks = []
    for messages in mido.MidiFile(file=io.BytesIO(data)).tracks:
        now, rows = 0, []
        for message in messages:
            now += message.time
            if message.type != "end_of_track":
                rows.append((now, message.copy(time=0)))
        tracks.append(rows)
    return tracks


def before(data: bytes, cut: int) -> list[list[tuple[int, mido.Message]]]:
    return [[row for row in track if row[0] < cut] for track in timed(data)]


@given(st.integers(0, 2000), scores(max_notes=12, max_beats=8))
def test_the_opening_is_kept_event_for_event(cut: int, new: Score) -> None:
    opening = before(SMALL, cut)
    assert before(midi.extend(SMALL, cut, new), cut)[: len(opening)] == opening


@pytest.mark.parametrize("cut", [1, 480, 500, 1440, 1929])
def test_controllers_bends_and_unknown_metas_are_kept(cut: int) -> None:
    expected = midi.smf.read(RICH)
    found = midi.smf.read(midi.extend(RICH, cut, addition(*line(VIOLIN))))
    for old, new in zip(expected.tracks, found.tracks, strict=True):
        kept = list(old.messages(cut))
        assert list(new.messages(cut))[: len(kept)] == kept


@given(st.integers(0, 2000), scores(max_notes=12, max_beats=8))
def test_the_addition_is_heard_after_the_cut(cut: int, new: Score) -> None:
    bare = midi_file(track(tempo(0, 90), program(0, 40), *tune()), kind=0)
    whole = midi.load(midi.extend(bare, cut, new))
    heard = crop(whole, cut, whole.end + 1).notes
    assert heard.tolist() == midi.load(midi.to_bytes(new_at_480(new))).notes.tolist()


def new_at_480(score: Score) -> Score:
    """The score in 480 ticks a beat, as `extend` rounds it."""
    notes = score.notes.copy()
    ratio = 480 / score.ticks_per_beat
    ends = [int((n["onset"] + n["duration"]) * ratio + 0.5) for n in midi.unify(notes)]
    notes = midi.unify(notes)
    notes["onset"] = [int(n["onset"] * ratio + 0.5) for n in notes]
    notes["duration"] = ends - notes["onset"]
    return Score(midi.unify(notes), ticks_per_beat=480)


def test_new_notes_join_the_track_and_channel_of_their_instrument() -> None:
    data = midi.extend(RICH, 960, addition(*line(VIOLIN), *line(PIANO)))
    tracks = midi.describe(data)["tracks"]
    assert [found["name"] for found in tracks] == ["Song", "Fiddle", "Keys"]  # type: ignore[attr-defined]
    added = [[row for row in track if row[0] >= 960] for track in timed(data)]
    assert {m.channel for _, m in added[1] if m.type == "note_on"} == {2}
    assert {m.channel for _, m in added[2] if m.type == "note_on"} == {5}
    assert not [m for track in added for _, m in track if m.type == "program_change"]


def test_other_instruments_get_named_tracks_on_free_channels() -> None:
    data = midi.extend(RICH, 960, addition(*line(FLUTE, start=1), *line(DRUMS)))
    new = timed(data)[3:]
    assert [(now, m.name) for track in new for now, m in track[:1]] == [(0, "flute"), (0, "drums")]
    assert {m.channel for _, m in new[0] if not m.is_meta} == {0}
    assert {m.channel for _, m in new[1] if not m.is_meta} == {9}
    assert [(now, m.program) for now, m in new[0] if m.type == "program_change"] == [(960, 73)]


def test_what_sounds_or_is_held_at_the_cut_ends_there() -> None:
    data = midi.extend(RICH, 500, addition(*line(FLUTE)))
    _, fiddle, keys, *_ = timed(data)
    at_cut = [m for now, m in fiddle if now == 500]
    assert [(m.type, m.channel) for m in at_cut] == [("note_off", 2), ("pitchwheel", 2)]
    assert (at_cut[0].note, at_cut[1].pitch) == (62, 0)
    at_cut = [m for now, m in keys if now == 500]
    assert [(m.type, getattr(m, "control", None)) for m in at_cut] == [
        ("note_off", None),
        ("control_change", 64),
    ]
    assert at_cut[1].value == 0
    score = midi.load(data)
    old = score.notes[score.notes["onset"] < 500]
    assert (old["onset"] + old["duration"]).max() == 500


@pytest.mark.parametrize(
    "events",
    [
        (on(0, 60), event(480, 0xB0, 123, 0), off(480, 1)),
        (on(0, 60), event(480, 0xB0, 120, 0), on(480, 60), off(480, 60)),
        (on(0, 60), event(480, 0xB0, 123, 0), on(0, 62, 80, 1), meta(480, 1, b"end")),
        (on(0, 60), meta(960, 1, b"end")),
        (pedal(0, 127), on(0, 60), off(480, 60), meta(480, 1, b"end")),
    ],
)
@pytest.mark.parametrize("cut", [1, 480, 481, 960, 1000, 4800])
def test_notes_before_the_cut_end_as_they_did_or_there(events: list[bytes], cut: int) -> None:
    source = midi_file(track(*events), track(*tune(range(80, 90), 3)))
    expected = crop(midi.load(source), 0, cut)
    assert midi.load(midi.extend(source, cut, Score())).notes.tolist() == expected.notes.tolist()


def test_all_notes_off_of_a_channel_leaves_the_others_sounding() -> None:
    source = midi_file(track(on(0, 60), on(0, 62, 80, 1), event(480, 0xB0, 123, 0), off(480, 1)))
    (only,) = timed(midi.extend(source, 600, Score()))
    assert [(m.channel, m.note) for now, m in only if now == 600] == [(1, 62)]


def test_tempo_metre_and_comment_go_into_the_first_track() -> None:
    notes = records(NOTE, line(VIOLIN, beats=4))
    tempos = records(TEMPO, [(0, 60.0), (48, 150.0), (999, 20.0)])
    new = Score(notes, tempos, records(METRE, [(24, 5, 4)]))
    data = midi.extend(RICH, 960, new, comment='{"seed": 1}')
    score = midi.load(data)
    assert score.tempos["tick"].tolist() == [0, 960, 960 + 960]
    assert score.tempos["bpm"].tolist() == pytest.approx([90, 60, 150], abs=1e-4)
    assert score.metres.tolist() == [(0, 3, 4), (1440, 5, 4)]
    assert midi.comment(data) == '{"seed": 1}'
    kinds = {m.type for now, m in timed(data)[0] if now >= 960}
    assert kinds == {"set_tempo", "time_signature", "text"}


def test_format_0_stays_while_it_needs_no_new_track() -> None:
    source = midi_file(track(program(0, 40), *tune()), kind=0)
    assert midi.describe(midi.extend(source, 480, addition(*line(VIOLIN))))["format"] == 0
    more = midi.describe(midi.extend(source, 480, addition(*line(FLUTE))))
    assert more["format"] == 1
    assert len(more["tracks"]) == 2  # type: ignore[arg-type]


def test_patterns_of_format_2_become_tracks_of_format_1() -> None:
    source = midi_file(track(*tune()), track(*tune((50,))), kind=2)
    data = midi.extend(source, 1920, addition(*line(PIANO)))
    assert midi.describe(data)["format"] == 1
    onsets = midi.load(data).notes["onset"].tolist()
    assert onsets == [0, 480, 960, 1440, 1920, 2400]


def test_the_program_at_the_cut_decides_who_joins() -> None:
    source = midi_file(track(program(0, 40), *tune(), program(0, 73), *tune()))
    early = midi.extend(source, 480, addition(*line(VIOLIN)))
    late = midi.extend(source, 2000, addition(*line(VIOLIN)))
    assert [len(timed(data)) for data in (early, late)] == [1, 2]


def test_tracks_that_share_a_channel_keep_their_programs() -> None:
    source = midi_file(track(program(0, 40), *tune((50,))), track(program(0, 73), *tune((70,))))
    data = midi.extend(source, 480, addition(*line(VIOLIN), *line(FLUTE)))
    assert len(timed(data)) == 2
    program_now = 0
    events = [(now, index, m) for index, track in enumerate(timed(data)) for now, m in track]
    for now, index, message in sorted(events, key=lambda row: row[:2]):
        if message.type == "program_change":
            program_now = message.program
        elif message.type == "note_on" and now >= 480:
            assert program_now == (40, 73)[index]


def test_more_instruments_than_channels_share_them() -> None:
    pitched = [i for i in range(len(INSTRUMENTS)) if i not in (DRUMS, VIOLIN)]
    new = addition(*(row for i in pitched for row in line(i)), *line(VIOLIN))
    score = midi.load(midi.extend(RICH, 960, new))
    assert set(crop(score, 960, score.end).instruments) == {*pitched, VIOLIN}


def test_other_resolutions_are_converted_to_that_of_the_file() -> None:
    source = midi_file(track(*tune()), division=100)
    new = Score(records(NOTE, [(8, 8, 72, 80, 0), (16, 8, 72, 80, 0)]), ticks_per_beat=24)
    notes = midi.load(midi.extend(source, 1440, new)).notes[3:]
    assert notes.tolist() == [(1473, 34, 72, 80, 0), (1507, 33, 72, 80, 0)]


def test_files_in_smpte_frames_keep_the_times_of_the_addition() -> None:
    source = midi_file(track(*tune()), division=(256 - 25) << 8 | 40)
    new = Score(records(NOTE, line(PIANO, beats=4)), records(TEMPO, [(0, 100.0)]))
    score = midi.load(midi.extend(source, 1440, new))
    times = seconds_at(score, score.notes["onset"][3:])
    assert times == pytest.approx([1.44 + 0.6 * beat for beat in range(4)], abs=1e-3)


def test_after_the_end_there_is_silence_and_then_the_addition() -> None:
    score = midi.load(midi.extend(SMALL, 9600, addition(*line(VIOLIN))))
    assert score.notes["onset"].tolist()[-2:] == [9600, 10080]
    assert len(score.notes) == 7


def test_an_addition_without_notes_cuts_the_file() -> None:
    assert midi.load(midi.extend(SMALL, 480, Score())).end == 480


def test_cuts_and_lengths_beyond_a_file_are_refused() -> None:
    with pytest.raises(UserError, match="keep"):
        midi.extend(SMALL, -1, Score())
    with pytest.raises(UserError, match="too long"):
        midi.extend(SMALL, 2**29, Score())
    with pytest.raises(UserError, match="too long"):
        midi.extend(SMALL, 480, addition((2**29, 1, 60, 80, 0)))


def test_a_note_struck_at_the_cut_is_new() -> None:
    source = midi_file(track(on(0, 60), off(480, 60), on(0, 60), off(480, 60)))
    data = midi.extend(source, 480, addition((0, 24, 60, 33, PIANO)))
    assert midi.load(data).notes.tolist() == [(0, 480, 60, 80, PIANO), (480, 480, 60, 33, PIANO)]
