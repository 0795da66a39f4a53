from __future__ import annotations

import io
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import PolyCollection
from matplotlib.image import imread

from musenet.errors import UserError
from musenet.instruments import DRUMS, INSTRUMENTS
from musenet.rendering.appearance import (
    COLOURS,
    DRUM_COLOUR,
    drum_key_name,
    instrument_colours,
)
from musenet.rendering.layout import LEFT, RIGHT, WIDTH, bar_lines, lay_out
from musenet.rendering.pianoroll import draw, piano_roll
from musenet.score import METRE, NOTE, TEMPO, Score, note_ends, records, sort_notes

ENSEMBLES = (
    ("violin", "viola", "cello", "contrabass", "harp", "timpani", "trumpet", "trombone", "tuba",
     "horn", "oboe", "bassoon", "clarinet", "piccolo", "flute", "choir"),
    ("piano", "acoustic bass", "alto sax", "tenor sax", "trumpet", "trombone", "drums"),
    ("electric guitar", "distorted guitar", "electric bass", "organ", "voice", "drums"),
)  # fmt: skip


def piece(bars: int = 40, instruments: tuple[int, ...] = (0, 15, DRUMS)) -> Score:
    rows = [
        (24 * beat, 24 * (1 + beat % 3), 36 + (beat * 7 + 5 * i) % 40, 40 + beat % 80, instrument)
        for beat in range(bars * 4)
        for i, instrument in enumerate(instruments)
    ]
    tempos = records(TEMPO, [(0, 100.0), (500, 140.0)])
    metres = records(METRE, [(0, 4, 4), (96 * 20, 3, 4)])
    return Score(sort_notes(records(NOTE, rows)), tempos, metres)


def texts(score: Score, title: str = "") -> list[str]:
    return [text.get_text() for text in draw(score, title).axes[0].texts]


@pytest.mark.parametrize(
    "suffix, start", [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".PDF", b"%PDF")]
)
def test_every_format_is_written(suffix: str, start: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"roll{suffix}"
    piano_roll(piece(), path, title="Étude in $100 & <more>")
    assert path.read_bytes().startswith(start)
    assert list(tmp_path.iterdir()) == [path]


def test_colours_of_the_instruments_are_on_the_paper(tmp_path: Path) -> None:
    path = tmp_path / "roll.png"
    piano_roll(piece(), path)
    pixels = (imread(path)[..., :3] * 255).round().astype(int)
    for colour in instrument_colours([0, 15, DRUMS]).values():
        wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert (pixels == wanted).all(axis=-1).sum() > 100


def test_a_score_without_notes_is_an_empty_roll(tmp_path: Path) -> None:
    path = tmp_path / "roll.png"
    piano_roll(Score(), path)
    assert path.stat().st_size > 1000
    assert "0:00  ·  0 notes" in texts(Score())


def test_what_stands_on_the_page() -> None:
    found = texts(piece(), "A title")
    for label in ("A title", "piano", "violin", "drums", "C4", "1", "4/4", "3/4", "0:00",
                  "♩ = 100", "Snare"):  # fmt: skip
        assert label in found


def test_tempo_is_drawn_only_where_it_changes() -> None:
    steady = Score(piece().notes, records(TEMPO, [(0, 100.0)]))
    assert not any("♩" in text for text in texts(steady))


def test_drums_alone_have_no_pitches() -> None:
    found = texts(piece(instruments=(DRUMS,)))
    assert not {"C3", "C4"} & set(found)
    assert "Bass Drum" in found


def test_every_note_has_a_box() -> None:
    score = piece(bars=8, instruments=(0,))
    page = draw(score).axes[0]
    boxes = [len(c.get_paths()) for c in page.collections if isinstance(c, PolyCollection)]
    assert len(score.notes) in boxes


def test_an_unknown_suffix_names_the_formats(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.png, \.svg or \.pdf"):
        piano_roll(piece(), tmp_path / "roll.gif")


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        piano_roll(piece(), tmp_path / "roll.png")
    assert list(tmp_path.iterdir()) == []


@given(
    notes=st.lists(
        st.tuples(
            st.integers(0, 20_000), st.integers(1, 500), st.integers(0, 127),
            st.integers(1, 127), st.integers(0, DRUMS),
        ),
        max_size=12,
    ),
    metres=st.lists(
        st.tuples(st.integers(0, 20_000), st.integers(1, 17), st.sampled_from([1, 2, 4, 8, 16])),
        max_size=4,
        unique_by=lambda metre: metre[0],
    ),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_systems_cover_every_note_and_stay_on_the_page(
    notes: list[tuple[int, ...]], metres: list[tuple[int, ...]]
) -> None:
    score = Score(sort_notes(records(NOTE, notes)), metres=records(METRE, sorted(metres)))
    systems = lay_out(score, 1.0)
    assert systems[0].start == 0
    assert systems[-1].stop >= score.end
    for before, after in pairwise(systems):
        assert before.stop == after.start
        assert before.top + before.frame.foot < after.top
        assert before.first_bar + len(before.bars) - 1 == after.first_bar
    for system in systems:
        assert LEFT <= system.x(system.stop) <= WIDTH - RIGHT + 1e-6
        pitched = score.notes["pitch"][score.notes["instrument"] != DRUMS]
        tops = system.pitch_top(pitched) - system.top
        assert (tops > system.frame.roll_top - 1e-9).all()
        assert (tops < system.frame.roll_foot).all()
    assert (np.diff(bar_lines(score)) > 0).all()
    assert note_ends(score).max(initial=0) <= bar_lines(score)[-1]


@given(st.sets(st.integers(0, DRUMS), max_size=20))
def test_instruments_of_a_piece_have_colours_of_their_own(instruments: set[int]) -> None:
    colours = instrument_colours(sorted(instruments))
    assert set(colours) == instruments
    assert len(set(colours.values())) == len(instruments)


def test_an_instrument_alone_always_has_its_colour() -> None:
    for ensemble in ENSEMBLES:
        ids = [i for i, inst in enumerate(INSTRUMENTS) if inst.name in ensemble]
        together = instrument_colours(ids)
        assert together == {i: instrument_colours([i])[i] for i in ids}


def test_more_instruments_than_colours() -> None:
    colours = instrument_colours(range(DRUMS + 1))
    assert set(colours.values()) == {*COLOURS.values(), DRUM_COLOUR}


def test_drum_keys_have_names() -> None:
    assert [drum_key_name(key) for key in (36, 38, 42, 49, 81, 3)] == [
        "Bass Drum", "Snare", "Closed Hi-Hat", "Crash", "Open Triangle", "Key 3",
    ]  # fmt: skip


def test_titles_of_any_length_fit() -> None:
    assert max(map(len, texts(piece(bars=2), "word " * 100))) < 100
    draw(piece(bars=2), "long" * 100).savefig(io.BytesIO(), format="png")
