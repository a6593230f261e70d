"""Golden images: each contrast and crop, looked at once and compared by hash since.

The inputs are made of integers alone, so that they are the same on every machine.
"""

import hashlib
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from services.preprocessing.domain.contrast import Contrast
from services.preprocessing.domain.hounsfield import decode_hu, encode_hu
from services.preprocessing.domain.lesion_crop import Crop
from services.preprocessing.domain.pipeline import (
    PreprocessOptions,
    SliceMetadata,
    preprocess_slice,
    preprocess_stack,
)

SIDE = 192
LESION = SliceMetadata(spacing_mm=0.8, box_px=(104, 60, 132, 84), window_hu=(-175, 275))


def ellipse(x: int, y: int, half_width: int, half_height: int) -> NDArray[np.bool_]:
    """[SIDE, SIDE]: inside an ellipse around (x, y)."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    across, down = (columns - x) * half_height, (rows - y) * half_width
    return np.asarray(across**2 + down**2 < (half_width * half_height) ** 2)


def body(lesion_px: int = 14) -> NDArray[np.uint16]:
    """A body of fat with a liver, a lung, a spine, speckle, and a lesion in the liver."""
    hu = np.full((SIDE, SIDE), -1000, np.int16)
    for shape, value in (
        (ellipse(96, 96, 88, 66), -90),
        (ellipse(118, 84, 50, 40), 105),
        (ellipse(48, 88, 26, 40), -820),
        (ellipse(96, 142, 14, 12), 700),
        (ellipse(118, 72, lesion_px, lesion_px * 6 // 7), 45),
    ):
        hu[shape] = value
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    speckle = (rows * 7919 + columns * 104729 + rows * columns * 31) % 41 - 20
    hu[hu > -1000] += speckle.astype(np.int16)[hu > -1000]
    return encode_hu(hu)


def grey() -> NDArray[np.uint8]:
    """The body as a picture of 8 bits."""
    hu = np.clip(decode_hu(body()).astype(int), -175, 275)
    return np.asarray((hu + 175) * 255 // 450, np.uint8)


#: A dark lesion in the liver at the centre of each crop, which the seed's method does not show; the
#: whole body on each slice.
GOLDEN: dict[tuple[Contrast, Crop], str] = {
    ("window", "lesion"): "cdbcf0d65f1ce1fd",
    ("window", "slice"): "831be38adb132d24",
    ("gray_bands", "lesion"): "ae4c9ad7c55c7790",
    ("gray_bands", "slice"): "7a3f6a958869e83e",
    ("clahe", "lesion"): "17522a1dacabcb57",
    ("clahe", "slice"): "7d1e9383804af7a6",
    ("lesiongan", "lesion"): "0e3e0ec488ecfe07",
    ("lesiongan", "slice"): "d6d811bb2389200c",
}
GOLDEN_GREY: dict[tuple[Contrast, Crop], str] = {
    ("window", "lesion"): "173fdcd2c55de127",
    ("window", "slice"): "7c6a5772086a072d",
    ("clahe", "lesion"): "0e75cbf50693c4e0",
    ("clahe", "slice"): "f70e729bc9f9c39b",
}
GOLDEN_STACK = "e7da08a104090be8"


def digest(image: NDArray[np.uint8]) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(("contrast", "crop"), list(GOLDEN))
def test_slices(contrast: Contrast, crop: Crop) -> None:
    options = PreprocessOptions(contrast=contrast, crop=crop)
    assert digest(preprocess_slice(body(), LESION, options).image) == GOLDEN[contrast, crop]


@pytest.mark.parametrize(("contrast", "crop"), list(GOLDEN_GREY))
def test_pictures_of_eight_bits(contrast: Contrast, crop: Crop) -> None:
    options = PreprocessOptions(contrast=contrast, crop=crop)
    assert digest(preprocess_slice(grey(), LESION, options).image) == GOLDEN_GREY[contrast, crop]


def test_a_slice_between_its_neighbours() -> None:
    slices = [body(lesion_px) for lesion_px in (7, 14, 10)]
    stack = preprocess_stack(slices, LESION, PreprocessOptions())
    assert digest(stack.image) == GOLDEN_STACK


def test_every_contrast_and_crop_has_one() -> None:
    assert set(GOLDEN) == set(
        product(("window", "gray_bands", "clahe", "lesiongan"), ("lesion", "slice"))
    )
