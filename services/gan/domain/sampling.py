"""Synthetic images from a generator, each a function of (weights, label, seed, index, draw) alone.

Kernels may round differently for different batch shapes. So every batch has the shape that the
architecture and the kind of device fix, padded where images are few: an image is the same bytes
whether it is made alone or among thousands, on the same class of device.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from services.gan.domain.batches import to_bytes
from services.gan.domain.config import Architecture
from services.gan.domain.generator import Generator
from services.gan.domain.noise import Noise, sample_noise
from shared.compute.precision import Precision, reproducible
from shared.errors import BadInput

#: Images a batch, by their size in pixels.
_ON_CPU = {32: 16, 64: 8, 128: 8, 256: 8}
_ON_GPU = {32: 64, 64: 64, 128: 32, 256: 16}

_Number = TypeVar("_Number", bound=np.generic)


def sampling_batch(architecture: Architecture, device: str) -> int:
    """Images a batch: fixed for an architecture and a kind of device, fewer where they are large.

    Few enough that one image alone, padded to a batch, comes soon; enough to keep a device busy.
    On a CPU more of them take as long an image; at 32 pixels fewer take longer. A GPU idles with
    as few.
    """
    sizes = _ON_GPU if torch.device(device).type == "cuda" else _ON_CPU
    return sizes[architecture.image_size]


def _check(
    generator: Generator, labels: Sequence[int], indices: Sequence[int], draws: Sequence[int]
) -> None:
    if not len(labels) == len(indices) == len(draws):
        raise BadInput("labels, indices and draws must be equally many")
    categories = len(generator.architecture.categories)
    if any(not 0 <= label < categories for label in labels):
        raise BadInput(f"labels must be 0 to {categories - 1}")
    if any(value < 0 for values in (indices, draws) for value in values):
        raise BadInput("indices and draws must not be negative")


def _padded(array: NDArray[_Number], size: int) -> NDArray[_Number]:
    padded = np.zeros((size, *array.shape[1:]), dtype=array.dtype)
    padded[: len(array)] = array
    return padded


def _batch(
    generator: Generator,
    labels: Sequence[int],
    noise: Noise,
    precision: Precision,
) -> NDArray[np.uint8]:
    count, size = len(labels), sampling_batch(generator.architecture, precision.device)
    latents, grain = _padded(noise.latents, size), _padded(noise.grain, size)
    padded_labels = _padded(np.array(labels, dtype=np.int64), size)
    with torch.inference_mode(), reproducible(precision):
        images = generator(
            torch.from_numpy(latents).to(precision.device),
            torch.from_numpy(grain).to(precision.device),
            torch.from_numpy(padded_labels).to(precision.device),
            precision.dtype,
        )
        pixels: NDArray[np.uint8] = to_bytes(images[:count]).contiguous().cpu().numpy()
    return pixels


def sample_batches(
    generator: Generator,
    labels: Sequence[int],
    *,
    seed: int | Sequence[int],
    indices: Sequence[int],
    draws: Sequence[int],
    precision: Precision,
    truncation: float | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Yield uint8 batches [n, C, H, W] in order, the last one shorter, as soon as each is made.

    ``labels``, ``indices`` and ``draws`` name an image each, ``seed`` all of them or one each. The
    generator lies on the precision's device; latents lie within ``truncation`` standard deviations.
    Raises BadInput at once for labels that the generator does not know.
    """
    _check(generator, labels, indices, draws)
    return _sample_checked(generator, labels, seed, indices, draws, precision, truncation)


def _sample_checked(
    generator: Generator,
    labels: Sequence[int],
    seed: int | Sequence[int],
    indices: Sequence[int],
    draws: Sequence[int],
    precision: Precision,
    truncation: float | None,
) -> Iterator[NDArray[np.uint8]]:
    architecture = generator.architecture
    size = sampling_batch(architecture, precision.device)
    for start in range(0, len(labels), size):
        part = slice(start, start + size)
        noise = sample_noise(
            seed if isinstance(seed, int) else seed[part],
            indices[part],
            draws[part],
            architecture.latent_size,
            architecture.image_size,
            truncation=truncation,
        )
        yield _batch(generator, labels[part], noise, precision)


def sample(
    generator: Generator,
    labels: Sequence[int],
    *,
    seed: int,
    indices: Sequence[int],
    draws: Sequence[int] | None = None,
    precision: Precision,
    truncation: float | None = None,
) -> NDArray[np.uint8]:
    """All images at once, uint8 [n, C, H, W]; ``draws`` are 0 where not given."""
    batches = sample_batches(
        generator,
        labels,
        seed=seed,
        indices=indices,
        draws=[0] * len(labels) if draws is None else draws,
        precision=precision,
        truncation=truncation,
    )
    size, channels = generator.architecture.image_size, generator.architecture.channels
    empty = np.empty((0, channels, size, size), dtype=np.uint8)
    return np.concatenate((empty, *batches))
