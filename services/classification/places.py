"""What the places of an experiment's lesions say, where its data set has them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.categories import Category
from services.classification.domain.placement import predicted_by_place
from shared.datasets.reading import StoredDataset
from shared.datasets.records import ImageRecord


def by_place(
    real: Sequence[StoredDataset],
    test: Sequence[ImageRecord],
    categories: Sequence[Category],
) -> NDArray[np.int64] | None:
    """The category of each test image by each seed's real training images, [S, N].

    None where an image has no known place.
    """
    wanted = [record.location for record in test]
    said = []
    for dataset in real:
        train = [r for r in dataset.select(split="train") if r.category in categories]
        places = [record.location for record in train]
        if not train or None in places or None in wanted:
            return None
        labels = [categories.index(r.category) for r in train if r.category is not None]
        said.append(predicted_by_place(np.array(places), np.array(labels), np.array(wanted)))
    return np.stack(said)
