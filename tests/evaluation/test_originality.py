from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from music import BEAT, melody, together
from numpy.typing import NDArray
from toys import toy_split

from musenet.condition import SOURCES
from musenet.errors import UserError
from musenet.evaluation.lines import NONE, read_lines
from musenet.evaluation.originality import (
    GRAM,
    Index,
    comparable,
    steps_of,
    varied_grams,
    varied_notes,
)
from musenet.evaluation.originality_index import (
    FILE,
    build_index,
    index_of,
    open_index,
    save_index,
)
from musenet.events import encode
from musenet.instruments import DRUMS
from musenet.quantise import quantise
from musenet.score import NOTE, TEMPO, Array, Score, records, seconds_at, sort_notes, transpose

PIECES, NOTES = 8, 120
STEP = BEAT // 2
ALBERTI = [60, 67, 64, 67] * 20
SCALES = [*range(40, 90), *range(90, 40, -1)]


def tell(step: str, done: int, total: int) -> None:
    assert 0 < done <= total, step


def line(pitches: list[int], *, instrument: int = 0) -> Score:
    """Pitches in even eighths."""
    rows = [(i * STEP, STEP, pitch, 80, instrument) for i, pitch in enumerate(pitches)]
    return Score(records(NOTE, rows), records(TEMPO, [(0, 100.0)]), ticks_per_beat=BEAT)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    pieces = [melody(seed, NOTES, instrument=seed % 3) for seed in range(PIECES)]
    trivial = [line([60] * 80), line(ALBERTI), line(SCALES), line([36, 38] * 40, instrument=DRUMS)]
    toy_split(folder, "train", [encode(piece) for piece in [*pieces, *trivial]])
    toy_split(folder, "valid", [encode(melody(seed, 90)) for seed in range(100, 110)])
    toy_split(folder, "test", [encode(melody(seed, 90)) for seed in range(200, 205)])
    return folder


@pytest.fixture(scope="module")
def index(corpus: Path) -> Index:
    return build_index(corpus, tell)


def planted(source: Score, start: int, length: int, *, factor: int, seed: int) -> Score:
    """Part of a piece in longer notes, amid other music that goes on otherwise."""
    part = source.notes[start : start + length].copy()
    part["duration"] *= factor
    part["onset"] = (part["onset"] - part["onset"][0]) * factor
    before, after = melody(seed, 30).notes.copy(), melody(seed + 1, 30).notes.copy()
    before["instrument"] = after["instrument"] = part["instrument"][0]
    before["pitch"][-1] = _apart(int(part["pitch"][0]))
    after["pitch"][0] = _apart(int(part["pitch"][-1]))
    parts = [before, part, after]
    starts = np.cumsum([0, *(int(p["onset"][-1] + p["duration"][-1]) for p in parts[:-1])])
    for own, begin in zip(parts, starts, strict=True):
        own["onset"] += begin
    return Score(
        sort_notes(np.concatenate(parts)), records(TEMPO, [(0, 60.0)]), ticks_per_beat=BEAT
    )


def _apart(pitch: int) -> int:
    """A pitch at an interval that the melodies do not have."""
    return pitch + 13 if pitch < 70 else pitch - 13


@given(
    st.integers(0, PIECES - 1),
    st.integers(0, NOTES - 40),
    st.integers(16, 40),
    st.integers(-20, 20),
    st.integers(1, 4),
    st.integers(1000, 2000),
)
def test_a_planted_copy_is_found(
    index: Index, piece: int, start: int, length: int, semitones: int, factor: int, seed: int
) -> None:
    source = melody(piece, NOTES)
    score = transpose(planted(source, start, length, factor=factor, seed=seed), semitones)
    passage = index.longest(score)
    assert passage is not None
    assert (passage.piece, passage.notes) == (f"toys/{piece}.mid#0", length)
    assert passage.varied <= length
    assert (passage.semitones, passage.pieces) == (semitones, 1)
    onset = source.notes["onset"]
    beats = factor * (onset[start + length - 1] - onset[start]) / BEAT
    assert passage.beats == pytest.approx(beats)
    bars = onset[[start, start + length - 1]] // (4 * BEAT) + 1
    assert [passage.there.bar, passage.there.last_bar] == bars.tolist()
    on_grid = quantise(score)
    seconds = seconds_at(on_grid, on_grid.notes["onset"][[30, 29 + length]])
    here = [passage.here.second, passage.here.last_second]
    assert here == pytest.approx(seconds.tolist(), abs=0.25)


