"""Tests beside the bootstrap: McNemar's within one seed, and Holm's correction of many p values."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from services.classification.domain.evaluation import Integers


def mcnemar(labels: Integers, a: Integers, b: Integers) -> tuple[int, int, float]:
    """Images ``[N]`` that a alone and that b alone gets right, and the exact two-sided p value.

    Under the null hypothesis each of them is a's with probability 1/2 (McNemar, "Note on the
    sampling error of the difference between correlated proportions", Psychometrika 12, 1947; the
    exact binomial form). It knows one training of each arm, and takes images for independent: it
    says nothing of other seeds, and too much where a patient has many images.
    """
    right_a, right_b = a == labels, b == labels
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    if only_a + only_b == 0:
        return 0, 0, 1.0
    return only_a, only_b, float(binomtest(only_a, only_a + only_b, 0.5).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values that hold the chance of any false claim in the family (Holm, 1979).

    The i-th smallest of m is multiplied by m - i + 1, made monotone, and is at most 1 ("A simple
    sequentially rejective multiple test procedure", Scand. J. Statist. 6).
    """
    p: NDArray[np.float64] = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(each) for each in adjusted]
