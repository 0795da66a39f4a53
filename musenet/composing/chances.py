"""Random numbers of several generators, drawn in blocks: one at a time takes longer than a rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

AHEAD = 64
"""Steps for which numbers are drawn at once."""


class Chances:
    """What each generator would say, asked for a few numbers at every step."""

    def __init__(self, random: Sequence[np.random.Generator], each: int) -> None:
        """Take `each` numbers a step from every generator."""
        self.random, self.each = random, each
        self._block, self._used = np.zeros((0, len(random), each)), 0
        self._before = [generator.bit_generator.state for generator in random]

    def next(self) -> NDArray[np.float64]:
        """Numbers in [0, 1) for a step, shape (generators, each)."""
        if self._used == len(self._block):
            self._before = [generator.bit_generator.state for generator in self.random]
            drawn = [generator.random((AHEAD, self.each)) for generator in self.random]
            self._block, self._used = np.stack(drawn, axis=1), 0
        self._used += 1
        numbers: NDArray[np.float64] = self._block[self._used - 1]
        return numbers

    def settle(self) -> None:
        """Leave the generators as if nothing had been drawn ahead."""
        for generator, state in zip(self.random, self._before, strict=True):
            generator.bit_generator.state = state
            generator.random((self._used, self.each))
        self._block, self._used = self._block[:0], 0
        self._before = [generator.bit_generator.state for generator in self.random]
