"""One set of images against another, in numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.gan.domain.frechet_distance import frechet_distance
from services.gan.domain.kernel_distance import kernel_distance
from services.gan.domain.manifolds import compare_manifolds

#: Fewer say nothing.
FEWEST = 4


@dataclass(frozen=True)
class Scores:
    """Of ``made`` images against ``real`` ones, each so many.

    Precision, recall, density and coverage are those of the first made images, as many as there are
    real ones: a set that is ten times as large would cover more by its size alone.
    """

    kid: float
    fid: float
    precision: float
    recall: float
    density: float
    coverage: float
    made: int
    real: int


def compare(made: NDArray[np.float32], real: NDArray[np.float32]) -> Scores | None:
    """Of features [n, D] and [m, D]; None where either are fewer than ``FEWEST``."""
    if min(len(made), len(real)) < FEWEST:
        return None
    shares = compare_manifolds(made[: len(real)], real)
    return Scores(
        kid=kernel_distance(made, real),
        fid=frechet_distance(made, real),
        precision=shares.precision,
        recall=shares.recall,
        density=shares.density,
        coverage=shares.coverage,
        made=len(made),
        real=len(real),
    )
