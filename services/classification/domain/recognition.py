"""Train on real, test on synthetic: is a synthetic image what it was asked to be?

The converse of "train on synthetic, test on real" (Esteban, Hyland and Raetsch, "Real-valued
(medical) time series generation with recurrent conditional GANs", 2017, section 4): a high share
says that categories are kept, not that the images are varied or real enough to teach anything.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.findings import Figure
from services.classification.domain.resampling import (
    RESAMPLES,
    expanded,
    expansion,
    interval_of,
)

_RANDOM_SEED: Final = 0


def recognised_share(recognised: Sequence[NDArray[np.bool_]]) -> Figure:
    """Of each seed's synthetic images ``[N_s]``, those whose category was named.

    Each seed has images of its own: a resample draws seeds, and of each one drawn its images.

    Raises:
        ValueError: there is no seed, or one without images.
    """
    if not recognised or not all(each.size for each in recognised):
        raise ValueError("nothing was looked at")
    shares = np.array([each.mean() for each in recognised])
    sizes = np.array([each.size for each in recognised])
    random = np.random.default_rng(_RANDOM_SEED)
    seeds = random.integers(len(shares), size=(RESAMPLES, len(shares)))
    # To draw n of n images that are right or wrong is a binomial draw.
    right = (random.binomial(sizes[seeds], shares[seeds]) / sizes[seeds]).mean(axis=1)
    if len(shares) > 1:
        right = expanded(right, float(shares.mean()), expansion(len(shares)))
    return Figure(
        mean=float(shares.mean()),
        sd=float(shares.std(ddof=1)) if len(shares) > 1 else None,
        ci=interval_of(right),
    )
