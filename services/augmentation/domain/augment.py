"""One augmented copy of one image: geometry, then contrast, blur and noise."""

import cv2
import numpy as np
import numpy.typing as npt

from lesiongan.contracts.augmentation import Interpolation
from services.augmentation.domain.geometry import warp
from services.augmentation.domain.series import Series

_MIDDLE_GREY = 127.5


def augment(
    image: npt.NDArray[np.uint8],
    series: Series,
    random: np.random.Generator,
    *,
    interpolation: Interpolation = "nearest",
) -> npt.NDArray[np.uint8]:
    """A copy of ``image`` (uint8 [C, H, W], H = W) that went through ``series``.

    ``random`` gives the noise. Grey levels saturate at 0 and 255.
    """
    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
    warped = warp(pixels, series, interpolation).astype(np.float32)
    grey = (warped - _MIDDLE_GREY) * series.gain + _MIDDLE_GREY + series.offset_grey
    if series.blur_sigma_px > 0:
        blurred = cv2.GaussianBlur(grey, (0, 0), series.blur_sigma_px)
        grey = np.asarray(blurred, dtype=np.float32).reshape(pixels.shape)
    if series.noise_sigma_grey > 0:
        noise = random.standard_normal(grey.shape, dtype=np.float32)
        grey = grey + series.noise_sigma_grey * noise
    saturated = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(saturated.transpose(2, 0, 1))
