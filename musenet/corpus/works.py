"""Works: which pieces are the same work, and on which side of the split each work stands.

Pieces are tied by the keys of `titles` and by what their melodies share; a work is what is tied
directly or through others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.corpus.fingerprint import Shingles

MATCHES = ((12, 0.15), (8, 0.2), (5, 0.3))
"""Shingles that two pieces of one work have in common at least, with the share of the smaller
fingerprint that they are at least: one of these rows must hold."""
MAX_PIECES_A_SHINGLE = 40
"""A shingle in more pieces is a formula and says nothing."""
VALID_SHARE, TEST_SHARE = 0.03, 0.03
"""Share of the works in the validation and the test split."""
MAX_HELD_OUT = 0.002
"""A work with a greater share of all notes is always trained on."""

_PAIRS_AT_ONCE = 4_000_000


class Groups:
    """Disjoint sets of the numbers below `count`, united one pair at a time."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def find(self, member: int) -> int:
        """The smallest member of a member's set."""
        root = member
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[member] != root:
            self._parent[member], member = root, self._parent[member]
        return root

    def unite(self, one: int, other: int) -> None:
        """Make the sets of two members one."""
        low, high = sorted((self.find(one), self.find(other)))
        self._parent[high] = low

    def roots(self) -> NDArray[np.int64]:
        """The smallest member of each member's set, shape (count,)."""
        return np.array([self.find(member) for member in range(len(self._parent))], np.int64)


def unite_by_key(groups: Groups, keys: Iterable[tuple[int, Iterable[Hashable]]]) -> None:
    """Unite all members that share a key."""
    first: dict[Hashable, int] = {}
    for member, own in keys:
        for key in own:
            groups.unite(member, first.setdefault(key, member))


@dataclass(frozen=True)
class Matches:
    """Pairs of pieces that share shingles.

    Attributes:
        first: the smaller number of each pair, shape (pairs,).
        second: the greater number.
        shared: how many shingles they share.
        containment: what share that is of the smaller fingerprint, 0 to 1.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    shared: NDArray[np.int64]
    containment: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_]) -> Matches:
        """The chosen pairs."""
        return Matches(
            self.first[chosen], self.second[chosen], self.shared[chosen], self.containment[chosen]
        )


def find_matches(fingerprints: Sequence[Shingles], apart: NDArray[np.bool_]) -> Matches:
    """All pairs of pieces that share a shingle which is no formula.

    Args:
        fingerprints: one a piece.
        apart: pieces that are not compared with each other (their accompaniments come from one
            library), shape (pieces,).
    """
    sizes = np.array([len(shingles) for shingles in fingerprints], dtype=np.int64)
    codes, counts = _count_pairs(fingerprints, apart)
    first, second = np.divmod(codes, max(1, len(fingerprints)))
    smaller = np.minimum(sizes[first], sizes[second])
    return Matches(first, second, counts, counts / np.maximum(1, smaller))


def _count_pairs(
    fingerprints: Sequence[Shingles], apart: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs, as first times the number of pieces plus second, and their shared shingles."""
    codes, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for block in _pair_blocks(fingerprints, apart):
        new, times = np.unique(block, return_counts=True)
        merged, place = np.unique(np.concatenate([codes, new]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, times])).astype(np.int64)
        codes = merged
    return codes, counts


def _pair_blocks(
    fingerprints: Sequence[Shingles], apart: NDArray[np.bool_]
) -> Iterator[NDArray[np.int64]]:
    """A code for each shingle that two pieces share, some millions at once."""
    shingles, owners = _postings(fingerprints)
    starts = np.flatnonzero(np.diff(shingles, prepend=-1) != 0)
    sizes = np.diff(np.r_[starts, len(shingles)])
    block: list[NDArray[np.int64]] = []
    pending = 0
    for size in range(2, MAX_PIECES_A_SHINGLE + 1):
        rows = starts[sizes == size]
        left, right = np.triu_indices(size, 1)
        step = max(1, _PAIRS_AT_ONCE // len(left))
        for begin in range(0, len(rows), step):
            members = owners[rows[begin : begin + step, None] + np.arange(size)]
            one, other = members[:, left].ravel(), members[:, right].ravel()
            compared = ~(apart[one] & apart[other])
            block.append((one * len(fingerprints) + other)[compared])
            pending += len(block[-1])
            if pending >= _PAIRS_AT_ONCE:
                yield np.concatenate(block)
                block, pending = [], 0
    if block:
        yield np.concatenate(block)


def _postings(
    fingerprints: Sequence[Shingles],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All shingles, rising, and the piece that each comes from, rising within a shingle."""
    packed = np.concatenate(
        [np.zeros(0, np.uint64)]
        + [s.astype(np.uint64) << np.uint64(32) | np.uint64(i) for i, s in enumerate(fingerprints)]
    )
    packed.sort()
    owners = (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return (packed >> np.uint64(32)).astype(np.int64), owners


def same_work(matches: Matches) -> NDArray[np.bool_]:
    """Which pairs share enough to be one work."""
    enough = np.zeros(len(matches.first), dtype=bool)
    for shared, share in MATCHES:
        enough |= (matches.shared >= shared) & (matches.containment >= share)
    return enough


def split_works(
    works: NDArray[np.int64], names: Sequence[str], notes: NDArray[np.int64]
) -> NDArray[np.int8]:
    """The split of each piece: 0 train, 1 valid, 2 test.

    A work's split follows from the first of its pieces' names, so that it does not move when other
    works come or go, but where that takes its share of all notes across `MAX_HELD_OUT`.

    Args:
        works: number of each piece's work, shape (pieces,).
        names: name of each piece's file.
        notes: notes of each piece.
    """
    total = np.bincount(works, notes)
    first: dict[int, str] = {}
    for work, name in zip(works.tolist(), names, strict=True):
        first[work] = min(first.get(work, name), name)
    held_out = total <= MAX_HELD_OUT * max(1.0, float(total.sum()))
    side = {work: _side(name) if held_out[work] else 0 for work, name in first.items()}
    return np.array([side[work] for work in works.tolist()], dtype=np.int8)


def _side(name: str) -> int:
    digest = hashlib.blake2b(name.encode("utf8"), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    if place < VALID_SHARE:
        return 1
    return 2 if place < VALID_SHARE + TEST_SHARE else 0
