"""A smaller test set: as many images of each category as there can be, drawn by chance."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classification.domain.evaluation import Integers

#: The same images, whatever is trained: a test set is drawn once and not again until one pleases.
_RANDOM_SEED: Final = 0


def draw_test(labels: Integers, images: int) -> NDArray[np.int64]:
    """Places, ascending, of ``images`` of the images with ``labels`` ``[N]``; of all, if fewer.

    Categories take turns, so that their numbers differ by one at most, while they have images left.
    """
    random = np.random.default_rng(_RANDOM_SEED)
    turns = np.empty(len(labels), dtype=np.int64)
    for category in np.unique(labels):
        places = np.flatnonzero(labels == category)
        turns[random.permutation(places)] = np.arange(len(places))
    # Within a turn chance decides who comes first: the last turn is not whole.
    order = np.lexsort((random.permutation(len(labels)), turns))
    return np.sort(order[:images])
