"""Whether a candidate sounds like the styles that were asked for, as the style judge hears it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from musenet.events import encode
from musenet.judge import LEAST_NOTES, StyleJudge, heard
from musenet.score import Score
from musenet.styles import STYLES

Share = tuple[str, float]
"""A style, and how much of the music is of it."""


@dataclass(frozen=True)
class Likeness:
    """What the style judge hears in a candidate.

    Attributes:
        asked: the styles asked for that it knows, with their shares, at least one.
        other: the likeliest other style but for relatives of those asked for, with its share.
    """

    asked: tuple[Share, ...]
    other: Share

    @property
    def missed(self) -> tuple[str, ...]:
        """The styles asked for that are not above all others."""
        return tuple(name for name, share in self.asked if share <= self.other[1])

    @property
    def words(self) -> str:
        """What is heard in short, such as "sounds like jazz and reggae"."""
        if self.missed:
            return f"more like {self.other[0]} than {' and '.join(self.missed)}"
        return f"sounds like {' and '.join(name for name, _ in self.asked)}"

    def facts(self) -> dict[str, Any]:
        """Words and numbers, ready for JSON."""
        shares = dict([*self.asked, self.other])
        return {
            "shares": {name: round(share, 4) for name, share in shares.items()},
            "missed": list(self.missed),
            "words": self.words,
        }


def likeness(
    judge: StyleJudge, score: Score, styles: Sequence[int], relatives: Mapping[str, Sequence[str]]
) -> Likeness | None:
    """How a score sounds beside the styles that were asked for.

    Args:
        judge: hears it, instruments and all.
        score: what was composed.
        styles: ids of those asked for.
        relatives: of styles, by name, which do not count beside them.

    Returns:
        None where the judge knows none of the styles, or no others, and where the score has too
        few notes to tell.
    """
    known = [STYLES[style].name for style in judge.styles]
    names = [STYLES[style].name for style in styles]
    asked = [name for name in names if name in known]
    left_out = {*names, *(name for own in names for name in relatives.get(own, ()))}
    others = [name for name in known if name not in left_out]
    if not asked or not others:
        return None
    notes = heard(encode(score))
    if len(notes) < LEAST_NOTES:
        return None
    shares = dict(zip(known, judge.shares(notes).tolist(), strict=True))
    other = max(others, key=shares.__getitem__)
    return Likeness(tuple((name, shares[name]) for name in asked), (other, shares[other]))
