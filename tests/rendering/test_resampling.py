from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musenet.rendering.resampling import resample

RATES = (16000, 22050, 44100, 48000)


@given(
    hertz=st.floats(50, 7000),
    rate=st.sampled_from(RATES),
    new_rate=st.sampled_from(RATES),
    length=st.integers(4000, 9000),
)
@settings(max_examples=30, deadline=None)
def test_a_sine_stays_the_same_sine(hertz: float, rate: int, new_rate: int, length: int) -> None:
    def sine(at: int, count: int) -> np.ndarray:
        wave = np.sin(2 * np.pi * hertz * np.arange(count) / at)
        return np.stack([wave, -wave], axis=1).astype(np.float32)

    found = resample(sine(rate, length), rate, new_rate)
    assert found.shape == (-(-length * new_rate // rate), 2)
    edge = len(found) // 5
    expected = sine(new_rate, len(found))
    np.testing.assert_allclose(found[edge:-edge], expected[edge:-edge], atol=2e-3)


def test_what_the_new_rate_cannot_hold_is_gone() -> None:
    high = np.sin(2 * np.pi * 15000 * np.arange(48000) / 48000)[:, None].astype(np.float32)
    assert np.abs(resample(high, 48000, 16000)[1000:-1000]).max() < 1e-4


@pytest.mark.parametrize("length", [0, 1, 5])
def test_short_sounds(length: int) -> None:
    assert resample(np.zeros((length, 2), np.float32), 48000, 44100).shape == (length, 2)
