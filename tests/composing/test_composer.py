from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from composers import random_composer, random_model
from midi_bytes import event, meta, metre, midi_file, off, on, pedal, program, tempo, track, tune

import musenet
from musenet import midi
from musenet.checkpoint import save_model
from musenet.composing.finishing import Composition, facts_of
from musenet.errors import UserError
from musenet.events import TEMPO_EVENT
from musenet.instruments import INSTRUMENTS, instrument_id
from musenet.score import Score, out_of_range

MINUTES = 0.25
SMPTE_25 = 0xE728
"""25 frames a second, 40 ticks each: 500 ticks in half a second."""
Messages = list[list[tuple[int, Any]]]


def composed(seed: int = 0, **asked: Any) -> Composition:
    return random_composer(context=32).compose(**{"minutes": MINUTES, "seed": seed} | asked)[0]


def messages(data: bytes, before: int) -> Messages:
    """What each track says before a tick."""
    tracks: Messages = []
    for own in mido.MidiFile(file=io.BytesIO(data)).tracks:
        ticks = np.cumsum([message.time for message in own]).tolist()
        tracks.append(
            [(tick, message.copy(time=0)) for tick, message in zip(ticks, own, strict=True)
             if tick < before and message.type != "end_of_track"]
        )  # fmt: skip
    return tracks


def test_three_lines_make_a_piece(tmp_path: Path) -> None:
    save_model(tmp_path / "model.safetensors", random_model())
    piece = musenet.load(tmp_path).compose(styles="mozart", instruments="piano", minutes=0.1)[0]
    piece.save(tmp_path / "piece.mid")
    assert isinstance(piece, musenet.Composition)
    assert (tmp_path / "piece.mid").read_bytes() == piece.midi
    assert midi.load(tmp_path / "piece.mid").instruments == [instrument_id("piano")]


@pytest.mark.parametrize("minutes", [0.3, 0.34, 1.0, 2.0])
def test_the_length_is_met_in_the_file(minutes: float) -> None:
    for piece in random_composer(context=32).compose(minutes=minutes, candidates=2):
        heard = mido.MidiFile(file=io.BytesIO(piece.midi)).length
        assert 0.95 <= heard / (60 * minutes) <= 1.05
        assert 0.95 <= piece.facts["seconds"] / (60 * minutes) <= 1.05


@pytest.mark.parametrize("seed", range(3))
def test_exactly_the_instruments_asked_for_play_within_their_range(seed: int) -> None:
    names = ["flute", "violin", "cello", "timpani", "drums"]
    piece = composed(seed, instruments=names)
    score = midi.load(piece.midi)
    assert sorted(INSTRUMENTS[i].name for i in score.instruments) == sorted(names)
    assert sorted(piece.facts["instruments"]) == sorted(names)
    assert not out_of_range(score).any()


@pytest.mark.parametrize("bpm", [24.0, 61.7, 97.333, 120.0, 300.0])
def test_the_tempo_asked_for_is_in_the_file_to_the_microsecond(bpm: float) -> None:
    data = composed(tempo=bpm, metre="5/4").midi
    changes = [m for _, m in messages(data, 1 << 30)[0] if m.type == "set_tempo"]
    assert changes[0].tempo == round(60e6 / bpm)
    metres = [m for _, m in messages(data, 1 << 30)[0] if m.type == "time_signature"]
    assert [(m.numerator, m.denominator) for m in metres] == [(5, 4)]


def test_tempo_changes_at_most_once_a_beat() -> None:
    composer = random_composer(3)
    composer.model.heads.frequent[1].data[TEMPO_EVENT] += 9.0
    composer.model.heads.frequent[0].data[24] += 9.0
    score = composer.compose(minutes=0.5, tempo=120.0)[0].score
    assert len(score.tempos) > 3
    assert (np.diff(score.tempos["tick"]) >= score.ticks_per_beat).all()


