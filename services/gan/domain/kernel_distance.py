"""KID, the kernel inception distance, in whichever feature space.

Binkowski et al., "Demystifying MMD GANs", ICLR 2018: the squared maximum mean discrepancy under the
kernel ``k(x, y) = (x.y / D + 1)^3``, by the unbiased estimate of Gretton et al. ("A kernel
two-sample test", JMLR 2012, equation 3). Unbiased: around 0, and below it as often, where both sets
come from one distribution, however few they are.
"""

import numpy as np
from numpy.typing import NDArray


def kernel_distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """KID between features [n, D] and [m, D]; n and m are at least 2."""
    return _within(one) + _within(other) - 2.0 * float(_kernel(one, other).mean())


def _kernel(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    products = one.astype(np.float64) @ other.astype(np.float64).T
    cubed: NDArray[np.float64] = (products / one.shape[1] + 1.0) ** 3
    return cubed


def _within(features: NDArray[np.float32]) -> float:
    """The mean of the kernel over pairs of different rows."""
    count, kernel = len(features), _kernel(features, features)
    return float(kernel.sum() - np.trace(kernel)) / (count * (count - 1))
