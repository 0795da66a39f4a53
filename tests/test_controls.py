"""Chords, density, dynamics and keys read off music."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musenet.controls import (
    NO_CHORD,
    QUALITIES,
    bar_starts,
    chord_starts,
    density_id,
    dynamics_id,
    observed,
    tones,
)
from musenet.events import encode
from musenet.features import NOT_TOLD, moments_of
from musenet.key import KEYS
from musenet.score import METRE, NOTE, Score, records, sort_notes

BAR = 96


def chord_score(bars: list[tuple[int, ...]], velocity: int = 80) -> Score:
    """Each bar of four beats holds its pitches."""
    rows = [
        (BAR * bar, BAR, pitch, velocity, 0) for bar, chord in enumerate(bars) for pitch in chord
    ]
    return Score(
        notes=sort_notes(records(NOTE, rows)), metres=records(METRE, [(0, 4, 4)]), ticks_per_beat=24
    )


@pytest.mark.parametrize("place", range(len(QUALITIES)))
@pytest.mark.parametrize("root", range(12))
def test_a_chord_on_its_root_is_recognised(root: int, place: int) -> None:
    steps = tuple(QUALITIES.values())[place]
    score = chord_score([tuple(48 + root + step for step in steps)])
    seen = observed(encode(score))
    assert seen.chords[0] == 12 * place + root
    assert set(tones(int(seen.chords[0]))) == {(root + step) % 12 for step in steps}


def test_half_bars_have_chords_of_their_own_and_clusters_none() -> None:
    rows = [(0, 48, p, 80, 0) for p in (60, 64, 67)] + [(48, 48, p, 80, 0) for p in (57, 60, 64)]
    rows += [(96, 96, p, 80, 0) for p in range(60, 67)]
    score = Score(notes=sort_notes(records(NOTE, rows)), ticks_per_beat=24)
    seen = observed(encode(score))
    assert seen.chord_ticks.tolist() == [0, 48, 96, 192]
    assert seen.chords.tolist()[:3] == [0, 12 + 9, NO_CHORD]


def test_sustained_notes_sound_in_later_bars() -> None:
    rows = [(0, 192, p, 80, 0) for p in (48, 55)] + [(96, 96, 52, 80, 0)]
    seen = observed(encode(Score(notes=sort_notes(records(NOTE, rows)), ticks_per_beat=24)))
    by_tick = dict(zip(seen.chord_ticks.tolist(), seen.chords.tolist(), strict=True))
    assert by_tick[96] == 0


def test_density_and_dynamics_are_those_of_the_bar() -> None:
    table = encode(chord_score([(60,), (60, 64, 67, 72)], velocity=100))
    seen = observed(table)
    expected = density_id(np.array([0.25, 1.0]))
    assert seen.bars[:2, 0].tolist() == expected.tolist()
    assert expected.tolist() == [0, 4]
    assert seen.bars[0, 1] == dynamics_id(np.array([100.0]))[0] == 6


def test_a_bar_without_events_is_empty() -> None:
    rows = [(0, 24, 60, 80, 0), (4 * BAR, 24, 60, 80, 0)]
    table = encode(Score(notes=sort_notes(records(NOTE, rows)), ticks_per_beat=24))
    moments = moments_of(table)
    controls = observed(table).at(moments.ahead(np.full(len(table), 2 * BAR)))
    assert controls[0, :3].tolist() == [NO_CHORD, 0, NOT_TOLD[2]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 200), st.integers(20, 100)),
                min_size=1, max_size=60))  # fmt: skip
def test_ids_are_in_range_and_move_with_the_music(notes: list[tuple[int, int, int]]) -> None:
    def seen(shift: int) -> tuple[np.ndarray, np.ndarray]:
        rows = [(onset, length, pitch + shift, 64, 0) for onset, length, pitch in notes]
        table = encode(Score(notes=sort_notes(records(NOTE, rows)), ticks_per_beat=24))
        return observed(table).at(moments_of(table)), table

    (here, table), (higher, _) = seen(0), seen(5)
    assert ((here >= 0) & (here <= np.array(NOT_TOLD))).all()
    assert (here[:, 1:3] == higher[:, 1:3]).all()
    moments = moments_of(table)
    assert (bar_starts(moments) <= chord_starts(moments)).all()
    assert (chord_starts(moments) <= moments.tick).all()
    clear = (here[:, 0] < NO_CHORD) & (higher[:, 0] < NO_CHORD)
    symmetric = np.isin(here[:, 0] // 12, [7, 8])
    moved = clear & ~symmetric
    assert ((here[:, 0] == NO_CHORD) == (higher[:, 0] == NO_CHORD)).all()
    same_root = (here[moved, 0] % 12 + 5) % 12 == higher[moved, 0] % 12
    # chords that explain the sound as well as each other may change places
    assert len(same_root) == 0 or same_root.mean() > 0.4


def test_a_key_holds_through_bars_without_events() -> None:
    bars = [(60, 64, 67), (65, 69, 72), (67, 71, 74), (), (60, 64, 67)]
    table = encode(chord_score(bars))
    seen = observed(table)
    silent = moments_of(table).take(slice(0, 1)).ahead(np.array([3 * BAR]))
    assert KEYS[seen.at(silent)[0, 3]] == "C major"
    assert {KEYS[key] for key in seen.bars[:, 2]} == {"C major"}
