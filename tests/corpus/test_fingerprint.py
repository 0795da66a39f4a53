from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from music import BEAT, melody, together

from musenet.corpus.fingerprint import digests, fingerprint
from musenet.events import encode
from musenet.instruments import DRUMS
from musenet.score import NOTE, TEMPO, Score, records, transpose

seeds = st.integers(0, 10_000)


def shared(one: Score, other: Score) -> float:
    """Share of the first fingerprint that is in the second."""
    first = fingerprint(encode(one))
    return float(np.isin(first, fingerprint(encode(other))).mean())


@given(seeds, st.integers(-12, 12), st.floats(40, 200), st.sampled_from([0, 15, 36]))
def test_key_tempo_and_instrument_do_not_count(
    seed: int, semitones: int, bpm: float, instrument: int
) -> None:
    other = transpose(melody(seed, bpm=bpm, instrument=instrument), semitones)
    assert shared(melody(seed), other) == 1


@given(seeds)
def test_rhythm_and_repeated_notes_do_not_count(seed: int) -> None:
    plain = melody(seed)
    halves = np.repeat(plain.notes, 2)
    halves["duration"] //= 2
    halves["onset"][1::2] += halves["duration"][1::2]
    assert shared(plain, replace(plain, notes=halves)) == 1


@given(seeds)
def test_an_accompaniment_does_not_hide_the_melody(seed: int) -> None:
    other_part = transpose(melody(seed + 1, instrument=32), 12)
    drums = melody(seed + 2, instrument=DRUMS)
    assert shared(melody(seed), together([melody(seed), other_part, drums])) == 1


@given(seeds, seeds)
def test_other_melodies_share_nothing_to_speak_of(one: int, other: int) -> None:
    assert one == other or shared(melody(one), melody(other)) < 0.05


def test_scales_and_broken_chords_say_nothing() -> None:
    scale = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62] * 8
    chord = [48, 55, 52, 55] * 30
    for pitches in (scale, chord):
        rows = [(i * BEAT, BEAT, pitch, 80, 0) for i, pitch in enumerate(pitches)]
        assert len(fingerprint(encode(Score(records(NOTE, rows), ticks_per_beat=BEAT)))) <= 14
    assert len(fingerprint(encode(Score()))) == 0


@given(seeds, st.integers(1, 12))
def test_digests_of_copies(seed: int, semitones: int) -> None:
    plain = melody(seed)
    exact, transposed = digests(encode(plain))
    louder = plain.notes.copy()
    louder["velocity"] = 100
    copy = transpose(replace(plain, notes=louder), semitones)
    assert digests(encode(copy))[1] == transposed
    assert digests(encode(copy))[0] != exact
    assert digests(encode(replace(plain, tempos=records(TEMPO, [(0, 60.0)]))))[1] == transposed
    assert digests(encode(plain)) == (exact, transposed)
    assert digests(encode(replace(plain, notes=plain.notes[:-1])))[1] != transposed