def test_a_copy_below_other_parts_is_found(index: Index) -> None:
    copy = melody(3, NOTES, instrument=16)
    other = [melody(seed, NOTES, instrument=20 + seed % 5) for seed in range(500, 503)]
    passage = index.longest(together([copy, *other]))
    assert passage is not None
    assert (passage.piece, passage.notes) == ("toys/3.mid#0", NOTES)
    assert passage.instrument == 16
    assert (passage.there.bar, passage.here.bar) == (1, 1)


def test_a_copy_with_chords_below_is_found(index: Index) -> None:
    copy = melody(2, NOTES)
    chords = copy.notes[::2].copy()
    chords["pitch"] -= 20
    harmonised = replace(copy, notes=sort_notes(np.concatenate([copy.notes, chords])))
    passage = index.longest(harmonised)
    assert passage is not None
    assert (passage.piece, passage.notes) == ("toys/2.mid#0", NOTES)


@pytest.mark.parametrize(
    "score",
    [
        line([60] * 80), line(ALBERTI), line(SCALES[:50]), line([60, 62] * 40), Score(),
        line([36, 38] * 40, instrument=DRUMS), melody(1, GRAM),
    ],
)  # fmt: skip
def test_what_says_nothing_is_no_copy(index: Index, score: Score) -> None:
    assert index.longest(score) is None
    assert index.check(score).longer_than == 0


def test_other_music_shares_little(index: Index) -> None:
    for seed in range(300, 330):
        passage = index.longest(melody(seed, NOTES))
        assert passage is None or passage.varied <= GRAM + 4


def test_a_passage_that_repeats_itself_counts_once(index: Index) -> None:
    phrase = melody(4, NOTES).notes[:21]
    again = phrase.copy()
    again["onset"] += phrase["onset"][-1] + phrase["duration"][-1]
    twice = replace(melody(4), notes=np.concatenate([phrase, again]))
    passage = index.longest(twice)
    assert passage is not None
    assert passage.notes in (21, 22)
    loop = np.tile(steps(melody(6, 9))[1:8], 6)
    assert varied_notes(loop) <= 7 + 3 + 1
    run = steps(melody(6, 60))[1:60]
    assert varied_notes(run) >= 50


def steps(score: Score) -> NDArray[np.uint16]:
    return steps_of(read_lines([encode(score)]))


def test_the_comparison_with_human_pieces(index: Index) -> None:
    assert index.human.shape == (15, 2)
    assert np.all(index.human[:, 0] == 90)
    copied = index.check(melody(5, NOTES))
    assert copied.human_pieces == 15
    assert copied.longer_than == 1
    assert index.check(line([60] * 9)).longer_than == 0


def test_arrangements_are_no_human_pieces(tmp_path: Path) -> None:
    toy_split(tmp_path, "train", [encode(melody(1))])
    kinds = [2 * SOURCES.index(name) for name in ("notated", "arranged", "performed")]
    toy_split(tmp_path, "test", [encode(melody(2, n)) for n in (30, 40, 50)], kind=kinds)
    assert sorted(build_index(tmp_path, tell).human[:, 0]) == [30, 50]


def test_pieces_of_about_the_same_length_are_compared() -> None:
    human = np.array([[100, 9]] * 40 + [[1000, 20]] * 40 + [[9000, 30]] * 3)
    assert set(comparable(human, 150)) == {9}
    assert set(comparable(human, 1900)) == {20}
    assert sorted(comparable(human, 9000)) == [20] * 27 + [30] * 3
    assert len(comparable(human[:0], 100)) == 0


