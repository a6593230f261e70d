"""Whether a classifier is right as often as it is sure, and one number that makes it so.

Expected calibration error (Naeini et al., "Obtaining well calibrated probabilities using Bayesian
binning", AAAI 2015) and temperature scaling (Guo et al., "On calibration of modern neural
networks", ICML 2017). The temperature is fitted on ``val``; it changes no predicted category.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from services.classification.domain.evaluation import Floats, Integers

#: Bins of equal width, as in Guo et al.
BINS: Final = 15
_TINY: Final = 1e-12
#: Temperatures that are tried: beyond these a classifier is a guess or a certainty.
_BOUNDS: Final = (0.05, 20.0)

Probabilities = NDArray[np.float32] | NDArray[np.float64]


def tempered(probabilities: Probabilities, temperature: float) -> NDArray[np.float64]:
    """softmax(logits / temperature), from softmax(logits) ``[N, K]``: p^(1/T), normalised."""
    logits = np.log(np.maximum(probabilities.astype(np.float64), _TINY)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_temperature(probabilities: Probabilities, labels: Integers) -> float:
    """The temperature with the lowest mean cross-entropy on ``labels`` ``[N]``."""
    rows = np.arange(len(labels))

    def loss(log_temperature: float) -> float:
        right = tempered(probabilities, float(np.exp(log_temperature)))[rows, labels]
        return float(-np.log(np.maximum(right, _TINY)).mean())

    low, high = np.log(_BOUNDS)
    found: Any = minimize_scalar(loss, bounds=(low, high), method="bounded")
    return float(np.exp(found.x))


def calibration_error(labels: Integers, probabilities: Probabilities, weights: Floats) -> Floats:
    """``[B]``: the expected calibration error of ``[N, K]``, image n weighing ``weights[b, n]``.

    The sum over bins of confidence of |share right - mean confidence|, by the bin's share of
    images.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    gap = (probabilities.argmax(axis=1) == labels) - confidence
    # Bins are open below and closed above: (0, 1/15], (1/15, 2/15], ...
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gaps = weights @ (np.eye(BINS)[bins] * gap[:, None])
    return np.asarray(np.abs(gaps).sum(axis=1) / weights.sum(axis=1))
