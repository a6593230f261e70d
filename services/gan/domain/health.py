"""What the watchdog looks at: a fixed batch of samples beside the real images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from services.gan.domain.batches import TrainingImages
from services.gan.domain.generator import Generator
from services.gan.domain.noise import Purpose, raw_bits
from services.gan.domain.sampling import sample
from shared.compute.precision import Precision

#: Images a category, made and real.
PROBES = 16
#: Distances are taken between thumbnails: the grain of two images differs even where all else is
#: the same.
_THUMBNAIL_PX = 8
_FLAT_GREY_LEVELS = 2.0


@dataclass(frozen=True)
class Reference:
    """The real images: distances within each category [K], and the share that are flat."""

    spread: tuple[float, ...]
    flat: float


@dataclass(frozen=True)
class Variety:
    """``diversity`` and ``flat`` of :class:`~services.gan.domain.watchdog.Signs`."""

    diversity: float
    flat: float


def real_reference(data: TrainingImages) -> Reference:
    """Of the first images of each category."""
    chosen = [data.images[torch.from_numpy(rows[:PROBES])].cpu() for rows in data.members]
    return Reference(tuple(_spread(images) for images in chosen), _flat_share(torch.cat(chosen)))


def variety(
    generators: Sequence[Generator], reference: Reference, seed: int, precision: Precision
) -> Variety:
    """The least diversity and largest flat share of the generators, of the same latents always."""
    found = [_variety(each, reference, seed, precision) for each in generators]
    return Variety(min(v.diversity for v in found), max(v.flat for v in found))


def _variety(
    generator: Generator, reference: Reference, seed: int, precision: Precision
) -> Variety:
    categories = len(generator.architecture.categories)
    probe_seed = int(raw_bits(seed, Purpose.PREVIEW, 1, 0, 1)[0] >> 1)
    labels = np.repeat(np.arange(categories), PROBES).tolist()
    made: NDArray[np.uint8] = sample(
        generator, labels, seed=probe_seed, indices=range(len(labels)), precision=precision
    )
    images = torch.from_numpy(made)
    ratios = [
        _spread(each) / real
        for each, real in zip(torch.split(images, PROBES), reference.spread, strict=True)
        if real > 0.0
    ]
    return Variety(min(ratios, default=1.0), max(0.0, _flat_share(images) - reference.flat))


def _spread(images: Tensor) -> float:
    """The mean distance between two of the images [n, C, S, S], in grey levels (root mean square).

    0.0 for a single image.
    """
    if len(images) < 2:
        return 0.0
    thumbnails = functional.adaptive_avg_pool2d(images.double(), _THUMBNAIL_PX).flatten(1)
    distance = functional.pdist(thumbnails).mean().item()
    return float(distance) / math.sqrt(thumbnails.shape[1])


def _flat_share(images: Tensor) -> float:
    """The share of the images whose grey levels hardly differ within them."""
    return float((images.double().flatten(1).std(dim=1) < _FLAT_GREY_LEVELS).double().mean())
