from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from toys import toy_split

from musenet.corpus.shards import Split
from musenet.events import decode, encode, is_valid
from musenet.features import STYLE
from musenet.instruments import DRUMS, INSTRUMENTS, instrument_id
from musenet.key import key_of, transpose_key
from musenet.score import METRE, NOTE, TEMPO, Score, out_of_range, records
from musenet.styles import style_id
from musenet.training.augment import NONE, Augmentation
from musenet.training.batches import draw
from musenet.training.splicing import Spliced, spliced

PIANO, VIOLIN, CELLO = map(instrument_id, ("piano", "violin", "cello"))
JAZZ, FOLK, REEL, BACH = map(style_id, ("jazz", "folk", "reel", "bach"))
C_MAJOR = (0, 4, 7, 0, 5, 9, 7, 11)
BAR = 96
STYLES = ([JAZZ], [FOLK, REEL])


def piece(
    instrument: int,
    bars: int = 32,
    *,
    low: int = 60,
    metres: Sequence[tuple[int, int, int]] = ((0, 4, 4),),
    bpm: float = 120.0,
) -> Score:
    """Eight eighths a bar in the key of `low`, the first of each bar as loud as the bar says."""
    rows = [
        (BAR * bar + 12 * i, 12, low + tone, 2 + 4 * (bar % 30), instrument)
        for bar in range(bars)
        for i, tone in enumerate(C_MAJOR)
    ]
    return Score(records(NOTE, rows), records(TEMPO, [(0, bpm)]), records(METRE, metres))


def split_of(
    folder: Path, scores: Sequence[Score], styles: Sequence[Sequence[int]] = STYLES, kind: int = 0
) -> Split:
    padded = [[*some, *[-1] * (4 - len(some))] for some in styles]
    tables = [encode(score) for score in scores]
    return toy_split(folder, "train", tables, styles=padded, kind=[kind] * len(scores))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Split:
    scores = [piece(PIANO, 32), piece(VIOLIN, 40, low=67)]
    return split_of(tmp_path_factory.mktemp("pair"), scores)


def made(split: Split, seed: int) -> Spliced:
    result = spliced(split, 0, np.random.default_rng(seed))
    assert result is not None
    return result


def players(score: Score, bars: int) -> list[set[int]]:
    """Who begins notes in each bar."""
    bar = score.notes["onset"] // BAR
    return [{int(i) for i in score.notes["instrument"][bar == at]} for at in range(bars)]


@pytest.mark.parametrize("seed", range(20))
def test_each_bar_is_of_one_piece_and_both_have_some(pair: Split, seed: int) -> None:
    result = made(pair, seed)
    assert is_valid(result.table)
    score = decode(result.table)
    heard = players(score, 32)
    assert all(len(playing) == 1 for playing in heard)
    assert set().union(*heard) == {PIANO, VIOLIN}
    assert score.end == 32 * BAR


@pytest.mark.parametrize("seed", range(20))
def test_it_is_known_whose_each_moment_is(pair: Split, seed: int) -> None:
    result = made(pair, seed)
    notes = decode(result.table).notes
    assert result.pieces == (0, 1)
    violin = notes["instrument"] == VIOLIN
    assert np.array_equal(result.turn(notes["onset"]) == 1, violin)
    assert 0.1 < result.turns.mean() < 0.9
    assert result.turn(np.array([10**6])) == result.turns[-1]


@pytest.mark.parametrize("seed", range(10))
def test_bars_come_from_the_same_place_of_the_piece(pair: Split, seed: int) -> None:
    """By the loudness of a bar: from the beginning on, then as far from the end."""
    score = decode(made(pair, seed).table)
    for instrument, bars in ((PIANO, 32), (VIOLIN, 40)):
        notes = score.notes[score.notes["instrument"] == instrument]
        at = notes["onset"] // BAR
        source = np.where(at < 16, at, at + bars - 32)
        assert np.array_equal(notes["velocity"], 2 + 4 * (source % 30))


def test_the_second_is_moved_to_the_key_of_the_first(pair: Split) -> None:
    score = decode(made(pair, 1).table)
    assert key_of(score)[0] == key_of(piece(PIANO))[0]
    assert key_of(piece(VIOLIN, low=67))[0] == transpose_key(key_of(score)[0], 7)


