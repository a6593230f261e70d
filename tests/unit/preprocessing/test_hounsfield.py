"""HU in 16-bit images."""

import numpy as np
import pytest

from services.preprocessing.domain.hounsfield import decode_hu, encode_hu, is_plausible


def test_every_stored_value_is_decoded_exactly() -> None:
    stored = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    hu = decode_hu(stored)
    assert hu.dtype == np.int16
    np.testing.assert_array_equal(hu.astype(int), stored.astype(int) - 32768)
    np.testing.assert_array_equal(encode_hu(hu), stored)


@pytest.mark.parametrize(
    ("densest", "plausible"), [(32768 - 1024, False), (32768 - 1023, True), (4095, False)]
)
def test_images_in_another_convention_are_recognised(densest: int, plausible: bool) -> None:
    stored = np.array([[0, densest]], np.uint16)
    assert is_plausible(stored) is plausible
    assert is_plausible(np.zeros((2, 2), np.uint8))
