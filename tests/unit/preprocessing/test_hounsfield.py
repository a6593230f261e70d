"""HU in 16-bit images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from services.preprocessing.domain.hounsfield import decode_hu, encode_hu, is_plausible


def test_every_stored_value_is_decoded_exactly() -> None:
    stored = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    hu = decode_hu(stored)
    assert hu.dtype == np.int16
    np.testing.assert_array_equal(hu.astype(int), stored.astype(int) - 32768)
    np.testing.assert_array_equal(encode_hu(hu), stored)


@given(arrays.arrays(np.int16, arrays.array_shapes(max_dims=3)), st.booleans())
def test_hu_of_any_shape_and_layout_come_back(hu: NDArray[np.int16], transposed: bool) -> None:
    hu = hu.T if transposed else hu
    stored = encode_hu(hu)
    assert stored.dtype == np.uint16
    np.testing.assert_array_equal(stored.astype(int) - 32768, hu)
    np.testing.assert_array_equal(decode_hu(stored), hu)


@given(arrays.arrays(np.uint16, (3, 5)))
def test_an_image_is_plausible_if_any_pixel_is_denser_than_air(stored: NDArray[np.uint16]) -> None:
    assert is_plausible(stored) == bool((decode_hu(stored) > -1024).any())


@pytest.mark.parametrize(
    ("densest", "plausible"), [(32768 - 1024, False), (32768 - 1023, True), (4095, False)]
)
def test_images_in_another_convention_are_recognised(densest: int, plausible: bool) -> None:
    stored = np.array([[0, densest]], np.uint16)
    assert is_plausible(stored) is plausible
    assert is_plausible(np.zeros((2, 2), np.uint8))