def test_moving_keeps_instruments_in_their_ranges(tmp_path: Path) -> None:
    lowest = INSTRUMENTS[CELLO].low
    scores = [piece(PIANO, low=60 + (lowest - 1) % 12), piece(CELLO, low=lowest)]
    split = split_of(tmp_path, scores)
    for seed in range(10):
        assert not out_of_range(decode(made(split, seed).table)).any()


def test_what_sounds_into_the_bars_of_the_other_ends_there(tmp_path: Path) -> None:
    long = piece(PIANO)
    long.notes["duration"][::8] = 4 * BAR
    split = split_of(tmp_path, [long, piece(VIOLIN)])
    for seed in range(10):
        score = decode(made(split, seed).table)
        heard = players(score, 32)
        piano = score.notes[score.notes["instrument"] == PIANO]
        for note in piano:
            last = (int(note["onset"]) + int(note["duration"]) - 1) // BAR
            assert heard[min(last, 31)] == {PIANO}


@pytest.mark.parametrize(
    ("other", "styles", "kind"),
    [
        (piece(VIOLIN, metres=((0, 3, 4),)), STYLES, 0),
        (piece(VIOLIN, metres=((0, 4, 4), (4 * BAR, 3, 4))), STYLES, 0),
        (piece(VIOLIN, bpm=190.0), STYLES, 0),
        (piece(VIOLIN, bars=6), STYLES, 0),
        (piece(VIOLIN), ([JAZZ, FOLK], [FOLK]), 0),
        (piece(VIOLIN), ([JAZZ], []), 0),
        (piece(VIOLIN), ([], [JAZZ]), 0),
        (piece(VIOLIN), STYLES, 6),
    ],
    ids=["metre", "metres", "tempo", "length", "style", "no style", "none of its own", "no beat"],
)
def test_what_does_not_go_together_is_left_alone(
    tmp_path: Path, other: Score, styles: Sequence[Sequence[int]], kind: int
) -> None:
    split = split_of(tmp_path, [piece(PIANO), other], styles, kind)
    assert all(spliced(split, 0, np.random.default_rng(seed)) is None for seed in range(10))


@pytest.mark.parametrize("context", [64, 256])
def test_windows_tell_one_of_the_two_and_its_bars_count(pair: Split, context: int) -> None:
    always = Augmentation(
        splice=1.0, both=0.0, orchestrate=0.0, drop_styles=1.0, drop_instruments=0.0, give=0.0
    )
    rng = np.random.default_rng(0)
    told = Counter[int]()
    for _ in range(60):
        item = draw(pair, 0, context, always, rng)
        (player,) = item.condition.instruments
        styles = {style for style, _ in item.condition.styles}
        assert styles <= ({JAZZ} if player == PIANO else {FOLK, REEL})
        assert styles
        told[player] += 1
        notes = item.ids[:, 1] <= DRUMS
        assert np.array_equal(item.weights[notes, 2] > 0, item.ids[notes, 1] == player)
        assert item.notes == (item.ids[:, 1] == player).sum() > 0
    assert min(told.values()) > 5


@pytest.mark.parametrize("context", [64, 256])
def test_windows_tell_both_and_each_bar_its_own_style(pair: Split, context: int) -> None:
    always = Augmentation(
        splice=1.0, both=1.0, orchestrate=0.0, drop_instruments=0.0, give=0.0, show_style=1.0
    )
    rng = np.random.default_rng(0)
    for _ in range(20):
        item = draw(pair, 0, context, always, rng)
        assert set(item.condition.instruments) == {PIANO, VIOLIN}
        weights = dict(item.condition.styles)
        assert JAZZ in weights
        assert len(weights) > 1
        assert sum(weights.values()) == pytest.approx(1.0)
        notes = item.ids[:, 1] <= DRUMS
        assert item.weights[notes].all()
        told = item.features[notes, STYLE]
        assert np.array_equal(told == JAZZ, item.ids[notes, 1] == PIANO)
        assert set(told.tolist()) <= set(weights)


def test_without_splices_a_piece_stays_alone(pair: Split) -> None:
    alone = draw(pair, 0, 256, NONE, np.random.default_rng(0))
    assert alone.condition.styles == ()
    assert set(alone.ids[alone.ids[:, 1] <= DRUMS, 1].tolist()) == {PIANO}
