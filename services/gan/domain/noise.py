"""All randomness of training and sampling, as pure functions of counters.

Philox (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) turns (key, counter)
into random bits with no state in between. So any image can be made again alone from (seed, index,
draw), and a training run that is resumed at a step needs no saved state. Bits are drawn raw, as
NumPy guarantees those from version to version, and turned into numbers here.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

_FLOAT53 = 2.0**-53
_BYTE_MEAN = np.float32(127.5)
_BYTE_SD = np.float32(((256**2 - 1) / 12) ** 0.5)


class Purpose(IntEnum):
    """What noise is for: streams of different purposes are independent. Never renumber."""

    SAMPLE = 0
    INITIAL_WEIGHTS = 1
    REAL_IMAGES = 2
    CRITIC_NOISE = 3
    INTERPOLATION = 4
    GENERATOR_NOISE = 5
    GENERATOR_LABELS = 6
    PREVIEW = 7
    REAL_AUGMENTATION = 8
    FAKE_AUGMENTATION = 9
    GENERATOR_AUGMENTATION = 10
    REAL_CONSISTENCY = 11
    FAKE_CONSISTENCY = 12
    SCORES = 13
    FEATURES = 14


class Noise(NamedTuple):
    """What a generator makes n images of: float32 latents [n, L] and grain [n, 1, S, S].

    The latents decide what is seen. The grain, one number a pixel, becomes the scanner's noise,
    which cannot be made of a few latents.
    """

    latents: NDArray[np.float32]
    grain: NDArray[np.float32]


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


def _grain(words: NDArray[np.uint64], image_size: int) -> NDArray[np.float32]:
    """Grain [..., 1, S, S] of mean 0 and variance 1 from words [..., S * S / 8]: a byte a pixel."""
    pixels = words.astype("<u8", copy=False).view(np.uint8).astype(np.float32)
    centred = (pixels - _BYTE_MEAN) / _BYTE_SD
    return centred.reshape(*words.shape[:-1], 1, image_size, image_size)


def _split(words: NDArray[np.uint64], latent_size: int, image_size: int) -> Noise:
    even = latent_size + latent_size % 2
    latents = _box_muller(np.ascontiguousarray(words[:, :even]))[:, :latent_size]
    return Noise(latents, _grain(np.ascontiguousarray(words[:, even:]), image_size))


def _words_per_image(latent_size: int, image_size: int) -> int:
    return latent_size + latent_size % 2 + image_size**2 // 8


def sample_noise(
    seed: int | Sequence[int],
    indices: Sequence[int],
    draws: Sequence[int],
    latent_size: int,
    image_size: int,
    *,
    truncation: float | None = None,
) -> Noise:
    """The noise of the images (seed, index, draw); each depends on its own three numbers only.

    ``seed`` is that of all, or one an image. ``draw`` tells apart the tries of one image: the first
    is 0. Latents of a ``truncation`` lie within so many standard deviations.
    """
    seeds = [seed] * len(indices) if isinstance(seed, int) else seed
    words = np.empty((len(indices), _words_per_image(latent_size, image_size)), dtype=np.uint64)
    for row, (own, index, draw) in enumerate(zip(seeds, indices, draws, strict=True)):
        words[row] = raw_bits(own, Purpose.SAMPLE, index, draw, words.shape[1])
    noise = _split(words, latent_size, image_size)
    return noise if truncation is None else Noise(truncated(noise.latents, truncation), noise.grain)


def truncated(normal: NDArray[np.float32], limit: float) -> NDArray[np.float32]:
    """Standard normal numbers to those of the distribution cut off at ``limit``, in their order.

    The truncation trick (Brock et al., "Large scale GAN training for high fidelity natural image
    synthesis", ICLR 2019), by quantiles instead of drawing again: a number stays one of its image,
    and moves little where ``limit`` is large.
    """
    bound = torch.special.ndtr(torch.tensor(-limit, dtype=torch.float64))
    quantile = torch.special.ndtr(torch.from_numpy(normal).double())
    cut = torch.special.ndtri(bound + quantile * (1.0 - 2.0 * bound))
    inside: NDArray[np.float32] = cut.clamp(-limit, limit).float().numpy()
    return inside


def step_noise(
    seed: int,
    purpose: Purpose,
    step: int,
    turn: int,
    count: int,
    latent_size: int,
    image_size: int,
) -> Noise:
    """The noise of a batch of ``count`` in training; ``turn`` counts critic steps in a step."""
    each = _words_per_image(latent_size, image_size)
    words = raw_bits(seed, purpose, step, turn, count * each).reshape(count, each)
    return _split(words, latent_size, image_size)
