"""Contrast methods."""

import cv2
import numpy as np
import pytest

from services.preprocessing.domain.contrast import Contrast, apply_contrast, apply_lesiongan
from services.preprocessing.domain.gray_bands import BAND_BORDERS_HU, apply_gray_bands
from services.preprocessing.domain.windowing import apply_window
from tests.unit.preprocessing.builders import grey_noise

ALL_HU = np.arange(-32768, 32768, dtype=np.int16)
WINDOW_HU = (-175.0, 275.0)


def test_gray_bands_never_wrap_around() -> None:
    grey = apply_gray_bands(ALL_HU).astype(int)
    assert (np.diff(grey) >= 0).all()
    assert np.diff(grey).max() == 1
    assert (grey[0], grey[-1]) == (0, 255)


def test_gray_bands_give_every_band_the_same_share() -> None:
    borders = np.array(BAND_BORDERS_HU, np.float32)
    shares = np.diff(apply_gray_bands(borders).astype(int))
    assert set(shares.tolist()) <= {36, 37}
    assert (np.diff(borders) > 0).all()


def test_gray_bands_resolve_parenchyma_like_an_abdomen_window() -> None:
    parenchyma = np.arange(-30, 151, dtype=np.int16)
    bands = len(np.unique(apply_gray_bands(parenchyma)))
    assert bands >= 0.94 * len(np.unique(apply_window(parenchyma, (-150, 250))))


def test_gray_bands_keep_lung_and_bone_that_the_window_loses() -> None:
    for lowest, highest in ((-950, -500), (400, 1400)):
        hu = np.array([lowest, highest], np.int16)
        assert len(np.unique(apply_window(hu, WINDOW_HU))) == 1
        assert np.diff(apply_gray_bands(hu).astype(int))[0] >= 20


def test_lesiongan_is_the_seeds_algorithm_for_every_value() -> None:
    stored = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = [(value >> 8) * 15 % 256 for value in range(65536)]
    assert apply_lesiongan(stored).ravel().tolist() == expected


def test_methods_start_from_hu() -> None:
    hu = ALL_HU.reshape(256, 256)
    window = apply_window(hu, WINDOW_HU)
    np.testing.assert_array_equal(apply_contrast(hu, "window", WINDOW_HU), window)
    np.testing.assert_array_equal(apply_contrast(hu, "gray_bands", WINDOW_HU), apply_gray_bands(hu))
    stored = (hu.astype(int) + 32768).astype(np.uint16)
    np.testing.assert_array_equal(
        apply_contrast(hu, "lesiongan", WINDOW_HU), apply_lesiongan(stored)
    )
    clahe = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(window)
    np.testing.assert_array_equal(apply_contrast(hu, "clahe", WINDOW_HU), clahe)


@pytest.mark.parametrize("contrast", ["window", "gray_bands", "lesiongan"])
def test_eight_bits_pass_hu_methods_unchanged(contrast: Contrast) -> None:
    grey = grey_noise()
    np.testing.assert_array_equal(apply_contrast(grey, contrast, WINDOW_HU), grey)


def test_clahe_spreads_a_flat_image_of_eight_bits() -> None:
    dim = (grey_noise(size=64) // 8 + 100).astype(np.uint8)
    assert np.ptp(apply_contrast(dim, "clahe", WINDOW_HU)) > np.ptp(dim)
