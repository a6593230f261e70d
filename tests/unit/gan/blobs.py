"""Images that a small network can learn: a blob somewhere, on dark or bright ground."""

import numpy as np
from numpy.typing import NDArray


def blobs(count: int, *, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """uint8 [count, 1, 32, 32] and labels [count], 0 for dark and 1 for bright in turns."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    rows, columns = np.mgrid[:32, :32]
    images = []
    for label in labels:
        centre, size = random.uniform(8, 24, 2), random.uniform(3, 8)
        near = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < size**2
        images.append(np.where(near, 140, 170 if label else 60) + random.normal(0, 8, (32, 32)))
    pixels = np.clip(np.reshape(images, (count, 32, 32)), 0, 255).astype(np.uint8)[:, None]
    return pixels, labels
