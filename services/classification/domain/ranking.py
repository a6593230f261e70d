"""How well a category's probabilities rank its images above all others: the area under the ROC.

One-vs-rest, as the Mann-Whitney statistic: the chance that an image of the category has a higher
probability than one of another, ties counting half (Hanley and McNeil, "The meaning and use of the
area under a receiver operating characteristic (ROC) curve", Radiology 143(1), 1982). The macro
figure is the plain mean over categories (Hand and Till, Mach. Learn. 45, 2001, discuss others).
"""

import numpy as np
from numpy.typing import NDArray

from services.classification.domain.evaluation import Floats, Integers


def macro_auc(labels: Integers, probabilities: NDArray[np.float32], weights: Floats) -> Floats:
    """``[B]``: the mean one-vs-rest AUC of probabilities ``[N, K]``, image n weighing ``[b, n]``.

    A category without weight, or with all of it, has no AUC and is left out of the mean; 0.5 where
    none is left.
    """
    areas = np.stack(
        [_auc(labels == k, probabilities[:, k], weights) for k in range(probabilities.shape[1])]
    )
    known = np.isfinite(areas)
    total = np.where(known, areas, 0.0).sum(axis=0)
    counted = known.sum(axis=0)
    mean: Floats = np.divide(total, counted, out=np.full(total.shape, 0.5), where=counted > 0)
    return mean


def _auc(is_positive: NDArray[np.bool_], scores: NDArray[np.float32], weights: Floats) -> Floats:
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    weighed = weights[:, order]
    positive = np.add.reduceat(weighed * is_positive[order], starts, axis=1)  # [B, tied groups]
    negative = np.add.reduceat(weighed, starts, axis=1) - positive
    below = np.cumsum(negative, axis=1) - negative
    above = (positive * (below + 0.5 * negative)).sum(axis=1)
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    area: Floats = np.divide(above, pairs, out=np.full(above.shape, np.nan), where=pairs > 0)
    return area
