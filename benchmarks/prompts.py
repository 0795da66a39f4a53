"""Random prompts of all kinds, to check what is promised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from musenet import midi
from musenet.composing.notes import pitch_name
from musenet.composing.sections import DENSITIES, DYNAMICS
from musenet.errors import UserError
from musenet.instruments import INSTRUMENTS
from musenet.quantise import METRES
from musenet.score import bar_starts, seconds_at
from musenet.studio.openings import OPENINGS, opening_midi
from musenet.styles import STYLES

Random = np.random.Generator
KINDS, CHANCES = ("compose", "melody", "go on", "arrange"), (0.6, 0.1, 0.15, 0.15)
LONGEST = 40.0
"""Seconds of a given piece, at most."""
CHORDS = ("C | Am F | G7 | C", "Dm7 | G7 | Cmaj7 | A7", "Am | F | C | G", "Em | B7", "Bb | Gm Eb",
          "F#m | Bm E | A | Ddim C#7")  # fmt: skip
KEYS = ("C", "G major", "Eb major", "F# minor", "Am", "Bb minor", "D")


@dataclass(frozen=True)
class Given:
    """A piece that is given.

    Attributes:
        data: its file.
        ends: seconds at which each of its bars ends.
        instruments: names of those that play in it.
    """

    data: bytes
    ends: tuple[float, ...]
    instruments: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """What is asked of one piece.

    Attributes:
        number: which of the random tasks it is.
        kind: one of `KINDS`.
        asked: arguments of `Composer.compose` or `arrange`, ready for JSON.
        given: name of the given piece, "" for none.
    """

    number: int
    kind: str
    asked: Mapping[str, Any]
    given: str = ""

    def kept(self, given: Mapping[str, Given]) -> bytes | None:
        """The given piece up to where it goes on, all of it where it is arranged."""
        if not self.given:
            return None
        data, at = given[self.given].data, self.asked.get("at")
        return data if at is None else midi.before_bar(data, at)[0]


def openings(files: Sequence[bytes]) -> dict[str, Given]:
    """The famous openings and the beginnings of files, by name."""
    named = {name: opening_midi(name) for name in OPENINGS}
    named |= {f"file {number}": data for number, data in enumerate(files)}
    found = {name: _given(data) for name, data in named.items()}
    return {name: given for name, given in found.items() if given is not None}


def _given(data: bytes) -> Given | None:
    """A piece cut at the last bar that ends in time; None for one that has no two bars by then."""
    try:
        score = midi.load(data)
    except UserError:
        return None
    ends = seconds_at(score, np.r_[bar_starts(score)[1:], score.end])
    bars = int((ends <= LONGEST).sum())
    first = score.notes["onset"].min(initial=1 << 30)
    if bars < 2 or first >= bar_starts(score)[1]:
        return None
    if bars < len(ends):
        data, _ = midi.before_bar(data, bars + 1)
    names = (INSTRUMENTS[player].name for player in midi.load(data).instruments)
    return Given(data, tuple(ends[:bars].tolist()), tuple(names))


def drawn(number: int, seed: int, given: Mapping[str, Given]) -> Task:
    """A random task; the same number and seed give the same one."""
    random = np.random.default_rng([seed, number])
    kind = str(random.choice(KINDS, p=CHANCES))
    asked: dict[str, Any] = {"seed": int(random.integers(1_000_000)), "styles": _styles(random)}
    asked |= _some(random, {
        "density": lambda: str(random.choice(list(DENSITIES))),
        "dynamics": lambda: str(random.choice(DYNAMICS)),
    })  # fmt: skip
    name = str(random.choice(list(given))) if kind in ("go on", "arrange") else ""
    if kind == "arrange":
        return Task(number, kind, asked | _arrangement(random, given[name]), name)
    asked |= _some(random, {
        "key": lambda: str(random.choice(KEYS)), "chords": lambda: str(random.choice(CHORDS)),
    })  # fmt: skip
    if kind == "go on":
        return Task(number, kind, asked | _continuation(random, given[name]), name)
    asked |= {"instruments": _players(random, 10), "minutes": _minutes(random)}
    asked |= _some(random, {
        "tempo": lambda: round(float(random.uniform(40, 200)), 1), "metre": lambda: _metre(random),
    })  # fmt: skip
    if kind == "melody":
        return Task(number, kind, asked | {"notes": _melody(random, asked["instruments"][0])})
    if random.random() < 0.2:
        asked["sections"] = [_section(random, 60 * asked["minutes"])]
    elif random.random() < 0.1:
        del asked["instruments"]
    return Task(number, kind, asked)


def _some(random: Random, wishes: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """Each wish in a quarter of the tasks."""
    return {name: draw() for name, draw in wishes.items() if random.random() < 0.25}


def _styles(random: Random) -> dict[str, float]:
    """Up to two, with weights."""
    names = random.choice([style.name for style in STYLES], int(random.integers(3)), replace=False)
    return {str(name): round(float(random.uniform(0.2, 1.0)), 2) for name in names}


def _players(random: Random, most: int) -> list[str]:
    names = [instrument.name for instrument in INSTRUMENTS]
    return random.choice(names, int(random.integers(1, most + 1)), replace=False).tolist()


def _minutes(random: Random) -> float:
    longer = random.random() < 0.06
    return round(float(random.uniform(2.0, 2.5) if longer else random.uniform(0.5, 1.0)), 2)


def _metre(random: Random) -> str:
    numerator, denominator = METRES[int(random.integers(11))]
    return f"{numerator}/{denominator}"


def _melody(random: Random, player: str) -> str:
    """Four to twelve notes that an instrument can play."""
    own = next(one for one in INSTRUMENTS if one.name == player)
    middle = int(random.integers(own.low, own.high + 1))
    pitches = middle + random.integers(-5, 6, int(random.integers(4, 13)))
    beats = random.choice([0.5, 1, 1, 2], len(pitches))
    return " ".join(
        f"{pitch_name(int(pitch))}:{length:g}"
        for pitch, length in zip(pitches.clip(own.low, own.high), beats, strict=True)
    )


def _section(random: Random, seconds: float) -> dict[str, Any]:
    """What changes from somewhere in the middle on."""
    made: dict[str, Any] = {"at": round(float(random.uniform(0.4, 0.6)) * seconds, 1)}
    return made | _some(random, {
        "instruments": lambda: _players(random, 5),
        "tempo": lambda: round(float(random.uniform(50, 180)), 1),
        "density": lambda: float(random.choice(list(DENSITIES.values()))),
        "chords": lambda: str(random.choice(CHORDS)),
    })  # fmt: skip


def _continuation(random: Random, given: Given) -> dict[str, Any]:
    """From a random bar on, half a minute at least, in which up to three others join in."""
    at = int(random.integers(2, len(given.ends) + 2))
    minutes = round(given.ends[at - 2] / 60 + float(random.uniform(0.4, 0.7)), 2)
    joining = _players(random, 3) if random.random() < 0.5 else []
    return {"at": at, "minutes": minutes, "instruments": joining}


def _arrangement(random: Random, given: Given) -> dict[str, Any]:
    """Parts added, a part replaced, or bars filled in."""
    way = random.integers(3)
    if way == 0 or (way == 1 and len(given.instruments) < 2):
        others = [one.name for one in INSTRUMENTS if one.name not in given.instruments]
        names = random.choice(others, int(random.integers(1, 4)), replace=False)
        return {"instruments": names.tolist()}
    if way == 1:
        return {"instruments": [str(random.choice(given.instruments))]}
    first, last = sorted(random.integers(1, len(given.ends) + 1, 2).tolist())
    return {"bars": [first, last], "keep": bool(random.random() < 0.2)}
