"""Real beside synthetic beside nearest training neighbour: what figures cannot show."""

from base64 import b64encode
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lesiongan.contracts.categories import Category
from services.classification.domain.neighbours import nearest
from services.classification.report.render import Pair, PictureRow
from shared.datasets.pixels import Labelled, encode_image

#: Of each category, drawn by chance: nobody has chosen the best ones.
SHOWN = 3
_RANDOM_SEED = 0


def picture_rows(
    categories: Sequence[Category], real: Labelled, synthetic: Labelled, seen: Labelled
) -> list[PictureRow]:
    """A row for each category that has both kinds of images.

    ``seen`` are the images that the GAN learnt from, among which neighbours are looked for.
    """
    random = np.random.default_rng(_RANDOM_SEED)
    found = []
    for place, category in enumerate(categories):
        of_real = np.flatnonzero(real.labels == place)
        made = np.flatnonzero(synthetic.labels == place)
        if not of_real.size or not made.size:
            continue
        originals = random.permutation(of_real)[:SHOWN]
        samples = synthetic.images[np.sort(random.permutation(made)[:SHOWN])]
        places, distances = nearest(samples, seen.images)
        found.append(
            PictureRow(
                category=category,
                real=[_png(image) for image in real.images[originals]],
                synthetic=[
                    Pair(
                        image=_png(sample),
                        neighbour=_png(seen.images[neighbour]),
                        neighbour_category=_named(categories, int(seen.labels[neighbour])),
                        distance=float(distance),
                    )
                    for sample, neighbour, distance in zip(samples, places, distances, strict=True)
                ],
            )
        )
    return found


def _named(categories: Sequence[Category], label: int) -> Category | None:
    return None if label < 0 else categories[label]


def _png(image: NDArray[np.uint8]) -> str:
    return b64encode(encode_image(image)).decode()
