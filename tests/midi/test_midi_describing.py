from __future__ import annotations

import json
from typing import Any

import pytest
from midi_bytes import SMALL, event, meta, midi_file, program, tempo, track, tune

from musenet import midi
from musenet.errors import UserError


def test_a_small_file_is_described() -> None:
    assert json.loads(json.dumps(midi.describe(SMALL))) == {
        "format": 1,
        "ticks_per_beat": 480,
        "damaged": False,
        "tracks": [
            {"name": "Small", "programs": [], "channels": [], "instruments": [], "notes": 0},
            {
                "name": "Violin",
                "programs": [40],
                "channels": [1],
                "instruments": ["violin"],
                "notes": 3,
            },
            {
                "name": "Drums",
                "programs": [],
                "channels": [10],
                "instruments": ["drums"],
                "notes": 2,
            },
        ],
        "notes": 5,
        "seconds": pytest.approx(960 / 480 * 60 / 90 + 490 / 480 * 60 / 100, abs=1e-4),
        "bars": 2,
        "bpm": pytest.approx([90, 100], abs=1e-4),
        "metres": ["3/4"],
        "comment": None,
    }


def test_a_track_of_several_channels_names_them_all() -> None:
    body = track(program(0, 40), program(0, 73, 3), *tune(), *tune(channel=3), *tune(channel=9))
    tracks: Any = midi.describe(midi_file(body, kind=0))["tracks"]
    (found,) = tracks
    assert found["channels"] == [1, 4, 10]
    assert found["programs"] == [40, 73]
    assert found["instruments"] == ["violin", "flute", "drums"]


def test_names_are_plain_text_in_either_encoding() -> None:
    names = ["Flöte".encode(), "Flöte".encode("latin-1"), b"Fl\x00ute\n "]
    file = midi_file(*(track(meta(0, 3, name)) for name in names))
    tracks: Any = midi.describe(file)["tracks"]
    assert [found["name"] for found in tracks] == ["Flöte", "Flöte", "Flute"]


def test_damage_is_told() -> None:
    assert midi.describe(SMALL[:-30])["damaged"]
    assert midi.describe(midi_file(track(*tune(), event(0, 0x90, 0x90))))["damaged"]


def test_without_tempo_and_notes_there_is_little_to_tell() -> None:
    found = midi.describe(midi_file(track()))
    assert (found["bpm"], found["metres"], found["bars"], found["seconds"]) == ([], [], 0, 0.0)
    with pytest.raises(UserError):
        midi.describe(b"nothing")


def test_the_latest_comment_counts() -> None:
    first = track(meta(0, 1, b"musenet old"), meta(0, 1, b"other"), meta(9, 1, b"musenet new"))
    assert midi.comment(midi_file(first, track(tempo(0, 90)))) == "new"
