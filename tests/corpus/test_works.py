from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musenet.corpus.works import (
    MAX_PIECES_A_SHINGLE,
    TEST_SHARE,
    VALID_SHARE,
    Groups,
    find_matches,
    same_work,
    split_works,
    unite_by_key,
)


@given(st.lists(st.sets(st.sampled_from("abcdefgh"), max_size=3), min_size=1, max_size=12))
def test_keys_unite_what_is_linked(keys: list[set[str]]) -> None:
    groups = Groups(len(keys))
    unite_by_key(groups, enumerate(keys))
    roots = groups.roots()
    reach = np.eye(len(keys), dtype=bool)
    for one, other in combinations(range(len(keys)), 2):
        reach[one, other] = reach[other, one] = bool(keys[one] & keys[other])
    for _ in keys:
        reach = reach @ reach
    assert np.array_equal(roots[:, None] == roots, reach)
    assert np.array_equal(roots, reach.argmax(axis=1))


@given(
    st.lists(st.sets(st.integers(0, 40), max_size=25), min_size=1, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_matches_are_all_shared_shingles(pieces: list[set[int]], flags: list[bool]) -> None:
    apart = np.array(flags[: len(pieces)])
    matches = find_matches([np.array(sorted(p), dtype=np.uint32) for p in pieces], apart)
    found = {
        (int(one), int(other)): (int(shared), float(share))
        for one, other, shared, share in zip(
            matches.first, matches.second, matches.shared, matches.containment, strict=True
        )
    }
    expected = {
        (i, j): (len(pieces[i] & pieces[j]), len(pieces[i] & pieces[j]) / smaller)
        for i, j in combinations(range(len(pieces)), 2)
        if pieces[i] & pieces[j] and not (apart[i] and apart[j])
        and (smaller := min(len(pieces[i]), len(pieces[j])))
    }  # fmt: skip
    assert found == expected


def test_formulas_do_not_count() -> None:
    common = np.arange(30, dtype=np.uint32)
    crowd = [common] * (MAX_PIECES_A_SHINGLE + 1)
    assert not len(find_matches(crowd, np.zeros(len(crowd), bool)).first)
    few = find_matches(crowd[:3], np.zeros(3, bool))
    assert same_work(few).all()
    little = [np.arange(100, dtype=np.uint32), np.arange(95, 195, dtype=np.uint32)]
    assert not same_work(find_matches(little, np.zeros(2, bool))).any()


def test_the_split_goes_by_work_and_does_not_move() -> None:
    works = np.repeat(np.arange(4000), 2)
    names = [f"a.zip/{i}.mid" for i in range(8000)]
    notes = np.full(8000, 100)
    splits = split_works(works, names, notes)
    assert np.array_equal(splits[::2], splits[1::2])
    shares = np.bincount(splits, minlength=3) / len(splits)
    assert abs(shares[1] - VALID_SHARE) < 0.01
    assert abs(shares[2] - TEST_SHARE) < 0.01
    order = np.random.default_rng(0).permutation(8000)
    shuffled = split_works(works[order], [names[i] for i in order], notes)
    assert np.array_equal(shuffled, splits[order])
    part = works < 3000
    fewer = split_works(works[part], names[:6000], notes[part])
    assert np.array_equal(fewer, splits[part])


def test_a_giant_work_is_trained_on() -> None:
    works = np.r_[np.zeros(2000, dtype=np.int64), np.arange(1, 2001)]
    for start in range(60):
        names = [f"{start}-{i}" for i in range(4000)]
        assert split_works(works, names, np.full(4000, 10))[0] == 0
