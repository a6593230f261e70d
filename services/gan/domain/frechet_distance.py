"""FID, the Frechet inception distance, in whichever feature space.

Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium",
NeurIPS 2017, equation 6: ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` of means and covariances.
It is biased upwards where images are few: read it beside its floor.
"""

import math

import numpy as np
from numpy.typing import NDArray


def frechet_distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """FID between features [n, D] and [m, D]; n and m are at least 2.

    With ``C = A^T A`` the trace of the root is the sum of the singular values of ``A1 A2^T``.
    """
    (mean1, root1), (mean2, root2) = _moments(one), _moments(other)
    shift = float(np.square(mean1 - mean2).sum())
    traces = float(np.square(root1).sum() + np.square(root2).sum())
    return shift + traces - 2.0 * float(np.linalg.svd(root1 @ root2.T, compute_uv=False).sum())


def _moments(
    features: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean [D], and a root [min(n, D), D] of the covariance."""
    values = features.astype(np.float64)
    mean = values.mean(axis=0)
    root = (values - mean) / math.sqrt(len(values) - 1)
    if len(root) > root.shape[1]:
        root = np.linalg.qr(root, mode="r")
    return mean, root