def test_tempi_that_nobody_asked_for_are_whole_where_the_length_allows() -> None:
    whole = 0
    for piece in random_composer(context=32).compose(minutes=MINUTES, candidates=6):
        tempos = piece.score.tempos.copy()
        tempos["bpm"] = tempos["bpm"].round()
        rounded = replace(piece.score, tempos=tempos)
        fits = abs(rounded.seconds / (60 * MINUTES) - 1.0) <= 0.05
        assert fits == (rounded == piece.score)
        whole += fits
    assert whole


def test_the_same_arguments_give_the_same_bytes() -> None:
    asked: dict[str, Any] = {
        "instruments": ["piano", "violin"],
        "candidates": 4,
        "minutes": MINUTES,
    }
    first, second = (random_composer().compose(**asked) for _ in range(2))
    assert [piece.midi for piece in first] == [piece.midi for piece in second]
    assert len({piece.midi for piece in first}) == 4
    assert composed(1).midi != composed(2).midi


def test_the_file_says_how_it_was_made() -> None:
    piece = composed(7, styles="mozart:2", instruments=["harp"], tempo=80.0)
    told = json.loads(midi.comment(piece.midi) or "")
    assert told == {key: json.loads(json.dumps(piece.facts[key])) for key in told}
    assert told["prompt"]["styles"] == [["mozart", 2.0]]
    assert (told["seed"], told["model"], told["version"]) == (7, "random", musenet.__version__)


def test_facts_tell_shares_and_minutes() -> None:
    piece = composed(minutes=1.2, instruments=["piano", "violin"])
    assert facts_of(piece.score).items() <= piece.facts.items()
    assert sum(piece.facts["instruments"].values()) == pytest.approx(1.0, abs=0.001)
    assert piece.facts["minutes_playing"]["piano"] in (1, 2)
    assert piece.facts["ended_by"] in ("model", "limit")
    assert facts_of(Score())["notes"] == 0


def test_a_melody_stands_at_the_beginning() -> None:
    piece = composed(notes="C4 E4 G4:2 C4+E4 R", instruments=["violin", "piano"], metre="3/4")
    score = midi.load(piece.midi)
    beat, violin = score.ticks_per_beat, instrument_id("violin")
    first = score.notes[score.notes["onset"] < 6 * beat]
    expected = [(0, 1, 60), (1, 1, 64), (2, 2, 67), (4, 1, 60), (4, 1, 64)]
    assert [(n["onset"] / beat, n["duration"] / beat, n["pitch"]) for n in first] == expected
    assert set(first["instrument"]) == {violin}
    assert len(score.notes) > len(first)


def test_rests_before_the_bar_to_go_on_from_stay_rests() -> None:
    data = midi_file(track(on(0, 60), off(480, 60), on(4000, 62), off(480, 62)))
    onsets = composed(given=data, at=3, minutes=0.4).score.notes["onset"]
    assert onsets[0] == 0 and (onsets[1:] >= 2 * 1920).all() and len(onsets) > 2


def test_without_facts_a_piano_plays() -> None:
    assert composed().score.instruments == [instrument_id("piano")]


def test_the_context_is_what_the_model_was_trained_at() -> None:
    model = random_model()
    assert musenet.Composer(model, {"config": {"context": 96}}, "x").context == 96
    assert musenet.Composer(model, {}, "x").context == model.config.context // 2


