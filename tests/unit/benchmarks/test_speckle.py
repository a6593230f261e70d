"""What a speckle is to the measure, and what is none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.benchmarks.speckle import speckle, speckle_limits, speckled

SIZE_PX = 32


def _flat(count: int) -> NDArray[np.uint8]:
    return np.full((count, 1, SIZE_PX, SIZE_PX), 100, dtype=np.uint8)


def test_flat_tissue_and_straight_edges_have_none() -> None:
    images = _flat(2)
    images[1, 0, :, SIZE_PX // 2 :] = 250
    assert speckle(images).tolist() == [0.0, 0.0]


def test_a_patch_counts_as_much_wherever_it_is() -> None:
    images = _flat(3)
    for image, at in zip(images, (1, 9, 20), strict=True):
        image[0, at : at + 8 : 3, at : at + 8 : 3] = 164  # nine pixels, none beside another
    assert speckle(images).tolist() == [9 * 64 / 64] * 3


@pytest.mark.parametrize(("amplitude", "more"), [(5, 3), (20, 40)])
def test_it_grows_with_the_amplitude_of_noise(amplitude: int, more: int) -> None:
    noise = np.random.default_rng(0).integers(0, 2, (SIZE_PX, SIZE_PX))
    images = _flat(2)
    images[0, 0] += (amplitude * noise).astype(np.uint8)
    images[1, 0] += ((amplitude + more) * noise).astype(np.uint8)
    weak, strong = speckle(images)
    assert strong / weak == pytest.approx((amplitude + more) / amplitude)


def test_each_category_has_a_limit_of_its_own() -> None:
    quiet, noisy = _flat(50), _flat(50)
    noisy[:, 0, ::2, ::2] = 180
    labels = np.repeat([0, 1], 50)
    limits = speckle_limits(np.concatenate([quiet, noisy]), labels)
    assert limits[0] == 0.0
    assert limits[1] > 0.0
    assert speckled(noisy, np.ones(50, dtype=np.int64), limits) == 0.0
    assert speckled(noisy, np.zeros(50, dtype=np.int64), limits) == 1.0
