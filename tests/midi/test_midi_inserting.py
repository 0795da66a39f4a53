from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import mido
import numpy as np
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
from musenet.midi import Removal, smf
from musenet.midi.notes import all_events, instruments_of, let_ring, pair, programs_of
from musenet.score import NOTE, TEMPO, Score, records, seconds_at

PIANO, VIOLIN, FLUTE = (instrument_id(name) for name in ("piano", "violin", "flute"))
DUO = midi_file(
    track(meta(0, 3, b"Song"), tempo(0, 90), metre(0, 3, 2), meta(0, 1, b"words"), tempo(700, 50)),
    track(program(0, 40, 2), event(0, 0xB2, 7, 99), *tune((60, 62, 64, 65), 2)),
    track(
        program(0, 1, 5), *tune((40, 43, 45), 5), event(9, 0xF0, 2, 0x7E, 0xF7),
        end=b"\x60\xff\x2f\x00",
    ),
)  # fmt: skip
Sound = tuple[int, ...]


def addition(*rows: tuple[int, ...], ticks_per_beat: int = 480) -> Score:
    return Score(records(NOTE, sorted(rows)), ticks_per_beat=ticks_per_beat)


def messages(data: bytes) -> list[list[smf.Message]]:
    return [list(track.messages(smf.MAX_TICK + 1)) for track in smf.read(data).tracks]


def sounds(data: bytes) -> Counter[Sound]:
    """Notes as they stand in a file: voice, onset, pitch, velocity, end, end of sound, instrument.

    A note that is never let go ends at -1.
    """
    file = smf.read(data)
    events = all_events(file.tracks)
    notes = pair(events)
    ring = let_ring(events, notes, np.array([track.end for track in file.tracks]))
    players = instruments_of(notes.voice, programs_of(events, notes.voice, notes.onset))
    columns = (notes.voice, notes.onset, notes.pitch, notes.velocity, notes.end, ring, players)
    return Counter(zip(*(column.tolist() for column in columns), strict=True))


def named(sound: Sound, removals: list[Removal]) -> bool:
    return any(
        removal.start <= sound[1]
        and (removal.stop is None or sound[1] < removal.stop)
        and (removal.instruments is None or sound[6] in removal.instruments)
        for removal in removals
    )


def is_within(part: list[smf.Message], whole: list[smf.Message]) -> bool:
    """Whether all messages of a part stand in the whole, in their order."""
    rest = iter(whole)
    return all(message in rest for message in part)