@given(st.integers(0, 500), st.integers(-30, 30), st.integers(1, 4))
def test_steps_keep_through_key_and_tempo(seed: int, semitones: int, factor: int) -> None:
    score = melody(seed, 30)
    moved = transpose(score, semitones)
    notes: Array = moved.notes.copy()
    notes["onset"] *= factor
    notes["duration"] *= factor
    changed = Score(notes, records(TEMPO, [(0, 200.0)]), ticks_per_beat=BEAT)
    assert np.array_equal(steps(changed), steps(score))


def test_lines_of_a_chord_and_two_instruments() -> None:
    chords = together(
        [line([60, 62, 64, 65]), line([48, 50, 52, 53]), line([72] * 4, instrument=3)]
    )
    lines = read_lines([encode(chords), encode(line([50, 55]))])
    assert lines.notes["pitch"].tolist() == [
        NONE, 60, 62, 64, 65, NONE, 72, 72, 72, 72, NONE, 50, 55, NONE
    ]  # fmt: skip
    assert lines.starts.tolist() == [1, 11]
    assert np.flatnonzero(steps_of(lines)).tolist() == [1, 2, 3, 6, 7, 8, 11]


@given(st.integers(0, 200), st.integers(10, 60))
def test_grams_are_those_that_vary(seed: int, notes: int) -> None:
    own = steps(melody(seed, notes))
    places, hashes = varied_grams(own)
    intervals = own.astype(int) >> 4
    expected = [
        i
        for i in range(len(own) - GRAM + 1)
        if np.all(own[i : i + GRAM])
        and len(set(zip(intervals[i : i + GRAM - 1], intervals[i + 1 : i + GRAM], strict=True)))
        >= 5
    ]
    assert places.tolist() == expected
    assert hashes.dtype == np.uint32


def test_an_index_comes_back(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "some.index"
    save_index(index, path)
    back = open_index(path)
    for score in (melody(3, NOTES), melody(700, 60)):
        assert back.check(score) == index.check(score)
    assert back.longest(melody(3, NOTES)) is not None
    save_index(back, tmp_path / "again.index")
    assert (tmp_path / "again.index").read_bytes() == path.read_bytes()


def test_an_index_is_kept_with_the_corpus(tmp_path: Path) -> None:
    toy_split(tmp_path, "train", [encode(melody(1))])
    built = index_of(tmp_path, tell)
    before = (tmp_path / FILE).stat().st_mtime_ns
    assert index_of(tmp_path, tell).check(melody(1)) == built.check(melody(1))
    assert (tmp_path / FILE).stat().st_mtime_ns == before
    assert built.check(melody(1)).human_pieces == 0
    toy_split(tmp_path, "train", [encode(melody(2, 80))])
    assert index_of(tmp_path, tell).longest(melody(2, 80)) is not None


def test_damage(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "index"
    with pytest.raises(UserError, match="no index"):
        open_index(path)
    save_index(index, path)
    whole = path.read_bytes()
    for damaged in (b"", b"no index", whole[:-100], whole.replace(b"format", b"fxrmat")):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="corpus index"):
            open_index(path)
    with pytest.raises(UserError, match="no corpus"):
        index_of(tmp_path, tell)


@pytest.mark.parametrize(
    "change",
    [
        lambda i: replace(i, places=i.places + 10**6),
        lambda i: replace(i, hashes=i.hashes[::-1]),
        lambda i: replace(i, names=i.names[:-1]),
        lambda i: replace(i, lines=replace(i.lines, notes=i.lines.notes[:-1])),
        lambda i: replace(i, human=i.human[:, :1]),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit(index: Index, tmp_path: Path, change: object) -> None:
    assert callable(change)
    save_index(change(index), tmp_path / "index")
    with pytest.raises(UserError, match="damaged"):
        open_index(tmp_path / "index")


def test_random_music_shares_little(index: Index) -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        passage = index.longest(line(rng.integers(50, 80, 400).tolist()))
        assert passage is None or passage.varied <= GRAM + 2
