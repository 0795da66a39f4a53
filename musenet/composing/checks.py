"""Faults that are found by rule; how much of each is too much is told by human music.

A check is a number of a score. It is a fault where it is larger than in nearly all human pieces
for about as many instruments (`Limits`), which are counted once and come with the package.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources

import numpy as np

from musenet.analysis.arrays import bars_of
from musenet.analysis.repetition import longest_loop, stuck
from musenet.analysis.timing import ending, silence
from musenet.score import Score, note_ends, out_of_range, seconds_at

SHARE = 0.99
"""Share of the human pieces that have no more of a fault than its limit."""
ENSEMBLES = (1, 4, 8)
"""Largest numbers of instruments of the groups of pieces that are counted apart, but the last."""
SHORTEST = 20.0
"""Seconds of the shortest human pieces that are counted."""
LIMITS_FILE = "limits.json"

WORDS: Mapping[str, Callable[[float], str]] = {
    "out_of_range": lambda share: f"{share:.1%} of the notes out of range",
    "collisions": lambda share: f"{share:.1%} of the notes struck while they sound",
    "silence": lambda seconds: f"silent for {seconds:.0f} s",
    "empty_bars": lambda share: f"{share:.0%} of the bars empty",
    "loop": lambda bars: f"{bars:.0f} bars of one loop",
    "stuck": lambda share: f"{share:.0%} of the notes stuck",
    "longest_stuck": lambda seconds: f"stuck for {seconds:.0f} s",
    "notes_in_a_second": lambda notes: f"{notes:.0f} notes in a second",
    "notes_at_once": lambda notes: f"{notes:.0f} notes at once",
    "fallen_silent": lambda share: f"instruments silent for the last {share:.0%}",
    "just_stops": lambda _: "just stops",
}
"""What is checked, by name, and how it is told."""


@dataclass(frozen=True)
class Fault:
    """A check that a score does not pass.

    Attributes:
        check: which one, a key of `WORDS`.
        value: how much of it the score has.
        limit: how much of it nearly all human pieces have at most.
    """

    check: str
    value: float
    limit: float

    @property
    def words(self) -> str:
        """The fault in short, such as "stuck for 40 s"."""
        return WORDS[self.check](self.value)


def checked(score: Score) -> dict[str, float]:
    """The number of each check, in the order of `WORDS`; NaN where it means nothing.

    `out_of_range`, `collisions`, `stuck`: shares of the notes; `silence`, `longest_stuck`: seconds
    of the longest; `empty_bars`: share; `loop`: most bars that repeat exactly earlier ones;
    `notes_in_a_second`: most that begin within one; `notes_at_once`: most that sound;
    `fallen_silent`: share of the piece behind an instrument's last note, mean over instruments;
    `just_stops`: how many the ending lacks of the tonic, a held chord and a strong beat.
    """
    bars = bars_of(score)
    quiet, held = silence(score, bars), stuck(score)
    return {
        "out_of_range": _mean(out_of_range(score)),
        "collisions": collisions(score),
        "silence": quiet["longest_silence"],
        "empty_bars": quiet["empty_bars"],
        "loop": longest_loop(score, bars),
        "stuck": held["stuck"],
        "longest_stuck": held["longest_stuck"],
        "notes_in_a_second": notes_in_a_second(score),
        "notes_at_once": notes_at_once(score),
        "fallen_silent": fallen_silent(score),
        "just_stops": just_stops(ending(score, bars)),
    }


def collisions(score: Score) -> float:
    """Share of notes that begin while the same key of the same instrument sounds."""
    notes, ends = score.notes, note_ends(score)
    key = notes["instrument"].astype(np.int64) << 8 | notes["pitch"]
    order = np.lexsort([notes["onset"], key])
    early = notes["onset"][order][1:] < ends[order][:-1]
    return float((early & (key[order][1:] == key[order][:-1])).sum()) / max(1, len(notes))


def notes_in_a_second(score: Score) -> float:
    """Most notes that begin within a second."""
    times = np.sort(seconds_at(score, score.notes["onset"]))
    within = np.searchsorted(times, times + 1.0) - np.arange(len(times))
    return float(within.max(initial=0))


def notes_at_once(score: Score) -> float:
    """Most notes that sound together, those of drums as they begin."""
    onsets = np.sort(score.notes["onset"])
    begun = np.searchsorted(onsets, onsets, side="right")
    ended = np.searchsorted(np.sort(note_ends(score)), onsets, side="right")
    return float((begun - ended).max(initial=0))


def fallen_silent(score: Score) -> float:
    """Share of the piece behind the last note of an instrument, mean over instruments."""
    ends, players = note_ends(score), score.notes["instrument"]
    last = [float(ends[players == player].max()) for player in score.instruments]
    return 1.0 - float(np.mean(last)) / score.end if last else math.nan


def just_stops(signs: Mapping[str, float]) -> float:
    """How many signs of an ending are missing, of those that can be told."""
    told = (signs[name] for name in ("ending_tonic", "ending_held", "ending_strong_beat"))
    return float(sum(sign == 0.0 for sign in told))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


@dataclass(frozen=True)
class Limits:
    """How much of each check human pieces have at most.

    Attributes:
        share: of the human pieces that lie within each limit.
        pieces: human pieces of each group of `ENSEMBLES`.
        limits: by check, a limit for each group.
    """

    share: float
    pieces: tuple[int, ...]
    limits: Mapping[str, tuple[float, ...]]

    def faults(self, score: Score) -> tuple[Fault, ...]:
        """The checks that a score does not pass, in the order of `WORDS`."""
        group = group_of(len(score.instruments))
        found = checked(score)
        return tuple(
            Fault(name, found[name], limits[group])
            for name, limits in self.limits.items()
            if found[name] > limits[group]
        )

    def to_json(self) -> str:
        """As `limits_from` reads it."""
        return json.dumps(asdict(self), indent=1) + "\n"


def group_of(instruments: int) -> int:
    """The group of `ENSEMBLES` of a piece for so many instruments."""
    return int(np.searchsorted(ENSEMBLES, instruments))


def limits_of(scores: Iterable[Score], share: float = SHARE) -> Limits:
    """The limits that so many of the scores keep, counted for each group of ensembles."""
    groups: list[list[list[float]]] = [[] for _ in range(len(ENSEMBLES) + 1)]
    for score in scores:
        groups[group_of(len(score.instruments))].append(list(checked(score).values()))
    columns = [_quantiles(np.array(group).reshape(-1, len(WORDS)), share) for group in groups]
    each = zip(*columns, strict=True)
    limits = {name: tuple(values) for name, values in zip(WORDS, each, strict=True)}
    return Limits(share, tuple(map(len, groups)), limits)


def _quantiles(values: np.ndarray, share: float) -> list[float]:
    """A quantile of each column without NaN, infinite for one without values."""
    columns = [column[~np.isnan(column)] for column in values.T]
    return [float(np.quantile(c, share, method="higher")) if len(c) else math.inf for c in columns]


def limits_from(text: str) -> Limits:
    """What `Limits.to_json` wrote."""
    data = json.loads(text)
    limits = {name: tuple(map(float, values)) for name, values in data["limits"].items()}
    return Limits(float(data["share"]), tuple(data["pieces"]), limits)


@cache
def bundled_limits() -> Limits:
    """The limits that come with the package."""
    file = resources.files("musenet") / "weights" / LIMITS_FILE
    return limits_from(file.read_text(encoding="utf8"))
