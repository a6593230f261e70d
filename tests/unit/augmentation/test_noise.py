"""Noise is normal, and the same wherever its generator begins the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from services.augmentation.domain.noise import normal_noise
from services.augmentation.domain.series import generator


def test_it_is_normal() -> None:
    noise = normal_noise(generator(0, 0, 1), (512, 512)).ravel()
    assert noise.dtype == np.float32
    assert noise.mean() == pytest.approx(0.0, abs=0.01)
    assert noise.std() == pytest.approx(1.0, abs=0.01)
    assert stats.kstest(noise, "norm").pvalue > 0.01
    assert 4.0 < np.abs(noise).max() < 4.4


def test_pixels_do_not_depend_on_their_neighbours() -> None:
    noise = normal_noise(generator(3, 0, 1), (512, 512))
    for one, other in ((noise[:, 1:], noise[:, :-1]), (noise[1:], noise[:-1])):
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] == pytest.approx(0.0, abs=0.01)


@given(st.integers(0, 2**63 - 1), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_the_same_again_and_of_any_shape(seed: int, shape: tuple[int, int]) -> None:
    first = normal_noise(generator(seed, 1, 1), shape)
    assert first.shape == shape
    np.testing.assert_array_equal(first, normal_noise(generator(seed, 1, 1), shape))


def test_the_words_are_read_alike_on_every_machine() -> None:
    np.testing.assert_allclose(
        normal_noise(generator(0, 0, 1), (4,)),
        [-1.3471475, 0.5904092, -0.5505314, -0.4065045],
        rtol=1e-6,
    )
