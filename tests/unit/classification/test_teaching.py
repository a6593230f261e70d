"""What a teacher does to images: a teacher here reads its answer off the first pixel."""

import numpy as np
from numpy.typing import NDArray

from services.classification.domain.images import BatchSampler, LabelledImages
from services.classification.domain.teaching import filtered, pseudo_labelled, softened
from tests.unit.classification.builders import labelled, recipe


def _teacher(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Category 1 with as many hundredths as the pixel says."""
    second = pixels[:, 0, 0, 0] / np.float32(100)
    return np.stack([1 - second, second], axis=1).astype(np.float32)


def _images(pixels: list[int], labels: list[int], synthetic: list[bool]) -> LabelledImages:
    return LabelledImages(
        np.array(pixels, dtype=np.uint8)[:, None, None, None],
        np.array(labels, dtype=np.int64),
        np.array(synthetic),
    )


def test_only_synthetic_images_are_filtered() -> None:
    images = _images([90, 95, 55, 5, 90], [0, 1, 1, 0, 0], [False, True, True, True, True])
    kept = filtered(images, _teacher, 0.8)
    assert kept.pixels.ravel().tolist() == [90, 95, 5], "unsure and misnamed ones are gone"
    assert kept.labels.tolist() == [0, 1, 0]
    assert kept.synthetic.tolist() == [False, True, True]


def test_sure_images_get_the_teachers_category() -> None:
    images = _images([1, 99], [0, 1], [False, False])
    more = np.array([3, 60, 97], dtype=np.uint8)[:, None, None, None]
    made = pseudo_labelled(images, more, _teacher, 0.9)
    assert made.pixels.ravel().tolist() == [1, 99, 3, 97]
    assert made.labels.tolist() == [0, 1, 0, 1]
    assert not made.synthetic.any()
    assert pseudo_labelled(images, more[:0], _teacher, 0.9) is images


def test_labels_are_softened_and_stay() -> None:
    made = softened(_images([80], [1], [False]), _teacher)
    assert made.soft is not None
    np.testing.assert_allclose(made.soft, [[1 / 3, 2 / 3]], rtol=1e-5)
    assert made.labels.tolist() == [1]


def test_synthetic_images_come_first_and_real_ones_after() -> None:
    images = labelled([0, 1], synthetic=[0, 1])
    sampler = BatchSampler(images, recipe(steps=10, synthetic_first=0.3))
    synthetic = [images.synthetic[sampler.rows(step)].mean() for step in range(10)]
    assert synthetic == [1.0] * 3 + [0.0] * 7
