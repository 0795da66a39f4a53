"""Originality: the longest passage that a piece shares with the music a model learnt from.

A passage is a run of notes of one line (`lines`) with the same intervals and the same ratios of
inter-onset times, so that transposition, tempo, note values and orchestration do not hide it.
As in the originality report of Yin, Reuben, Stepney and Collins (2021), what is found is set
against what human pieces share with the same corpus.

Passages that say nothing are not copies: repeated notes, scales, trills and broken chords.
`varied` therefore counts notes without what a passage repeats of itself, and decides which
passage is the longest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musenet.evaluation.lines import NONE, QUARTERS, Lines, read_lines
from musenet.events import Table, encode
from musenet.score import TICKS_PER_BEAT, Score

GRAM = 8
"""Steps that a passage has at least: nine notes."""
MIN_DISTINCT = 5
"""Different pairs of neighbouring intervals, of seven, in a gram that is looked up."""
STRIDE = 4
"""One in so many grams of the corpus is in the index, and every gram of the piece is looked up:
no shared passage with four grams that are varied enough is missed, twelve notes that do not
repeat themselves."""
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_AT_ONCE = 1 << 16

Steps = NDArray[np.uint16]
"""Interval and ratio from each note of `Lines` to the next, 0 where a line ends."""
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Span:
    """Where a passage stands in a piece: bars from 1 and seconds, of its first and last note."""

    bar: int
    last_bar: int
    second: float
    last_second: float


@dataclass(frozen=True)
class Passage:
    """A passage that two pieces share.

    Attributes:
        notes: its length.
        varied: its length without what it repeats of itself.
        beats: from its first onset to its last, in quarter notes, in the piece asked about.
        instrument: id of the instrument that plays it there.
        here: where it stands in the piece asked about.
        piece: archive/path#movement of the training piece.
        there: where it stands in that.
        semitones: how much higher it is here than there.
        pieces: training pieces that have it.
    """

    notes: int
    varied: int
    beats: float
    instrument: int
    here: Span
    piece: str
    there: Span
    semitones: int
    pieces: int


@dataclass(frozen=True)
class Originality:
    """The longest shared passage of a piece, among those of human pieces.

    Attributes:
        passage: the passage; None without one that counts.
        longer_than: share of the human pieces whose longest passage is shorter, 0 to 1.
        human_pieces: human pieces of about this length that it is compared with.
    """

    passage: Passage | None
    longer_than: float
    human_pieces: int


@dataclass(frozen=True, eq=False)
class Index:
    """The lines of a corpus, prepared to be searched.

    Attributes:
        lines: of all pieces.
        steps: of the lines.
        hashes: of every `STRIDE`th varied gram, rising, uint32.
        places: note of the lines at which each of these begins.
        names: archive/path#movement of each piece.
        human: longest passages of held-out human pieces, notes of their lines and `varied`,
            shape (pieces, 2).
        corpus: digest of the corpus it was made of.
    """

    lines: Lines
    steps: Steps
    hashes: NDArray[np.uint32]
    places: Places
    names: tuple[str, ...]
    human: NDArray[np.int64]
    corpus: str

    def longest(self, score: Score) -> Passage | None:
        """The longest passage, by `varied`, that a score shares with the corpus."""
        return self.longest_in(read_lines([encode(score)]))

    def check(self, score: Score) -> Originality:
        """The longest passage of a score, and how it compares with those of human pieces."""
        lines = read_lines([encode(score)])
        passage = self.longest_in(lines)
        human = comparable(self.human, note_count(lines))
        longer_than = (human < (passage.varied if passage else 0)).mean() if len(human) else 0.0
        return Originality(passage, float(longer_than), len(human))

    def longest_of_table(self, table: Table) -> tuple[int, int]:
        """Notes of the lines of a piece, and `varied` of its longest passage or 0."""
        lines = read_lines([table])
        passage = self.longest_in(lines)
        return note_count(lines), passage.varied if passage else 0

    def longest_in(self, lines: Lines) -> Passage | None:
        """As `longest`, of the lines of one piece."""
        steps = steps_of(lines)
        here, there, lengths = _runs(steps, self.steps, *self._hits(steps))
        best = _most_varied(steps, here, lengths)
        if best is None:
            return None
        start, length, varied = best
        sources = there[(here == start) & (lengths == length)]
        owners = np.searchsorted(self.lines.starts, sources, side="right") - 1
        source, owner = int(sources.min()), int(owners.min())
        notes, other = (
            lines.notes[start : start + length + 1],
            self.lines.notes[source : source + length + 1],
        )
        return Passage(
            length + 1, varied, int(notes["tick"][-1] - notes["tick"][0]) / TICKS_PER_BEAT,
            int(notes["instrument"][0]), _span(notes), self.names[owner], _span(other),
            int(notes["pitch"][0]) - int(other["pitch"][0]), len(np.unique(owners)),
        )  # fmt: skip

    def _hits(self, steps: Steps) -> tuple[Places, Places]:
        """Pairs of places, in a piece and in the corpus, at which grams of one hash begin."""
        places, hashes = varied_grams(steps)
        first = np.searchsorted(self.hashes, hashes, side="left")
        counts = np.searchsorted(self.hashes, hashes, side="right") - first
        inside = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(places, counts), self.places[np.repeat(first, counts) + inside]


def _span(notes: NDArray[np.void]) -> Span:
    bar, moment = notes["bar"], notes["moment"]
    return Span(int(bar[0]), int(bar[-1]), int(moment[0]) / QUARTERS, int(moment[-1]) / QUARTERS)


def note_count(lines: Lines) -> int:
    """Notes in lines."""
    return int((lines.notes["pitch"] != NONE).sum())


def comparable(human: NDArray[np.int64], notes: int, least: int = 30) -> NDArray[np.int64]:
    """Longest passages of human pieces of half to twice so many notes, or of the nearest ones.

    Longer pieces share longer passages by chance.

    Args:
        human: as in `Index`.
        notes: notes of the lines of the piece.
        least: pieces to compare with if fewer are that near.
    """
    octaves = np.abs(np.log2(np.maximum(1, human[:, 0]) / max(1, notes)))
    order = np.argsort(octaves, kind="stable")
    longest: NDArray[np.int64] = human[order[: max(least, int((octaves <= 1).sum()))], 1]
    return longest


def steps_of(lines: Lines) -> Steps:
    """The step from each note to the next, shape (notes,)."""
    pitch = lines.notes["pitch"].astype(np.int16)
    interval = np.diff(pitch, append=np.int16(NONE))
    within = pitch != NONE
    within[:-1] &= within[1:]
    steps: Steps = ((interval + 128) * 16 + lines.notes["ratio"] + 8).astype(np.uint16) * within
    return steps


def varied_grams(steps: Steps) -> tuple[Places, NDArray[np.uint32]]:
    """Places at which grams of `MIN_DISTINCT` begin, and the hashes of these."""
    found = [
        _grams(steps[start : start + _AT_ONCE + GRAM - 1], start)
        for start in range(0, max(1, len(steps) - GRAM + 1), _AT_ONCE)
    ]
    return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


def _grams(steps: Steps, start: int) -> tuple[Places, NDArray[np.uint32]]:
    if len(steps) < GRAM:
        return np.zeros(0, np.int64), np.zeros(0, np.uint32)
    count = len(steps) - GRAM + 1
    whole = np.logical_and.reduce([steps[k : k + count] != 0 for k in range(GRAM)])
    chosen = np.flatnonzero(whole & (_distinct_pairs(steps) >= MIN_DISTINCT))
    return chosen + start, _hashes(steps, count)[chosen]


def _distinct_pairs(steps: Steps) -> NDArray[np.int8]:
    """Different pairs of neighbouring intervals in each gram, shape (grams,).

    A pair counts in a gram if it did not stand there before: if its last occurrence is further
    back than the gram begins.
    """
    interval = (steps >> 4).astype(np.int32)
    pair = interval[1:] << 12 | interval[:-1]
    back = np.full(len(pair), GRAM, dtype=np.int8)
    for distance in range(GRAM - 2, 0, -1):
        back[distance:][pair[distance:] == pair[:-distance]] = distance
    count = len(steps) - GRAM + 1
    result: NDArray[np.int8] = np.add.reduce(
        [back[k : k + count] > k for k in range(GRAM - 1)], dtype=np.int8
    )
    return result


def _hashes(steps: Steps, count: int) -> NDArray[np.uint32]:
    """Hashes of grams without the ratio of their first step, which looks back beyond them."""
    hashed = (steps[:count] >> 4).astype(np.uint64)
    for k in range(1, GRAM):
        hashed = (hashed ^ (hashed >> np.uint64(29))) * _PRIME + steps[k : k + count]
    result: NDArray[np.uint32] = ((hashed * _PRIME) >> np.uint64(32)).astype(np.uint32)
    return result


def _runs(steps: Steps, other: Steps, here: Places, there: Places) -> tuple[Places, Places, Places]:
    """The longest runs of equal steps around pairs of places: both beginnings and the length."""
    here, there = _leftmost(steps, other, here, there)
    width = len(other)
    here, there = np.divmod(np.unique(here * width + there), width)
    lengths = (steps[here] >> 4 == other[there] >> 4).astype(np.int64)
    going = np.flatnonzero(lengths)
    while len(going):
        step = steps[here[going] + lengths[going]]
        going = going[(step == other[there[going] + lengths[going]]) & (step != 0)]
        lengths[going] += 1
    return here, there, lengths


def _leftmost(steps: Steps, other: Steps, here: Places, there: Places) -> tuple[Places, Places]:
    back = np.zeros(len(here), dtype=np.int64)
    going = np.arange(len(here))
    while len(going):
        i, j = here[going] - back[going], there[going] - back[going]
        before = steps[i - 1]
        same = (steps[i] == other[j]) & (before != 0) & (before >> 4 == other[j - 1] >> 4)
        going = going[same]
        back[going] += 1
    return here - back, there - back


def _most_varied(steps: Steps, here: Places, lengths: Places) -> tuple[int, int, int] | None:
    """Start, steps and varied notes of the run with the most varied notes; None without one."""
    runs = np.unique(np.stack([-lengths, here], axis=1), axis=0)
    best: tuple[int, int, int] | None = None
    for start, length in zip(runs[:, 1].tolist(), (-runs[:, 0]).tolist(), strict=True):
        if length < GRAM or (best and length + 1 <= best[2]):
            break
        varied = varied_notes(steps[start : start + length])
        if best is None or varied > best[2]:
            best = start, length, varied
    return best


def varied_notes(steps: Steps) -> int:
    """Notes of a run of steps, without what it repeats of itself.

    Three steps that stood in it before, with the same ratios, add no note.
    """
    if len(steps) < 3:
        return len(steps) + 1
    coded = steps.astype(np.uint64)
    coded[0] = coded[0] >> np.uint64(4) << np.uint64(4)
    threes = coded[:-2] << np.uint64(32) | coded[1:-1] << np.uint64(16) | coded[2:]
    return len(np.unique(threes)) + 3
