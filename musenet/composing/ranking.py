"""Candidates ranked, with reasons: copies, faults, styles not heard, strangeness to the critic."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from musenet.composing.checks import Fault
from musenet.composing.critic import Opinion
from musenet.composing.likeness import Likeness
from musenet.score import Score

MOST_POINTS = 4
"""Points of the gravest fault."""
COPIED = 0.99
"""A passage is copied that is longer than those of this share of human pieces."""


@dataclass(frozen=True)
class Copy:
    """The longest passage that a candidate shares with the music the model learnt from.

    Attributes:
        notes: its length.
        piece: where it stands.
        longer_than: share of human pieces whose longest shared passage is shorter.
    """

    notes: int
    piece: str
    longer_than: float


FindCopy = Callable[[Score], Copy | None]
"""Looks a score up in an index of the training music; None without a passage that counts."""


@dataclass(frozen=True)
class Verdict:
    """What is thought of a candidate.

    Attributes:
        opinion: of the critic; None without one.
        faults: the checks that it does not pass.
        copy: the longest passage that it shares with training music; None without an index or
            such a passage.
        likeness: to the styles asked for; None where none is, or none that can be judged.
    """

    opinion: Opinion | None
    faults: tuple[Fault, ...] = ()
    copy: Copy | None = None
    likeness: Likeness | None = None

    @property
    def copied(self) -> bool:
        """Whether it shares more with the training music than human pieces do."""
        return self.copy is not None and self.copy.longer_than >= COPIED

    @property
    def points(self) -> int:
        """What its faults weigh together."""
        return sum(map(points, self.faults))

    @property
    def missed(self) -> int:
        """How many of the styles asked for are not heard above all others."""
        return 0 if self.likeness is None else len(self.likeness.missed)

    @property
    def reason(self) -> str:
        """The verdict in short, such as "strangeness 1.21, critic 0.71, no faults"."""
        own = self.opinion
        said = [] if own is None else [f"strangeness {own.strangeness:.2f}, critic {own.human:.2f}"]
        if self.copied and self.copy is not None:
            said.append(f"{self.copy.notes} notes as in {self.copy.piece}")
        if self.likeness is not None:
            said.append(self.likeness.words)
        gravest = sorted(self.faults, key=points, reverse=True)
        return ", ".join(said + ([fault.words for fault in gravest] or ["no faults"]))

    def facts(self) -> dict[str, Any]:
        """The verdict in words and numbers, ready for JSON."""
        faults = [
            {**asdict(fault), "points": points(fault), "words": fault.words}
            for fault in self.faults
        ]
        copy = None if self.copy is None else asdict(self.copy)
        own = self.opinion
        return {
            "reason": self.reason,
            "strangeness": None if own is None else round(own.strangeness, 4),
            "critic": None if own is None else round(own.human, 4),
            "likeness": None if self.likeness is None else self.likeness.facts(),
            "faults": faults, "copy": copy, "copied": self.copied,
        }  # fmt: skip


def points(fault: Fault) -> int:
    """One, and one more each time that a fault doubles its limit, up to `MOST_POINTS`."""
    if fault.limit <= 0.0:
        return MOST_POINTS
    return 1 + int(math.log2(min(fault.value / fault.limit, 2 ** (MOST_POINTS - 1))))


def ranked(verdicts: Sequence[Verdict]) -> list[int]:
    """Places of candidates, best first.

    Those that copy come last; else fewer points of faults come first, then those in which more of
    the styles asked for are heard, then what is least strange to the critic. Equal ones keep their
    order.
    """

    def worse(place: int) -> tuple[bool, int, int, float]:
        verdict = verdicts[place]
        strangeness = verdict.opinion.strangeness if verdict.opinion is not None else 0.0
        return verdict.copied, verdict.points, verdict.missed, strangeness

    return sorted(range(len(verdicts)), key=worse)
