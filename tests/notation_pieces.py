"""Small pieces for the notation tests: each shows one thing that a page of music may hold."""

from __future__ import annotations

from collections.abc import Sequence

from music import SCALE, melody, together

from musenet.instruments import instrument_id
from musenet.score import METRE, NOTE, TEMPO, Score, records, sort_notes

METRES = (
    (4, 4), (3, 4), (2, 4), (2, 2), (3, 2), (6, 8), (9, 8), (12, 8), (3, 8), (5, 4), (5, 8), (7, 8),
    (8, 8), (12, 16),
)  # fmt: skip
MINOR = (0, 2, 3, 5, 7, 8, 11)
TEN = (
    "flute", "oboe", "clarinet", "horn", "timpani", "harp", "violin", "viola", "cello",
    "contrabass",
)  # fmt: skip

Row = tuple[int, int, int]
"""Onset and length in ticks of 24 a quarter, pitch."""


def piece(
    lines: dict[str, Sequence[Row]],
    metres: Sequence[tuple[int, int, int]] = ((0, 4, 4),),
    tempos: Sequence[tuple[int, float]] = ((0, 120.0),),
) -> Score:
    """A score of 24 ticks a quarter from the rows of each instrument."""
    notes = [(*row, 80, instrument_id(name)) for name, rows in lines.items() for row in rows]
    return Score(
        sort_notes(records(NOTE, notes)), records(TEMPO, list(tempos)), records(METRE, list(metres))
    )


def line(lengths: Sequence[int], pitches: Sequence[int], start: int = 0) -> list[Row]:
    """Notes one after another; a pitch of 0 is a rest."""
    rows = []
    for length, pitch in zip(lengths, pitches, strict=True):
        if pitch:
            rows.append((start, length, pitch))
        start += length
    return rows


def scale(tonic: int, steps: Sequence[int]) -> Score:
    """A scale up and down with two tonic triads, so that its key is plain."""
    pitches = [60 + tonic + step for step in (*steps, 12, *steps[::-1])]
    start = 24 * len(pitches)
    triads = [(start + 96 * i, 96, 60 + tonic + step) for i in (0, 1) for step in steps[:6:2]]
    return piece({"violin": [*line([24] * len(pitches), pitches), *triads]})


def _mixed(metre: tuple[int, int]) -> Score:
    lengths = [24, 12, 12, 36, 12, 6, 6, 12, 18, 6, 48, 24, 72, 12, 24, 12, 96, 48] * 2
    pitches = [60 + (5 * index) % 17 for index in range(len(lengths))]
    return piece({"violin": line(lengths, pitches)}, [(0, *metre)])


def _thirds() -> Score:
    lengths = [8, 8, 8, 16, 8, 8, 16, 24, 16, 16, 16, 48, 4, 4, 8, 8, 8, 12, 4, 24, 32, 8, 8]
    lengths[17:19] = [16]
    total = sum(lengths)
    return piece({"violin": line([*lengths, 96 - total % 96], [60 + i % 9 for i in range(23)])})


def _voices() -> Score:
    high = line([24, 24, 24, 24, 48, 48], [72, 74, 76, 77, 76, 72])
    middle = line([48, 48, 36, 12, 48], [67, 67, 67, 65, 64])
    low = line([96, 96], [60, 55])
    return piece({"violin": [*high, *low, *middle]})


def _hands() -> dict[str, list[Row]]:
    right = line([24] * 8, [72, 76, 79, 76, 74, 77, 79, 72]) + line([48] * 4, [67, 64, 65, 64])
    left = line([12] * 16, [36, 43, 40, 43, 36, 43, 40, 43, 38, 45, 41, 45, 36, 43, 40, 43])
    return {"piano": [*right, *left]}


def _drums() -> Score:
    hats = line([12] * 16, [42] * 15 + [46])
    kicks = line([24, 12, 12, 48] * 2, [36, 36, 36, 38] * 2)
    return piece({"drums": [*hats, *kicks, (0, 24, 49)]})


def _ten() -> Score:
    return together(
        melody(seed, 24, instrument=instrument_id(name)) for seed, name in enumerate(TEN)
    )


def _octaves() -> Score:
    return piece(
        {
            "piccolo": line([24] * 4, [86, 88, 91, 93]),
            "celesta": line([24] * 4, [84, 88, 91, 72]),
            "acoustic guitar": line([24] * 4, [40, 47, 52, 59]),
            "contrabass": line([48] * 2, [28, 33]),
            "electric bass": line([24] * 4, [28, 31, 33, 35]),
        }
    )


ON_THE_GRID: dict[str, Score] = {
    **{f"{beats}-{unit}": _mixed((beats, unit)) for beats, unit in METRES},
    "ties": piece({"violin": line([60, 120, 132, 84, 36, 144], [60, 64, 67, 72, 71, 72])}),
    "metres": piece(
        {"violin": line([12] * 44, [60 + SCALE[i % 7] for i in range(44)])},
        [(0, 4, 4), (96, 3, 4), (168, 6, 8), (240, 2, 4), (336, 5, 8)],
    ),
    "upbeat": piece(
        {"violin": line([24] * 13, [67, *range(60, 72)])}, [(0, 1, 4), (24, 3, 4)]
    ),
    "tempos": piece(
        {"violin": line([24] * 96, [60 + i % 12 for i in range(96)])},
        tempos=[(0, 90.0), (480, 140.0), (960, 60.0), (1920, 62.0)],
    ),
    "thirds": _thirds(),
    "voices": _voices(),
    "piano": piece(_hands()),
    "harp": piece({"harp": _hands()["piano"]}),
    "organ": piece({"organ": _hands()["piano"]}),
    "octaves": _octaves(),
    "ten": _ten(),
}  # fmt: skip
"""Pieces whose notes are written just as long as they are."""

PIECES: dict[str, Score] = {
    **ON_THE_GRID,
    "drums": _drums(),
    **{f"major {tonic}": scale(tonic, SCALE) for tonic in range(12)},
    **{f"minor {tonic}": scale(tonic, MINOR) for tonic in range(12)},
}
