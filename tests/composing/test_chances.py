from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from musenet.composing.chances import AHEAD, Chances
from musenet.composing.decoding import generators


@given(st.integers(1, 4), st.lists(st.integers(0, 2 * AHEAD + 1), min_size=1, max_size=3))
def test_numbers_are_those_of_each_generator_alone(count: int, runs: list[int]) -> None:
    ahead, plain = generators(3, range(count)), generators(3, range(count))
    chances = Chances(ahead, 5)
    for steps in runs:
        for _ in range(steps):
            expected = [generator.random(5) for generator in plain]
            assert np.array_equal(chances.next(), expected)
        chances.settle()
        states = [generator.bit_generator.state for generator in ahead]
        assert states == [generator.bit_generator.state for generator in plain]
