"""Draws that need no order: the same number always draws the same, whoever asks and when.

The streams of `numpy` that make people and days are drawn in order, so nothing may be added to them. What is told of
a person beside them is drawn here, from the seed, a stream's name and the person's number alone.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np

from sandbox.company.columns import Array

_MASK = (1 << 64) - 1
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def draw(seed: int, stream: str, numbers: Array) -> Array:
    """One number from 0 to below 1 for each of these numbers (splitmix64)."""
    start = np.uint64((seed * _FIRST + crc32(stream.encode()) * _GOLDEN) & _MASK)
    with np.errstate(over="ignore"):
        mixed = start + (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(_GOLDEN)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_FIRST)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_SECOND)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(11)) / float(1 << 53)


def draw_one(seed: int, stream: str, number: int) -> float:
    """The same for one number."""
    return float(draw(seed, stream, np.array([number]))[0])
