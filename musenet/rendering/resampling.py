"""Sound at another sample rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]

_REACH = 48
"""Zero crossings of the filter's sinc on either side."""
_BETA = 9.0
"""Shape of the Kaiser window: about 90 dB of attenuation in the stop band."""
_PASS = 0.94
"""Cutoff as a share of the lower of the two Nyquist frequencies."""
_SPAN = 512
"""Input samples that one matrix product moves on, at least."""
_FRAMES = 256
"""Matrix products done at once, which bounds the memory."""


def resample(sound: Sound, rate: int, new_rate: int) -> Sound:
    """Sound of shape (samples, channels) at `new_rate` instead of `rate`, both in Hz.

    A Kaiser-windowed sinc (J. O. Smith, "Digital Audio Resampling"). The filter repeats itself
    every few samples, when both rates are in step again: one matrix turns such a stretch of
    input into its stretch of output.
    """
    if rate == new_rate:
        return sound
    common = math.gcd(rate, new_rate)
    repeats = math.ceil(_SPAN * common / rate)
    step, new_step = rate // common * repeats, new_rate // common * repeats
    matrix, reach = _filter(step, new_step)
    length = math.ceil(len(sound) * new_rate / rate)
    count = max(1, math.ceil(length / new_step))
    padded = np.pad(sound, ((reach, count * step + reach - len(sound)), (0, 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, len(matrix), axis=0)[::step]
    result = np.empty((count, new_step, sound.shape[1]), dtype=np.float32)
    for first in range(0, count, _FRAMES):
        part = slice(first, first + _FRAMES)
        result[part] = (frames[part] @ matrix).transpose(0, 2, 1)
    return result.reshape(-1, sound.shape[1])[:length]


def _filter(step: int, new_step: int) -> tuple[Sound, int]:
    """The matrix (step + 2 reach, new_step) from input to output samples, and its reach."""
    cutoff = _PASS * min(1.0, new_step / step)
    reach = math.ceil(_REACH / cutoff)
    inputs = np.arange(-reach, step + reach)[:, None]
    distance = inputs - np.arange(new_step) * (step / new_step)
    inside = np.sqrt(np.maximum(0.0, 1.0 - (distance / reach) ** 2))
    weights = np.sinc(cutoff * distance) * np.i0(_BETA * inside) * (np.abs(distance) <= reach)
    return (weights / weights.sum(axis=0)).astype(np.float32), reach
