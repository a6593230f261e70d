"""Samples that come too near to a training image are drawn again.

The image (seed, index) is its first draw that does not. So it still depends on (weights, reference,
seed, index) alone, and on (weights, seed, index, draw) once it is known which draw that is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.gans import MOST_DRAWS
from services.gan.domain.generator import Generator
from services.gan.domain.reference import Reference
from services.gan.domain.sampling import sample_batches
from shared.compute.precision import Precision, reproducible


class Screened(NamedTuple):
    """``image`` uint8 [C, S, S] is draw ``draw``; ``too_near`` if that is so of all its draws."""

    image: NDArray[np.uint8]
    draw: int
    too_near: bool


@dataclass(frozen=True)
class Request:
    """Images ``indices`` of ``labels``, as :func:`sample_batches` names them."""

    generator: Generator
    labels: Sequence[int]
    seed: int
    indices: Sequence[int]
    precision: Precision
    truncation: float | None = None

    def draw(self, places: NDArray[np.int64], draw: int) -> NDArray[np.uint8]:
        """Draw ``draw`` of those at ``places`` [n]: [n, C, S, S]."""
        batches = sample_batches(
            self.generator,
            [self.labels[place] for place in places],
            seed=self.seed,
            indices=[self.indices[place] for place in places],
            draws=[draw] * len(places),
            precision=self.precision,
            truncation=self.truncation,
        )
        return np.concatenate(list(batches))


def screened(
    first_draws: Iterable[NDArray[np.uint8]], request: Request, reference: Reference | None
) -> Iterator[Screened]:
    """The images of a request, whose first draws come in batches, each batch as it comes.

    Without a ``reference`` nothing is known to be near, and every image is its first draw.
    """
    start = 0
    for batch in first_draws:
        images, draws = batch.copy(), np.zeros(len(batch), dtype=np.int64)
        near = too_near(reference, images, request.precision)
        while near.any() and draws.max() + 1 < MOST_DRAWS:
            draws[near] += 1
            again = request.draw(start + np.flatnonzero(near), int(draws.max()))
            images[near] = again
            near[near] = too_near(reference, again, request.precision)
        yield from map(Screened, images, draws.tolist(), near.tolist())
        start += len(batch)


def too_near(
    reference: Reference | None, images: NDArray[np.uint8], precision: Precision
) -> NDArray[np.bool_]:
    """Which of the images [n, C, S, S] are copies; none where nothing is known to be near."""
    if reference is None:
        return np.zeros(len(images), dtype=np.bool_)
    with reproducible(precision):
        return reference.too_near(images)
