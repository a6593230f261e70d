"""All randomness of training and sampling, as pure functions of counters.

Philox (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) turns (key, counter)
into random bits with no state in between. So any image can be made again alone from (seed, index,
draw), and a training run that is resumed at a step needs no saved state. Bits are drawn raw, as
NumPy guarantees those from version to version, and turned into numbers here.
"""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_FLOAT53 = 2.0**-53


class Purpose(IntEnum):
    """What noise is for: streams of different purposes are independent. Never renumber."""

    SAMPLE = 0
    INITIAL_WEIGHTS = 1
    REAL_IMAGES = 2
    CRITIC_LATENT = 3
    INTERPOLATION = 4
    GENERATOR_LATENT = 5
    GENERATOR_LABELS = 6
    PREVIEW = 7


def raw_bits(
    seed: int, purpose: Purpose, first: int, second: int, count: int
) -> NDArray[np.uint64]:
    """``count`` random 64-bit words of the stream (seed, purpose, first, second)."""
    philox = np.random.Philox(key=[seed, int(purpose)], counter=[0, 0, second, first])
    words: NDArray[np.uint64] = philox.random_raw(count)
    return words


def uniform(
    seed: int, purpose: Purpose, first: int, second: int, count: int
) -> NDArray[np.float64]:
    """``count`` numbers uniform on [0, 1)."""
    words = raw_bits(seed, purpose, first, second, count)
    return (words >> np.uint64(11)).astype(np.float64) * _FLOAT53


def _box_muller(words: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Standard normal numbers from an even number of words [..., 2 m] -> [..., 2 m]."""
    unit = ((words >> np.uint64(11)) + 0.5) * _FLOAT53  # in (0, 1): the logarithm stays finite
    half = words.shape[-1] // 2
    radius = np.sqrt(-2.0 * np.log(unit[..., :half]))
    angle = (2.0 * np.pi) * unit[..., half:]
    normal = np.concatenate((radius * np.cos(angle), radius * np.sin(angle)), axis=-1)
    return normal.astype(np.float32)


def normal(seed: int, purpose: Purpose, first: int, second: int, count: int) -> NDArray[np.float32]:
    """``count`` standard normal numbers of the stream (seed, purpose, first, second)."""
    words = raw_bits(seed, purpose, first, second, count + count % 2)
    return _box_muller(words)[:count]


def sample_latents(
    seed: int, indices: Sequence[int], draws: Sequence[int], latent_size: int
) -> NDArray[np.float32]:
    """The latents [n, latent_size] of the images (seed, index, draw); each depends on its own only.

    ``draw`` tells apart the tries of one image: the first is 0.
    """
    even = latent_size + latent_size % 2
    words = np.empty((len(indices), even), dtype=np.uint64)
    for row, (index, draw) in enumerate(zip(indices, draws, strict=True)):
        words[row] = raw_bits(seed, Purpose.SAMPLE, index, draw, even)
    return _box_muller(words)[:, :latent_size]


def step_latents(
    seed: int, purpose: Purpose, step: int, turn: int, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """The latents [n, latent_size] of a training step; ``turn`` counts critic steps within it."""
    return normal(seed, purpose, step, turn, shape[0] * shape[1]).reshape(shape)
