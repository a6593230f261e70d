"""The before/after picture."""

import numpy as np
import pytest

from services.preprocessing.domain.hounsfield import encode_hu
from services.preprocessing.domain.pipeline import (
    PreprocessOptions,
    SliceMetadata,
    preprocess_slice,
)
from services.preprocessing.domain.preview import PANEL_PX, before_after
from tests.unit.preprocessing.builders import grey_noise

FLAT = encode_hu(np.full((100, 100), 50, np.int16))
LESION = SliceMetadata(spacing_mm=0.8, box_px=(30, 40, 50, 60), window_hu=(-175, 275))


def test_before_shows_the_cut_and_after_what_a_network_sees() -> None:
    picture = before_after(FLAT, LESION, PreprocessOptions(size=96))
    assert picture.shape == (PANEL_PX, 2 * PANEL_PX + 8)
    before, after = picture[:, :PANEL_PX], picture[:, -PANEL_PX:]
    ys, xs = np.nonzero(before == 255)
    scale = PANEL_PX / 100
    assert (xs.min(), xs.max() + 1) == pytest.approx((0, 80 * scale), abs=1)
    assert (ys.min(), ys.max() + 1) == pytest.approx((10 * scale, 90 * scale), abs=1)
    assert (before[before != 255] == 128).all()
    image = preprocess_slice(FLAT, LESION, PreprocessOptions(size=96)).image
    np.testing.assert_array_equal(after, np.kron(image, np.ones((4, 4), np.uint8)))


def test_eight_bits_are_shown_as_they_are() -> None:
    grey = grey_noise(size=PANEL_PX)
    picture = before_after(grey, SliceMetadata(), PreprocessOptions(size=PANEL_PX))
    np.testing.assert_array_equal(picture[:, :PANEL_PX], grey)
    np.testing.assert_array_equal(picture[:, -PANEL_PX:], grey)