GIVEN = {
    "two tracks of one instrument, off the grid": midi_file(
        track(meta(0, 3, b"Song"), tempo(0, 61.7), metre(0, 3, 2), tempo(500, 63)),
        track(program(0, 40, 0), pedal(7, 127), *tune((60, 62, 64)), pedal(13, 0)),
        track(program(0, 110, 1), on(11, 70, 33, 1), off(333, 70, 1), event(3, 0xB1, 7, 99)),
    ),
    "rare programs": midi_file(
        track(tempo(0, 200)),
        track(program(0, 127, 3), *tune((30, 31), 3)),
        track(program(0, 103, 4), program(480, 114, 4), *tune((50, 51), 4)),
        division=100,
    ),
    "format 0": midi_file(
        track(tempo(0, 90), metre(0, 6, 3), program(0, 19, 2), *tune((60, 64), 2),
              *tune((36, 38), 9)),
        kind=0, division=96,
    ),
    "frames a second": midi_file(track(program(0, 73), *tune((70, 72, 74))), division=SMPTE_25),
    "no tempo, a long note": midi_file(track(on(0, 60), on(3, 64), off(477, 64), off(1999, 60))),
    "very fast": midi_file(track(tempo(0, 400), *tune((60, 62, 64, 65)))),
    "more than the context": midi_file(
        track(tempo(0, 280), *tune([60 + i % 12 for i in range(50)]))
    ),
    "slowing down": midi_file(
        track(tempo(0, 120), *[tempo(48, 120 - 3 * i) for i in range(1, 20)]),
        track(*tune((60, 62, 64))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("asked", [(), ("harp", "drums")])
@pytest.mark.parametrize("name", GIVEN)
def test_given_music_is_kept_and_gone_on_with(name: str, asked: tuple[str, ...]) -> None:
    source = GIVEN[name]
    given = midi.load(source)
    piece = composed(given=source, instruments=asked)
    kept, before = messages(piece.midi, given.end), messages(source, given.end)
    assert kept[: len(before)] == before
    score = midi.load(piece.midi)
    old = score.notes[score.notes["onset"] < given.end]
    assert np.array_equal(old, given.notes)
    assert len(score.notes) > len(old)
    assert set(score.instruments) == set(given.instruments) | {instrument_id(n) for n in asked}
    assert 0.95 <= score.seconds / (60 * MINUTES) <= 1.05
    assert not out_of_range(score)[score.notes["onset"] >= given.end].any()


def test_the_tempo_of_given_music_goes_on() -> None:
    composer = random_composer()
    composer.model.heads.frequent[1].data[TEMPO_EVENT] = -100.0
    source = GIVEN["two tracks of one instrument, off the grid"]
    tempi = [
        message.tempo
        for tick, message in messages(composer.compose(given=source, minutes=0.3)[0].midi, 1 << 30)[
            0
        ]
        if message.type == "set_tempo" and tick >= 500
    ]
    assert set(tempi) == {round(60e6 / 63)}


def test_new_music_keeps_to_the_grid_of_the_given() -> None:
    source = midi_file(track(tempo(0, 120), on(0, 60), off(1905, 60)))
    score = midi.load(composed(given=source).midi)
    assert not (score.notes["onset"] % 20).any()


def test_given_music_may_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "given.mid"
    path.write_bytes(GIVEN["format 0"])
    assert composed(given=path).midi == composed(given=str(path)).midi
    assert composed(given=path).midi == composed(given=GIVEN["format 0"]).midi


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"candidates": 0}, "--candidates 0 is not between 1 and 512"),
        ({"candidates": 513}, "--candidates 513"),
        ({"seed": -1}, "--seed -1 is below 0"),
        ({"minutes": float("nan")}, "--minutes nan"),
        ({"temperature": 0.0}, "--temperature 0"),
        ({"top_p": 2.0}, "--top-p 2"),
        ({"styles": "film music"}, "unknown style 'film music'"),
        ({"instruments": ["kazoo"]}, "unknown instrument 'kazoo'"),
        ({"notes": "C4", "given": b""}, "a given file has its notes, tempo and metre"),
        ({"tempo": 90.0, "given": b""}, "a given file has its notes, tempo and metre"),
        ({"given": b"MThd"}, "MIDI"),
        ({"given": "nowhere.mid"}, "nowhere.mid: no such file"),
        ({"given": midi_file(track(tempo(0, 90)))}, "no notes"),
        ({"given": midi_file(track(*tune(range(40, 80)))), "minutes": 0.3}, "give --minutes 0.4"),
    ],
)
def test_each_mistake_is_one_clear_line(asked: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError) as error:
        composed(**asked)
    assert says in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_missing_model_is_said() -> None:
    with pytest.raises(UserError, match="no model at"):
        musenet.load("nowhere.safetensors")
