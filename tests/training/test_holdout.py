from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from music import melody, transposed_copy
from toys import toy_split

from musenet.corpus.shards import Split
from musenet.errors import UserError
from musenet.events import decode, encode, is_note
from musenet.score import Score
from musenet.training.holdout import parted


def split_of(folder: Path, scores: Sequence[Score], names: Sequence[str] = ()) -> Split:
    own = names or [f"songs/{place}.mid" for place in range(len(scores))]
    return toy_split(folder, "train", [encode(score) for score in scores], names=own)


@pytest.mark.parametrize("seed", range(5))
def test_a_fifth_is_held_out_and_no_work_stands_on_both_sides(tmp_path: Path, seed: int) -> None:
    tunes = [melody(i, 60) for i in range(8)]
    copies = [transposed_copy(tune, 3) for tune in tunes[:2]]
    names = [f"songs/{i}.mid" for i in range(8)] + ["other/a.mid", "other/b.mid"]
    movements = [melody(20, 60), melody(21, 60)]
    scores = [*tunes, *copies, *movements]
    split = split_of(tmp_path, scores, [*names, "suite.mid", "suite.mid"])
    train, held = parted(split, seed)
    assert sorted([*train.names, *held.names]) == sorted(split.names)
    assert 2 <= len(set(held.names)) <= 4
    assert not set(train.names) & set(held.names)
    for one, other in (("songs/0.mid", "other/a.mid"), ("songs/1.mid", "other/b.mid")):
        assert (one in held.names) == (other in held.names)
    for part in (train, held):
        for piece in range(len(part)):
            place = split.names.index(part.names[piece])
            own = [
                split.table(i) for i in range(len(split)) if split.names[i] == split.names[place]
            ]
            assert any(np.array_equal(part.table(piece), table) for table in own)


def test_another_seed_holds_others_out(tmp_path: Path) -> None:
    split = split_of(tmp_path, [melody(i) for i in range(10)])
    assert len({parted(split, seed)[1].names for seed in range(8)}) > 3
    assert parted(split, 1)[1].names == parted(split, 1)[1].names


def test_of_a_single_piece_the_end_is_held_out(tmp_path: Path) -> None:
    whole = melody(0, 400)
    train, held = parted(split_of(tmp_path, [whole]), 0)
    first, last = decode(train.table(0)), decode(held.table(0))
    assert len(first.notes) + len(last.notes) == 400
    assert 0.7 <= len(first.notes) / 400 <= 0.8
    pitches = np.concatenate([first.notes["pitch"], last.notes["pitch"]])
    assert np.array_equal(pitches, whole.notes["pitch"])
    for part in (train, held):
        assert part.pieces["notes"][0] == is_note(part.table(0)).sum()
        assert part.pieces["seconds"][0] == pytest.approx(decode(part.table(0)).seconds, rel=0.05)


def test_too_few_notes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="199 notes are too few"):
        parted(split_of(tmp_path, [melody(0, 100), melody(1, 99)]), 0)
