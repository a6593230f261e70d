"""Nearest training images, in the feature space and in pixels."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from services.gan.domain.feature_space import FeatureSpace

#: Pixels are compared on thumbnails of this side: grain differs even between an image and its copy.
THUMBNAIL_PX = 16
#: How many of the nearest are its crowd.
CROWD = 50
_ROWS = 256


@dataclass(frozen=True)
class Places:
    """Where images of ``labels`` [n] lie: ``features`` [n, D], thumbnails' ``pixels`` [n, P]."""

    features: NDArray[np.float32]
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Places":
        return Places(self.features[rows], self.pixels[rows], self.labels[rows])


@dataclass(frozen=True)
class Nearest:
    """``distances`` [n] to the nearest known image, and its row [n].

    ``crowd`` [n] is the mean distance to the ``CROWD`` nearest, it among them.
    """

    distances: NDArray[np.float64]
    rows: NDArray[np.int64]
    crowd: NDArray[np.float64]


@dataclass(frozen=True)
class Neighbours:
    """The nearest in each space; pixels' distances are root mean squares of grey levels."""

    features: Nearest
    pixels: Nearest


def place(space: FeatureSpace, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Places:
    """Where images [n, C, S, S] of labels [n] lie."""
    return Places(space.features(images), thumbnails(images), labels)


def thumbnails(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 images [n, C, S, S] as [n, C * 16 * 16] grey levels, the means of areas."""
    count, channels = images.shape[:2]
    if not count:
        return np.empty((0, channels * THUMBNAIL_PX**2), dtype=np.uint8)
    # Not torch's pooling: its threads wait for each other longer than a batch takes.
    side, rest = divmod(images.shape[2], THUMBNAIL_PX)
    assert not rest, "image sizes are multiples of a thumbnail's"
    areas = images.reshape(count, channels, THUMBNAIL_PX, side, THUMBNAIL_PX, side)
    means = areas.sum(axis=(3, 5), dtype=np.float32) / side**2
    small: NDArray[np.uint8] = np.rint(means).astype(np.uint8)
    return small.reshape(count, -1)


def distinct(places: Places) -> Places:
    """Of places with equal thumbnails the first; all others in their order."""
    _, rows = np.unique(places.pixels, axis=0, return_index=True)
    return places.take(np.sort(rows))


def unknown_to(known: Places, asked: Places) -> Places:
    """Those of ``asked`` whose thumbnail none of ``known`` has."""
    thumbnails_known = {each.tobytes() for each in known.pixels}
    new = [each.tobytes() not in thumbnails_known for each in asked.pixels]
    return asked.take(np.array(new, dtype=np.bool_))


def neighbours(asked: Places, known: Places) -> Neighbours:
    """Of each place [n] the nearest of ``known``, which has at least one."""
    return Neighbours(
        nearest(asked.features, known.features), nearest_pixels(asked.pixels, known.pixels)
    )


def neighbours_within(known: Places, rows: NDArray[np.int64]) -> Neighbours:
    """Of the rows [n] of ``known`` the nearest of its others; it has at least two."""
    return Neighbours(
        nearest(known.features[rows], known.features, itself=rows),
        nearest_pixels(known.pixels[rows], known.pixels, itself=rows),
    )


class Known:
    """Thumbnails [m, P] that many batches are held against: what is the same each time.

    In torch, on as many threads as it is told: those of NumPy wait for each other on a busy machine
    for longer than all this takes.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self._vectors = torch.from_numpy(pixels).double()
        self._squares = self._vectors.square().sum(dim=1)

    def least(self, asked: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The distances [n] of ``asked`` [n, P] to the nearest: as :func:`nearest_pixels`."""
        vectors = torch.from_numpy(asked).double()
        squares = torch.addmm(self._squares, vectors, self._vectors.T, alpha=-2.0)
        nearest = squares.amin(dim=1) + vectors.square().sum(dim=1)
        least: NDArray[np.float64] = nearest.clamp_min(0.0).sqrt().numpy() / asked.shape[1] ** 0.5
        return least


def nearest_pixels(
    asked: NDArray[np.uint8], known: NDArray[np.uint8], *, itself: NDArray[np.int64] | None = None
) -> Nearest:
    """As :func:`nearest`, of thumbnails; distances are in grey levels."""
    found, root = nearest(asked, known, itself=itself), known.shape[1] ** 0.5
    return Nearest(found.distances / root, found.rows, found.crowd / root)


def nearest(
    asked: NDArray[np.float32] | NDArray[np.uint8],
    known: NDArray[np.float32] | NDArray[np.uint8],
    *,
    itself: NDArray[np.int64] | None = None,
) -> Nearest:
    """Of vectors [n, D] the nearest of [m, D]; ``itself`` [n] are rows that do not count."""
    distances, crowd = np.empty(len(asked)), np.empty(len(asked))
    rows = np.empty(len(asked), dtype=np.int64)
    others = len(known) if itself is None else len(known) - 1
    counted = min(CROWD, others)
    against = known.astype(np.float64)
    for start in range(0, len(asked), _ROWS):
        part = slice(start, start + _ROWS)
        block = _distances(asked[part].astype(np.float64), against)
        if itself is not None:
            block[np.arange(len(block)), itself[part]] = np.inf
        rows[part] = block.argmin(axis=1)
        distances[part] = block[np.arange(len(block)), rows[part]]
        crowd[part] = np.partition(block, counted - 1, axis=1)[:, :counted].mean(axis=1)
    return Nearest(distances, rows, crowd)


def _distances(asked: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """[n, m]; of whole numbers, such as grey levels, exact up to the root, on every machine."""
    products = asked @ known.T
    squares = np.square(asked).sum(axis=1)[:, None] + np.square(known).sum(axis=1)
    found: NDArray[np.float64] = np.sqrt(np.maximum(squares - 2.0 * products, 0.0))
    return found
