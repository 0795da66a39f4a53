"""The controls of a section, as the network is told them while it composes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musenet.chords import Progression, parse_chords, parse_key
from musenet.composing.prompt import style_ids
from musenet.composing.sections import DYNAMICS, Section
from musenet.controls import NO_CHORD, Controls, density_id, tones
from musenet.events import SIZES
from musenet.features import COLUMNS, FEATURE_SIZES, NOT_TOLD, Features, Moments
from musenet.instruments import DRUMS

BINDING = 0.75
"""By how much the scores of pitches outside a chord that is asked for are lowered: as much of the
music fits then, by duration, as in human pieces (`benchmarks/harmony.py`)."""
CHORD = COLUMNS.index("chord")
_GOLDEN = (5.0**0.5 - 1.0) / 2.0
"""Multiples of it spread over 0 to 1 as evenly as can be."""


def _outside() -> NDArray[np.float32]:
    """1 for each pitch id outside each chord's id, shape (ids of chords, pitch vocabulary)."""
    outside = np.zeros((FEATURE_SIZES[CHORD], SIZES[2]), dtype=np.float32)
    for chord in range(NO_CHORD):
        outside[chord, :128] = ~np.isin(np.arange(128) % 12, tones(chord))
    return outside


_OUTSIDE = _outside()


@dataclass(frozen=True)
class Steering:
    """The controls of one section, as the network is told them.

    Attributes:
        progression: chords by bar, or None.
        first_bar: bar of the metre in force in which the progression begins.
        density: id, or not told.
        dynamics: id, or not told.
        key: likewise.
        styles: ids and weights; each bar is told one of them, as often as it weighs.
        begins: tick from which this holds.
        before: what held until then; None if this holds from the beginning.
    """

    progression: Progression | None = None
    first_bar: int = 0
    density: int = NOT_TOLD[1]
    dynamics: int = NOT_TOLD[2]
    key: int = NOT_TOLD[3]
    styles: tuple[tuple[int, float], ...] = ()
    begins: int = 0
    before: Steering | None = None

    @classmethod
    def of(
        cls, section: Section, first_bar: int = 0, key: int = NOT_TOLD[3],
        own: Iterable[str] = (),
    ) -> Steering:  # fmt: skip
        """What a section asks for.

        Args:
            section: whose it is.
            first_bar: in which it begins.
            key: for a section that asks for none.
            own: styles of one's own, which are told in front alone: their bars are told none.
        """
        untold = dict.fromkeys(own, NOT_TOLD[4])
        density = NOT_TOLD[1]
        if section.density is not None:
            density = int(density_id(np.array([section.density]))[0])
        return cls(
            parse_chords(section.chords) if section.chords else None,
            first_bar,
            density,
            NOT_TOLD[2] if section.dynamics is None else DYNAMICS.index(section.dynamics),
            key if section.key is None else parse_key(section.key),
            style_ids(section.styles or (), untold),
        )

    def unasked(self) -> Steering:
        """This without chords, density and dynamics."""
        return replace(self, progression=None, density=NOT_TOLD[1], dynamics=NOT_TOLD[2])

    def after(self, before: Steering, begins: int) -> Steering:
        """This from a tick on, and what held before it: what sounds already was told otherwise."""
        told = replace(before, begins=0, before=None)
        return before if told == self else replace(self, begins=begins, before=before)

    def harmony(
        self, columns: Features, instrument: NDArray[np.int64]
    ) -> NDArray[np.float32] | float:
        """What to add to the scores of pitches so that chords asked for are heard.

        Args:
            columns: features of moments, shape (moments, F).
            instrument: which plays at each, shape (moments,).

        Returns:
            Shape (moments, pitch vocabulary), or 0 where nothing is asked for.
        """
        if self.progression is None:
            return 0.0
        outside = _OUTSIDE[columns[:, CHORD]] * (instrument < DRUMS)[:, None]
        bias: NDArray[np.float32] = -BINDING * outside
        return bias

    def at(self, moments: Moments) -> Controls:
        """The controls at moments, shape (moments, 5)."""
        controls = self._own(moments)
        earlier = np.flatnonzero(moments.tick < self.begins)
        if self.before is not None and len(earlier):
            controls[earlier] = self.before.at(moments.take(earlier))
        return controls

    def _own(self, moments: Moments) -> Controls:
        """The controls at moments at which this holds."""
        controls = np.empty((len(moments.tick), len(NOT_TOLD)), dtype=np.int32)
        controls[:] = (NOT_TOLD[0], self.density, self.dynamics, self.key, NOT_TOLD[4])
        if self.styles:
            controls[:, 4] = self._style(moments)
        if self.progression is not None:
            since = moments.tick - moments.bar_start
            bars, places = since // moments.bar_ticks, since % moments.bar_ticks / moments.bar_ticks
            controls[:, 0] = [
                self.progression.at(int(bar) - self.first_bar, float(place))
                for bar, place in zip(bars, places, strict=True)
            ]
        return controls

    def _style(self, moments: Moments) -> NDArray[np.int64]:
        """The id told at each moment: bars take styles in the most even order."""
        ids, weights = zip(*self.styles, strict=True)
        bar = (moments.tick - moments.bar_start) // moments.bar_ticks
        place = (0.5 + bar * _GOLDEN) % 1.0
        chosen: NDArray[np.int64] = np.array(ids)[
            np.searchsorted(np.cumsum(weights)[:-1], place, side="right")
        ]
        return chosen


UNSTEERED = Steering()
"""Nothing asked for."""
