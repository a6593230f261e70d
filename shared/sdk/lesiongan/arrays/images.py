"""All images of an archive as NumPy arrays."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from lesiongan.arrays.places import index_of
from lesiongan.contracts.categories import Category
from lesiongan.errors import UnexpectedAnswer


class Images(NamedTuple):
    """``images`` uint8 [N, C, H, W], C = 1 or 3, and ``labels`` int64 [N].

    A label is a place in ``categories``, which are those of the whole archive, so that the labels
    of its splits agree; -1 is an unlabelled image.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    categories: tuple[Category, ...]


def load(archive: Path, split: str | None = None) -> Images:
    """See :func:`lesiongan.arrays.read_images`."""
    index = index_of(archive, split)
    images = [decode(place.read(archive)) for place in index.places]
    if len({image.shape for image in images}) > 1:
        raise UnexpectedAnswer("the images differ in size", hint="preprocess the data set")
    labels = [index.label(place) for place in index.places]
    return Images(np.stack(images), np.asarray(labels, dtype=np.int64), index.categories)


def decode(png: bytes) -> npt.NDArray[np.uint8]:
    """An 8-bit PNG as [C, H, W], C = 1, or 3 (RGB).

    Raises :class:`UnexpectedAnswer` for anything else.
    """
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            pixels = np.array(image) if image.mode in ("L", "RGB") else None
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise UnexpectedAnswer(f"a file of the archive is not a whole PNG: {error}") from error
    if pixels is None:
        raise UnexpectedAnswer(
            "the images hold HU, not 8 bits", hint="preprocess the data set, and take the new one"
        )
    return np.ascontiguousarray(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1))
