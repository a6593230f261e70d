"""Whether a generator gives back images that it was trained on.

How near samples come to training images is held against how near real images do that the generator
has not seen: those of ``val``, or, where they are too few, each training image to its others.

Distances are between thumbnails: pixels decide. The feature space knows its categories, and grain;
it is as good as its training was long, and one that was short hid copies that pixels show at once.
What is said of features stands beside, and decides nothing.

- authenticity: the share of samples that lie further from their nearest training image than that
  image from its own nearest (Alaa et al., "How faithful is your synthetic data?", ICML 2022).
- nearest ratio: the median distance of samples to their nearest training image, over that of the
  real ones; 1 for images as new as those, 0 for copies.
- membership inference: how well one who has only the samples tells training images from ``val``, by
  their distance to the nearest sample (Chen et al., "GAN-Leaks", CCS 2020, full black box); the
  area under the curve, 0.5 where nothing can be told.
- a copy: a sample that comes nearer to a training image than all but one in a hundred real ones,
  and much nearer to it than to the 50 nearest on average: a grey blur is near to all of them, and
  shows none (Carlini et al., "Extracting training data from diffusion models", USENIX Security
  2023, section 4.2).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.gan.domain.neighbours import (
    Nearest,
    Neighbours,
    Places,
    distinct,
    nearest_pixels,
    neighbours,
    neighbours_within,
    unknown_to,
)
from services.gan.domain.noise import Purpose, uniform

#: Which share of real images comes nearer than what counts as a copy.
NEAREST_SHARE = 0.01
#: Of the mean distance to its crowd, what a copy's distance is at most.
CROWD_SHARE = 0.5
#: A model that gives back more copies than these memorises; of real images it is NEAREST_SHARE.
MOST_COPIES = 0.1
#: Rows that are looked up, at most.
_LOOKED_UP = 1000

Reference = Literal["val", "training"]


@dataclass(frozen=True)
class Bounds:
    """How near real images come to training images that are not theirs, ``n`` of ``reference``.

    ``pixel`` is what all but NEAREST_SHARE of them exceed; ``usual_*`` are medians.
    """

    reference: Reference
    n: int
    pixel: float
    usual_feature: float
    usual_pixel: float


@dataclass(frozen=True)
class Memorisation:
    """What is found on ``n`` samples; see the module for each. Floors are those of ``val``."""

    n: int
    authenticity: float
    authenticity_floor: float | None
    nearest_ratio: float
    nearest_ratio_pixels: float
    copies: float
    membership_auc: float | None


def bounds(train: Places, held_out: Places, *, enough: int) -> Bounds | None:
    """From ``held_out`` if there are ``enough``, else within ``train``; None of fewer than two.

    Of images that were kept twice one counts: that a copy is near says nothing of new images.
    """
    train = distinct(train)
    if len(train) < 2:
        return None
    new = unknown_to(train, held_out)
    if len(new) >= enough:
        reference: Reference = "val"
        found = neighbours(new, train)
    else:
        reference = "training"
        found = neighbours_within(train, _some(len(train)))
    feature, pixel = found.features.distances, found.pixels.distances
    return Bounds(
        reference=reference,
        n=len(feature),
        pixel=float(np.quantile(pixel, NEAREST_SHARE)),
        usual_feature=float(np.median(feature)),
        usual_pixel=float(np.median(pixel)),
    )


def copies(found: Nearest, limits: Bounds) -> NDArray[np.bool_]:
    """Which of the samples [n], whose nearest in pixels are ``found``, are copies."""
    near: NDArray[np.bool_] = found.distances < np.minimum(limits.pixel, CROWD_SHARE * found.crowd)
    return near


def memorisation(
    samples: Places, found: Neighbours, train: Places, held_out: Places, limits: Bounds
) -> Memorisation:
    """Judge ``samples``, whose neighbours in ``train`` are ``found``."""
    real = neighbours(held_out, train) if limits.reference == "val" else None
    return Memorisation(
        n=len(samples),
        authenticity=_authenticity(found, train),
        authenticity_floor=None if real is None else _authenticity(real, train),
        nearest_ratio=_ratio(found.features.distances, limits.usual_feature),
        nearest_ratio_pixels=_ratio(found.pixels.distances, limits.usual_pixel),
        copies=float(copies(found.pixels, limits).mean()),
        membership_auc=None if real is None else _membership(samples, train, held_out),
    )


def _authenticity(found: Neighbours, train: Places) -> float:
    rows, places = np.unique(found.pixels.rows, return_inverse=True)
    own = nearest_pixels(train.pixels[rows], train.pixels, itself=rows).distances[places]
    return float((found.pixels.distances > own).mean())


def _ratio(distances: NDArray[np.float64], usual: float) -> float:
    return float(np.median(distances)) / usual if usual > 0.0 else 1.0


def _membership(samples: Places, train: Places, held_out: Places) -> float:
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - slow, and samplers never need it

    members = train.pixels[_some(len(train))]
    others = held_out.pixels[_some(len(held_out))]
    near = [nearest_pixels(each, samples.pixels).distances for each in (members, others)]
    truth = np.repeat([1, 0], [len(members), len(others)])
    return float(roc_auc_score(truth, -np.concatenate(near)))


def _some(count: int) -> NDArray[np.int64]:
    """At most ``_LOOKED_UP`` rows, drawn evenly."""
    order: NDArray[np.int64] = np.argsort(uniform(0, Purpose.SCORES, 0, 9, count), kind="stable")
    return order[:_LOOKED_UP]