_TICK, _CHANNEL, _PITCH = st.integers(0, 60), st.sampled_from((0, 0, 1, 9)), st.integers(60, 62)
_MESSAGE = st.one_of(
    st.builds(on, _TICK, _PITCH, st.sampled_from((0, 80, 90)), _CHANNEL),
    st.builds(on, _TICK, _PITCH, st.just(70), _CHANNEL),
    st.builds(off, _TICK, _PITCH, _CHANNEL),
    st.builds(off, _TICK, _PITCH, _CHANNEL),
    st.builds(program, _TICK, st.sampled_from((0, 40, 73)), _CHANNEL),
    st.builds(pedal, _TICK, st.sampled_from((0, 127)), _CHANNEL),
    st.builds(event, _TICK, st.just(0xB0), st.sampled_from((7, 121, 123)), st.just(0)),
    st.builds(meta, _TICK, st.sampled_from((1, 5, 0x7F)), st.sampled_from((b"musenet old", b"x"))),
    st.builds(tempo, _TICK, st.sampled_from((60.0, 120.0))),
    st.builds(event, _TICK, st.just(0xF0), st.just(1), st.just(0xF7)),
)
_END = st.sampled_from((b"\x00\xff\x2f\x00", b"\x30\xff\x2f\x00"))
_TRACK = st.builds(lambda rows, end: track(*rows, end=end), st.lists(_MESSAGE, max_size=20), _END)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Small files of any messages: stray, hanging and crossed notes, shared channels, pedals."""
    kind = draw(st.integers(0, 2))
    tracks = draw(st.lists(_TRACK, min_size=1, max_size=1 if kind == 0 else 3))
    return midi_file(*tracks, kind=kind, division=draw(st.sampled_from((24, 48, 0xE802))))


_REMOVAL = st.builds(
    Removal,
    st.integers(0, 300),
    st.none() | st.integers(0, 600),
    st.none() | st.frozensets(st.sampled_from((PIANO, VIOLIN, FLUTE, DRUMS))),
)
removals_of = st.lists(_REMOVAL, max_size=2)
additions = st.builds(
    lambda rows: addition(*rows, ticks_per_beat=24),
    st.lists(
        st.tuples(
            st.integers(0, 400),
            st.integers(1, 200),
            _PITCH,
            st.integers(1, 127),
            st.sampled_from((PIANO, VIOLIN, FLUTE, DRUMS, 20)),
        ),
        max_size=16,
    ),
)


@given(files(), removals_of)
def test_what_is_taken_out_is_gone_and_nothing_else(source: bytes, removals: list[Removal]) -> None:
    taken_out = midi.insert(source, Score(), removals=removals)
    old, new = sounds(source), sounds(taken_out)
    assert new == Counter({s: count for s, count in old.items() if not named(s, removals)})
    for before, after in zip(messages(source), messages(taken_out), strict=True):
        assert is_within(after, before)
    lost = sum(
        (
            Counter(before) - Counter(after)
            for before, after in zip(messages(source), messages(taken_out), strict=True)
        ),
        Counter[smf.Message](),
    )
    strokes = [m for _, m in lost.elements() if m[0] & 0xF0 == smf.NOTE_ON and m[2]]
    removed = [s for s in old.elements() if named(s, removals)]
    assert len(strokes) == len(removed)
    assert {m[0] & 0xF0 for _, m in lost} <= {smf.NOTE_ON, smf.NOTE_OFF}
    released = [s for s in removed if s[4] >= 0]
    sure = [s for s in released if s[0] % 16]  # all notes off is told to channel 0 alone
    assert len(sure) <= lost.total() - len(strokes) <= len(released)


@given(files(), additions, removals_of)
def test_every_message_that_is_kept_stays(
    source: bytes, new: Score, removals: list[Removal]
) -> None:
    taken_out = midi.insert(source, Score(), removals=removals)
    whole = midi.insert(source, new, removals=removals)
    for kept, found in zip(messages(taken_out), messages(whole), strict=False):
        assert is_within(kept, found)
        extra = Counter(found) - Counter(kept)
        assert {message[0] & 0xF0 for _, message in extra} <= {smf.NOTE_ON, smf.NOTE_OFF}
    ends = [track.end for track in smf.read(source).tracks]
    assert all(a <= t.end for a, t in zip(ends, smf.read(whole).tracks, strict=False))
    assert smf.read(whole).format == (0 if source[9] == 0 and len(messages(whole)) == 1 else 1)


@given(files(), additions, removals_of)
def test_kept_notes_sound_as_they_did_and_new_ones_beside_them(
    source: bytes, new: Score, removals: list[Removal]
) -> None:
    kept = sounds(midi.insert(source, Score(), removals=removals))
    data = midi.insert(source, new, removals=removals)
    whole = sounds(data)
    assert not kept - whole
    added = whole - kept
    assert all(end > onset for _, onset, _, _, end, _, _ in added)
    assert added.total() <= len(new.notes)
    rate = smf.read(data).ticks_per_second / 48 or smf.read(data).ticks_per_beat / 24
    asked = Counter(
        (int(n["onset"] * rate + 0.5), int(n["pitch"]), int(n["instrument"])) for n in new.notes
    )
    assert not Counter((s[1], s[2], s[6]) for s in added) - asked
    for voice, onset, pitch, _, end, _, _ in added:
        for other, start, key, _, stop, ring, _ in kept:
            if (voice % 16, pitch) == (other % 16, key):
                assert end <= start or (stop >= 0 and ring <= onset > start)


@given(scores(max_notes=16, max_beats=8), st.booleans())
def test_all_of_the_addition_is_heard_where_nothing_collides(new: Score, replaced: bool) -> None:
    moved = new.notes.copy()
    moved["pitch"] = 70 + moved["pitch"] % 50
    new = replace(new, notes=midi.unify(moved))
    removals = [Removal(0, None, frozenset({VIOLIN}))] if replaced else []
    kept = midi.load(midi.insert(DUO, Score(), removals=removals)).notes
    heard = midi.load(midi.insert(DUO, new, removals=removals)).notes
    asked = midi.load(midi.to_bytes(replace(at_480(new), tempos=new.tempos[:0]))).notes
    assert heard.tolist() == midi.unify(np.concatenate([kept, asked])).tolist()


def at_480(score: Score) -> Score:
    """The score in 480 ticks a beat, with onsets and ends rounded."""
    notes, ratio = score.notes.copy(), 480 / score.ticks_per_beat
    ends = [int((n["onset"] + n["duration"]) * ratio + 0.5) for n in notes]
    notes["onset"] = [int(n["onset"] * ratio + 0.5) for n in notes]
    notes["duration"] = np.array(ends, np.int64) - notes["onset"]
    return Score(midi.unify(notes), ticks_per_beat=480)


def test_nothing_to_do_leaves_the_file_as_it_is() -> None:
    assert midi.insert(SMALL, Score()) == SMALL
    assert midi.insert(DUO, Score()) == DUO


def test_new_notes_join_the_track_and_channel_of_their_instrument() -> None:
    data = midi.insert(DUO, addition((100, 50, 80, 90, VIOLIN), (100, 50, 30, 90, PIANO)))
    added = Counter(sounds(data)) - Counter(sounds(DUO))
    assert {(s[0], s[2]) for s in added} == {(16 * 1 + 2, 80), (16 * 2 + 5, 30)}
    assert smf.read(data).format == 1


def test_a_part_is_replaced_in_its_own_track() -> None:
    removal = Removal(480, 1440, frozenset({VIOLIN}))
    data = midi.insert(DUO, addition((480, 960, 62, 33, VIOLIN)), removals=[removal])
    violin = [row[:2] for row in midi.load(data).notes.tolist() if row[4] == VIOLIN]
    assert violin == [(0, 480), (480, 960), (1440, 480)]
    assert len(messages(data)) == 3
    assert messages(data)[2] == messages(DUO)[2]


def test_other_instruments_get_named_tracks_on_free_channels() -> None:
    data = midi.insert(DUO, addition((480, 480, 80, 90, FLUTE), (0, 480, 36, 90, DRUMS)))
    flute, drums = mido.MidiFile(file=io.BytesIO(data)).tracks[3:]
    assert (flute.name, drums.name) == ("flute", "drums")
    assert [(m.time, m.program) for m in flute if m.type == "program_change"] == [(0, 73)]
    assert {m.channel for m in flute if not m.is_meta} == {0}
    assert {m.channel for m in drums if not m.is_meta} == {9}


def test_new_drums_leave_the_kit_as_it_is() -> None:
    source = midi_file(track(program(0, 25, 9), on(0, 36, channel=9)), track(*tune()))
    data = midi.insert(source, addition((960, 480, 38, 90, DRUMS)))
    assert len(messages(data)) == 3
    kits = [m for t in messages(data) for _, m in t if m[0] == smf.PROGRAM | 9]
    assert kits == [bytes([smf.PROGRAM | 9, 25])]


def test_the_program_at_each_note_decides_whom_it_joins() -> None:
    source = midi_file(track(program(0, 40), *tune(), program(0, 73), *tune()))
    data = midi.insert(source, addition((0, 9, 80, 90, VIOLIN), (2000, 9, 80, 90, VIOLIN)))
    added = sounds(data) - sounds(source)
    assert {(s[0] // 16, s[1]) for s in added} == {(0, 0), (1, 2000)}
    assert {s[0] % 16 for s in added} == {0, 1}


def test_a_channel_that_another_track_has_set_otherwise_is_not_joined() -> None:
    source = midi_file(track(program(0, 40), *tune((50,))), track(program(9, 73), *tune((70,))))
    data = midi.insert(source, addition((5, 2, 80, 90, VIOLIN), (480, 9, 80, 90, VIOLIN)))
    added = sounds(data) - sounds(source)
    assert {(s[0] // 16, s[1]) for s in added} == {(0, 5), (2, 480)}


@pytest.mark.parametrize(
    ("new", "heard"),
    [
        ((400, 100), (400, 80)),
        ((480, 100), None),
        ((900, 100), None),
        ((960, 100), (960, 100)),
        ((0, 2000), (0, 480)),
    ],
)
def test_new_notes_give_way_to_kept_ones(
    new: tuple[int, int], heard: tuple[int, int] | None
) -> None:
    data = midi.insert(DUO, addition((*new, 62, 33, VIOLIN)))
    rows = midi.load(data).notes.tolist()
    assert [row[:2] for row in rows if row[3] == 33] == ([heard] if heard else [])
    assert [row for row in rows if row[3] != 33] == midi.load(DUO).notes.tolist()


def test_a_new_note_ends_before_a_kept_one_of_its_tick_begins() -> None:
    data = midi.insert(DUO, addition((400, 100, 62, 33, VIOLIN), (960, 480, 62, 34, VIOLIN)))
    assert [m[:2] for tick, m in messages(data)[1] if tick == 480] == [
        bytes([smf.NOTE_OFF | 2, 62]), bytes([smf.NOTE_OFF | 2, 60]), bytes([smf.NOTE_ON | 2, 62]),
    ]  # fmt: skip
    assert [m[:2] for tick, m in messages(data)[1] if tick == 960] == [
        bytes([smf.NOTE_OFF | 2, 62]), bytes([smf.NOTE_ON | 2, 64]), bytes([smf.NOTE_ON | 2, 62]),
    ]  # fmt: skip


def test_after_a_note_that_is_never_let_go_its_key_is_left_alone() -> None:
    source = midi_file(track(on(0, 72), *tune((60, 62))))
    data = midi.insert(source, addition((400, 9, 72, 33, PIANO), (400, 9, 73, 33, PIANO)))
    assert [s[2] for s in sounds(data) - sounds(source)] == [73]


def test_after_all_notes_off_a_key_is_free() -> None:
    source = midi_file(track(on(0, 72), event(200, 0xB0, 123, 0), *tune((60, 62))))
    data = midi.insert(source, addition((100, 9, 72, 33, PIANO), (400, 9, 72, 34, PIANO)))
    assert [s[3] for s in sounds(data) - sounds(source)] == [34]


def test_what_lets_go_all_keys_stays_when_its_notes_are_taken_out() -> None:
    source = midi_file(track(on(0, 72), event(200, 0xB0, 123, 0), *tune((60,))))
    removal = Removal(0, 1)
    assert messages(midi.insert(source, Score(), removals=[removal])) == [messages(source)[0][1:]]


def test_a_kept_note_of_no_length_is_a_note() -> None:
    source = midi_file(track(on(9, 72), off(0, 72), *tune()))
    data = midi.insert(source, addition((9, 9, 72, 33, PIANO), (10, 9, 72, 34, PIANO)))
    assert [s[3] for s in sounds(data) - sounds(source)] == [34]


def test_a_release_of_no_note_ends_a_new_one() -> None:
    source = midi_file(track(*tune((60,)), off(20, 72), *tune((62,))))
    data = midi.insert(source, addition((450, 400, 72, 33, PIANO)))
    releases = [tick for tick, m in messages(data)[0] if m[:2] == bytes([smf.NOTE_OFF, 72])]
    assert releases == [500, 500]


def test_tracks_that_share_a_channel_do_not_cut_each_other() -> None:
    first = track(program(0, 40), *tune((60,)), on(1520, 60), off(480, 60))
    source = midi_file(first, track(program(0, 40), *tune((62,)), program(480, 73), *tune((70,))))
    new = [(480, 9, 62, 33, VIOLIN), (481, 9, 62, 34, VIOLIN), (1900, 100, 60, 35, FLUTE)]
    data = midi.insert(source, addition(*new))
    added = {(s[0] // 16, s[1], s[4]) for s in sounds(data) - sounds(source)}
    assert added == {(0, 481, 490), (1, 1900, 1999)}


def test_new_tracks_keep_off_the_channel_of_new_notes_in_a_given_track() -> None:
    source = midi_file(track(*tune()))
    rows = [(0, 480, 60, 33, PIANO), (0, 480, 80, 33, FLUTE)]
    data = midi.insert(source, addition(*rows), removals=[Removal()])
    assert {(s[0], s[6]) for s in sounds(data)} == {(0, PIANO), (17, FLUTE)}


def test_a_note_under_the_pedal_still_sounds() -> None:
    source = midi_file(track(pedal(0, 127), *tune((60,)), pedal(480, 0), *tune((62,))))
    data = midi.insert(source, addition((700, 9, 60, 33, PIANO), (960, 9, 60, 34, PIANO)))
    assert [row[3] for row in midi.load(data).notes.tolist()] == [80, 34, 80]


def test_a_track_whose_last_note_hangs_is_not_made_longer() -> None:
    source = midi_file(track(program(0, 40), *tune((60,)), on(0, 72), end=b"\x60\xff\x2f\x00"))
    data = midi.insert(source, addition((500, 9, 80, 33, VIOLIN), (500, 960, 81, 33, VIOLIN)))
    assert {(s[0], s[2]) for s in sounds(data) - sounds(source)} == {(0, 80), (17, 81)}


def test_no_free_channel_is_left_and_the_programs_of_all_are_kept() -> None:
    pitched = [i for i in range(len(INSTRUMENTS)) if i not in (DRUMS, VIOLIN, FLUTE)][:15]
    channels = [c for c in range(16) if c != 9]
    players = zip(pitched, channels, strict=True)
    source = midi_file(
        *(track(program(0, INSTRUMENTS[i].program, c), *tune(range(60, 66), c)) for i, c in players)
    )
    rows = [(tick, 60, 80, 33, FLUTE) for tick in (0, 300, 301, 480, 1000)]
    data = midi.insert(source, addition(*rows, (700, 70, 70, 33, VIOLIN)))
    assert not sounds(source) - sounds(data)
    assert {(s[1], s[6]) for s in sounds(data) - sounds(source)} == {
        *((row[0], FLUTE) for row in rows), (700, VIOLIN),
    }  # fmt: skip
    programs = dict.fromkeys(range(16), 0)
    for message in mido.MidiFile(file=io.BytesIO(data)):
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "note_on" and message.velocity == 80:
            expected = INSTRUMENTS[pitched[channels.index(message.channel)]].program
            assert programs[message.channel] == expected
        elif message.type == "note_on":
            assert programs[message.channel] == (73 if message.note == 80 else 40)


def test_the_latest_comment_takes_the_place_of_an_earlier_one() -> None:
    first = midi.insert(DUO, Score(), comment="one")
    second = midi.insert(first, addition((0, 9, 80, 33, FLUTE)), comment="two")
    assert midi.comment(midi.insert(second, Score())) == "two"
    texts = [text for _, text in smf.read(second).tracks[0].metas(smf.TEXT)]
    assert texts == [b"words", b"musenet two"]


def test_tempo_and_metre_of_the_addition_are_ignored() -> None:
    new = replace(addition((0, 9, 80, 33, FLUTE)), tempos=records(TEMPO, [(0, 200.0)]))
    old, whole = midi.load(DUO), midi.load(midi.insert(DUO, new))
    assert whole.tempos.tolist() == old.tempos.tolist()
    assert whole.metres.tolist() == old.metres.tolist()


def test_files_in_smpte_frames_keep_the_times_of_the_addition() -> None:
    source = midi_file(track(*tune()), division=(256 - 25) << 8 | 40)
    rows = [(480 * beat, 480, 80, 33, FLUTE) for beat in range(4)]
    new = replace(addition(*rows), tempos=records(TEMPO, [(0, 100.0)]))
    score = midi.load(midi.insert(source, new))
    onsets = score.notes["onset"][score.notes["instrument"] == FLUTE]
    assert seconds_at(score, onsets) == pytest.approx([0.6 * beat for beat in range(4)], abs=1e-3)


def test_format_0_stays_while_it_needs_no_new_track() -> None:
    source = midi_file(track(program(0, 40), *tune()), kind=0)
    assert smf.read(midi.insert(source, addition((0, 9, 80, 33, VIOLIN)))).format == 0
    assert smf.read(midi.insert(source, addition((0, 9, 80, 33, FLUTE)))).format == 1


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(UserError, match="too long"):
        midi.insert(DUO, addition((2**29, 1, 60, 80, 0)))
