"""Preview grids: the same latents at each step, so that a person sees the images grow."""

import numpy as np
from numpy.typing import NDArray

from services.gan.domain.generator import Generator
from services.gan.domain.noise import Purpose, raw_bits
from services.gan.domain.sampling import sample
from shared.compute.precision import Precision

_MARGIN_PX = 2


def tile(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Images [n, C, H, W] row by row on black, ``columns`` a row -> a grid [C, rows, columns]."""
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    cell_height, cell_width = height + _MARGIN_PX, width + _MARGIN_PX
    grid = np.zeros(
        (channels, rows * cell_height + _MARGIN_PX, columns * cell_width + _MARGIN_PX), np.uint8
    )
    for position, image in enumerate(images):
        top = _MARGIN_PX + position // columns * cell_height
        left = _MARGIN_PX + position % columns * cell_width
        grid[:, top : top + height, left : left + width] = image
    return grid


def preview_grid(
    generator: Generator, seed: int, precision: Precision, *, columns: int = 8
) -> NDArray[np.uint8]:
    """A uint8 grid [C, H, W]: one row a category in the architecture's order, fixed latents."""
    categories = len(generator.architecture.categories)
    labels = [label for label in range(categories) for _ in range(columns)]
    preview_seed = int(raw_bits(seed, Purpose.PREVIEW, 0, 0, 1)[0] >> 1)
    images = sample(
        generator, labels, seed=preview_seed, indices=range(len(labels)), precision=precision
    )
    return tile(images, columns)
