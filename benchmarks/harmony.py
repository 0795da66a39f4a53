"""Whether chords that are asked for are heard, without the music turning to stone.

    python benchmarks/harmony.py [--data CORPUS] [--seeds 2] [--seconds 40]

Twelve progressions, each for two seeds and another ensemble. A note fits if its pitch class is in
the chord asked for at its onset; by duration, each tick of it counts. The same prompt is composed
without chords and set against the same progression: that is chance. With a corpus, held-out human
pieces are set against the chords that stand in them (`controls.observed`, read off the same
notes), bars without a clear chord left out. Beside the fit stand the entropy of the pitch classes
in bits, and how many different rhythms (sets of onsets) a hundred bars have.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from common import parse, parser, run, tell
from held_out import shuffled
from numpy.typing import NDArray

from musenet.analysis.arrays import pitched
from musenet.chords import parse_chords
from musenet.composing.composer import Composer, load
from musenet.controls import NO_CHORD, observed, tones
from musenet.corpus.shards import open_split
from musenet.evaluation.harmony import pitch_class_entropy
from musenet.events import Table, decode, encode
from musenet.features import NOT_TOLD
from musenet.score import TICKS_PER_BEAT, Score, bar_starts, note_ends

PROGRESSIONS = (
    "C | Am F | G7 | C", "C | G | Am | F", "Dm7 | G7 | Cmaj7 | Cmaj7", "Am | F | C | G",
    "Am | Dm | E7 | Am", "G | D | Em | C", "Bb | Gm | Eb | F7", "F#m | D | A | E",
    "C7 | F7 | C7 | G7", "Em7 | A7 | Dmaj7 | Bm7", "Dm | Bb | F | C", "Eb Cm | Fm Bb7",
)  # fmt: skip
ENSEMBLES = (
    ("piano",), ("violin", "viola", "cello"), ("flute", "piano"),
    ("acoustic guitar", "acoustic bass", "drums"), ("organ",), ("clarinet", "horn", "bassoon"),
)  # fmt: skip
HUMAN = 200
"""Held-out pieces, at most."""
SHOWN = ("notes that fit", "by duration", "entropy", "rhythms in 100 bars")
_TONES = np.array([np.isin(np.arange(12), tones(chord)) for chord in range(NOT_TOLD[0] + 1)])


@dataclass(frozen=True)
class Fit:
    """How notes fit the chords under them, and how varied they are.

    Attributes:
        notes: share of the notes that begin in their chord.
        duration: share of the time that they sound in it.
        entropy: of the pitch classes, bits.
        rhythms: different sets of onsets in a hundred bars.
    """

    notes: float
    duration: float
    entropy: float
    rhythms: float


def main() -> None:
    """Compose, measure and print."""
    made = parser(__doc__)
    made.add_argument("--model", type=Path, help="default: the model that comes with musenet")
    made.add_argument("--data", type=Path, help="a corpus, for the human pieces of its test split")
    made.add_argument("--seeds", type=int, default=2, help="pieces a progression (default 2)")
    made.add_argument("--seconds", type=float, default=40.0, help="of each piece (default 40)")
    arguments = parse(made)
    composer = load(arguments.model)
    rows: list[tuple[object, ...]] = []
    asked, free = [], []
    for place, chords in enumerate(PROGRESSIONS):
        pairs = [_pair(composer, place, seed, arguments) for seed in range(arguments.seeds)]
        asked += [pair[0] for pair in pairs]
        free += [pair[1] for pair in pairs]
        told = asked[-arguments.seeds :], free[-arguments.seeds :]
        rows.append((chords, *_means(told[0]), *_means(told[1])))
    rows.append(("all", *_means(asked), *_means(free)))
    facts = {"model": composer.name, "quartiles": _quartiles(asked)}
    if arguments.data:
        human = _human(arguments.data)
        facts |= {"human pieces": len(human), "human": _named(_means(human)),
                  "human quartiles": _quartiles(human)}  # fmt: skip
    columns = ("progression", *SHOWN, *(f"without chords: {name}" for name in SHOWN))
    tell(arguments, columns, rows, facts)


def _pair(
    composer: Composer, place: int, seed: int, arguments: argparse.Namespace
) -> tuple[Fit, Fit]:
    """A prompt with chords and without, both against the chords."""
    players = ENSEMBLES[(place + seed) % len(ENSEMBLES)]
    chords, found = PROGRESSIONS[place], []
    for wish in (chords, None):
        piece = composer.compose(
            instruments=players, minutes=arguments.seconds / 60, metre="4/4", chords=wish,
            seed=100 * place + seed,
        )[0]  # fmt: skip
        table = encode(piece.score)
        score = decode(table)
        found.append(fit(score, _asked(score, chords)))
    return found[0], found[1]


def fit(score: Score, chords: NDArray[np.int64]) -> Fit:
    """How the notes of a score of 24 ticks a beat fit the chord of each tick, shape (ticks,)."""
    notes = pitched(score).notes
    onset, pitch = notes["onset"].astype(np.int64), notes["pitch"] % 12
    end = np.minimum(note_ends(Score(notes)), len(chords))
    known = chords < NO_CHORD
    inside = np.cumsum(np.pad(_TONES[chords], ((1, 0), (0, 0))), axis=0)
    counted = np.cumsum(np.pad(known, (1, 0)))
    ticks = (inside[end, pitch] - inside[onset, pitch]).sum()
    begins = _TONES[chords[onset], pitch][known[onset]]
    return Fit(
        float(begins.mean()), float(ticks / (counted[end] - counted[onset]).sum()),
        pitch_class_entropy(np.bincount(pitch, minlength=12)), _rhythms(score),
    )  # fmt: skip


def _asked(score: Score, chords: str) -> NDArray[np.int64]:
    """The chord of each tick, where a progression is repeated bar by bar."""
    starts, progression = bar_starts(score), parse_chords(chords)
    stops = [*starts[1:].tolist(), max(score.end, int(starts[-1]) + 1)]
    full = 4 * TICKS_PER_BEAT
    return np.concatenate([
        [progression.at(bar, tick / full) for tick in range(stop - start)]
        for bar, (start, stop) in enumerate(zip(starts.tolist(), stops, strict=True))
    ])  # fmt: skip


def _rhythms(score: Score) -> float:
    starts = bar_starts(score)
    bar = np.searchsorted(starts, score.notes["onset"], side="right") - 1
    place = score.notes["onset"] - starts[bar]
    sets = {tuple(np.unique(place[bar == number])) for number in np.unique(bar)}
    return 100.0 * len(sets) / len(starts)


def _human(folder: Path) -> list[Fit]:
    """Held-out pieces against the chords that stand in them."""
    split = open_split(folder, "test")
    found: list[Fit] = []
    for piece in shuffled(split):
        table = split.table(piece)
        score = decode(table)
        chords = _standing(table, score.end)
        known = (chords < NO_CHORD).mean() if len(chords) else 0.0
        if len(pitched(score).notes) >= 50 and known > 0.5 and len(found) < HUMAN:
            found.append(fit(score, chords))
    return found


def _standing(table: Table, end: int) -> NDArray[np.int64]:
    """The chord of each tick of a human piece."""
    known = observed(table)
    place = np.searchsorted(known.chord_ticks, np.arange(end), side="right") - 1
    return known.chords[place].astype(np.int64)


def _means(found: Sequence[Fit]) -> tuple[float, ...]:
    return tuple(np.mean([astuple(one) for one in found], axis=0).tolist())


def _quartiles(found: Sequence[Fit]) -> dict[str, str]:
    low, high = np.quantile([astuple(one) for one in found], [0.25, 0.75], axis=0)
    return {
        name: f"{a:.3g} to {b:.3g}"
        for name, a, b in zip(SHOWN, low.tolist(), high.tolist(), strict=True)
    }


def _named(values: Sequence[float]) -> dict[str, float]:
    return {name: float(f"{value:.3g}") for name, value in zip(SHOWN, values, strict=True)}


if __name__ == "__main__":
    run(main)
