"""Which pictures a report shows of a GAN."""

from base64 import b64encode

import numpy as np

from services.classification.pictures import picture_rows
from shared.datasets.pixels import Labelled, encode_image


def labelled(levels: dict[int, int]) -> Labelled:
    """Flat images of grey levels, with their labels."""
    images = np.stack([np.full((1, 4, 4), level, np.uint8) for level in levels])
    return Labelled(images, np.asarray([*levels.values()], dtype=np.int64), [])


def png(level: int) -> str:
    return b64encode(encode_image(np.full((1, 4, 4), level, np.uint8))).decode()


def test_neighbours_are_looked_for_among_all_that_the_gan_learnt_from() -> None:
    real, synthetic = labelled({10: 0, 200: 1}), labelled({100: 0, 201: 1})
    seen = labelled({10: 0, 200: 1, 104: -1, 90: 1})
    liver, lung = picture_rows(("liver", "lung"), real, synthetic, seen)
    assert (liver.real, lung.real) == ([png(10)], [png(200)])
    (pair,) = liver.synthetic
    assert (pair.neighbour, pair.neighbour_category, pair.distance) == (png(104), None, 4.0)
    (other,) = lung.synthetic
    assert (other.neighbour, other.neighbour_category) == (png(200), "lung")


def test_a_category_without_samples_has_no_row() -> None:
    real = labelled({10: 0, 200: 1})
    rows = picture_rows(("liver", "lung"), real, labelled({100: 1}), real)
    assert [row.category for row in rows] == ["lung"]
