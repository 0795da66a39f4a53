from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import scores
from toys import toy_split

from musenet.events import decode, encode, is_valid
from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.score import NOTE, Score, out_of_range, records
from musenet.training.augment import Augmentation
from musenet.training.batches import draw
from musenet.training.orchestrating import CHORDAL, orchestrated

SEEDS = st.integers(0, 2**32 - 1)
PIANO, FLUTE, BASS = map(instrument_id, ("piano", "flute", "electric bass"))


def sounding(score: Score) -> list[tuple[int, ...]]:
    """Notes without their instruments, sorted."""
    names = ("onset", "duration", "pitch", "velocity")
    return sorted(zip(*(score.notes[name].tolist() for name in names), strict=True))


@given(scores(), SEEDS)
def test_only_the_instruments_change(score: Score, seed: int) -> None:
    table = encode(score)
    result = orchestrated(table, np.random.default_rng(seed))
    assert is_valid(result)
    before, after = decode(table), decode(result)
    assert sounding(after) == sounding(before)
    assert np.array_equal(after.tempos, before.tempos)
    assert np.array_equal(after.metres, before.metres)
    assert len(after.instruments) == len(before.instruments)


def band() -> Score:
    """Chords, a tune and a bass over drums."""
    beats = [(24 * beat, beat) for beat in range(32)]
    rows = [
        row
        for onset, beat in beats
        for row in (
            (onset, 24, 60, 60, PIANO),
            (onset, 24, 64, 60, PIANO),
            (onset, 12, 72 + beat % 5, 80, FLUTE),
            (onset, 24, 36 + beat % 7, 70, BASS),
            (onset, 1, 38, 90, DRUMS),
        )
    ]
    return Score(records(NOTE, rows))


@pytest.mark.parametrize("seed", range(30))
def test_whoever_takes_a_part_can_play_it(seed: int) -> None:
    score = decode(orchestrated(encode(band()), np.random.default_rng(seed)))
    assert not out_of_range(score).any()
    assert DRUMS in score.instruments
    chords = {int(i) for i in score.notes["instrument"][score.notes["pitch"] == 64]}
    assert chords <= CHORDAL


def test_all_who_can_take_a_part_come_to_it() -> None:
    rng = np.random.default_rng(0)
    table = encode(band())
    taken = {i for _ in range(400) for i in decode(orchestrated(table, rng)).instruments}
    low = {i for i, own in enumerate(INSTRUMENTS) if own.low <= 36 and own.high >= 64}
    assert {instrument_id(name) for name in ("tuba", "contrabass", "oboe", "piccolo")} & taken
    assert len(taken & low) > 5


def test_windows_tell_who_plays(tmp_path: Path) -> None:
    split = toy_split(tmp_path, "train", [encode(band())])
    silent = Augmentation(orchestrate=1.0, drop_instruments=1.0, give=0.0)
    rng = np.random.default_rng(0)
    for _ in range(20):
        item = draw(split, 0, 1024, silent, rng)
        playing = np.unique(item.ids[item.ids[:, 1] <= DRUMS, 1])
        assert item.condition.instruments == tuple(playing.tolist())
    plain = draw(split, 0, 1024, replace(silent, orchestrate=0.0), rng)
    assert plain.condition.instruments == ()
