"""Which training image a synthetic one is most like, pixel by pixel.

The distance is the root mean square difference of grey levels. It finds a copy, not a picture of
the same anatomy a little aside: the memorisation check of ``services/gan`` looks deeper.
"""

import numpy as np
from numpy.typing import NDArray


def nearest(
    images: NDArray[np.uint8], training: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each of ``images`` [M, C, H, W]: its neighbour's place in ``training`` [N, C, H, W], and
    how far it is, in grey levels.

    Raises:
        ValueError: images of different shapes, or none to train on.
    """
    if images.shape[1:] != training.shape[1:] or not len(training):
        raise ValueError(f"images {images.shape} beside training images {training.shape}")
    known = training.reshape(len(training), -1).astype(np.float32)
    places = np.empty(len(images), dtype=np.int64)
    distances = np.empty(len(images), dtype=np.float64)
    for place, image in enumerate(images):
        apart = np.sqrt(np.square(known - image.reshape(-1).astype(np.float32)).mean(axis=1))
        places[place] = int(apart.argmin())
        distances[place] = float(apart[places[place]])
    return places, distances
