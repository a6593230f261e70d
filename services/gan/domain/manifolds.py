"""How much of the samples looks real, and how much of what is real is among them.

Each set of images is taken for the union of balls around its members that reach to their k-th
nearest neighbour.

- precision, recall: Kynkaanniemi et al., "Improved precision and recall metric for assessing
  generative models", NeurIPS 2019, equations 1 and 2; k = 3.
- density, coverage: Naeem et al., "Reliable fidelity and diversity metrics for generative models",
  ICML 2020, equations 3 and 4; k = 5. One outlier among the real images cannot raise them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

PRECISION_NEIGHBOURS = 3
DENSITY_NEIGHBOURS = 5


@dataclass(frozen=True)
class Manifolds:
    """Of 1 the best, but for ``density``, which is 1 on average where both sets are alike."""

    precision: float
    recall: float
    density: float
    coverage: float


def compare_manifolds(made: NDArray[np.float32], real: NDArray[np.float32]) -> Manifolds:
    """Of features [n, D] and [m, D]; n and m are at least 2. k is lowered where they are fewer."""
    between = cdist(made, real)
    real_sorted, made_sorted = _to_others(real), _to_others(made)
    near = between < _radius(real_sorted, PRECISION_NEIGHBOURS)
    found = between < _radius(made_sorted, PRECISION_NEIGHBOURS)[:, None]
    neighbours = min(DENSITY_NEIGHBOURS, len(real) - 1)
    dense = between < _radius(real_sorted, DENSITY_NEIGHBOURS)
    return Manifolds(
        precision=float(near.any(axis=1).mean()),
        recall=float(found.any(axis=0).mean()),
        density=float(dense.sum(axis=1).mean() / neighbours),
        coverage=float(dense.any(axis=0).mean()),
    )


def _to_others(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Each row's distances to the others [n, n - 1], nearest first."""
    distances = cdist(features, features)
    np.fill_diagonal(distances, -1.0)
    ordered: NDArray[np.float64] = np.sort(distances, axis=1)[:, 1:]
    return ordered


def _radius(ordered: NDArray[np.float64], neighbours: int) -> NDArray[np.float64]:
    """The distance [n] to the k-th of the others."""
    radius: NDArray[np.float64] = ordered[:, min(neighbours, ordered.shape[1]) - 1]
    return radius
