"""One augmented copy of one image: geometry, then contrast, blur and noise."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from lesiongan.contracts.augmentation import Interpolation
from services.augmentation.domain.geometry import warp
from services.augmentation.domain.noise import normal_noise
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

    ``random`` gives the noise. Grey levels saturate at 0 and 255, and are rounded once.
    """
    grey = len(image) == 1
    pixels = image[0] if grey else np.ascontiguousarray(image.transpose(1, 2, 0))
    made = _shaded(warp(pixels, series, interpolation), series, random)
    return made[None] if grey else np.ascontiguousarray(made.transpose(2, 0, 1))


def _shaded(
    pixels: npt.NDArray[np.uint8], series: Series, random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Contrast, blur and noise of uint8 [H, W] or [H, W, C].

    Contrast is looked up; where nothing follows it, that is all.
    """
    levels = (np.arange(256) - _MIDDLE_GREY) * series.gain + _MIDDLE_GREY + series.offset_grey
    if not series.blur_sigma_px and not series.noise_sigma_grey:
        return _uint8(cv2.LUT(pixels, np.clip(np.rint(levels), 0, 255).astype(np.uint8)))
    grey: Any = cv2.LUT(pixels, levels.astype(np.float32))
    if series.blur_sigma_px:
        grey = cv2.GaussianBlur(grey, (0, 0), series.blur_sigma_px)
    if not series.noise_sigma_grey:
        return _uint8(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    noise = normal_noise(random, pixels.shape)
    return _uint8(cv2.addWeighted(grey, 1.0, noise, series.noise_sigma_grey, 0.0, dtype=cv2.CV_8U))


def _uint8(image: Any) -> npt.NDArray[np.uint8]:
    """OpenCV says of no image what it holds."""
    return np.asarray(image, dtype=np.uint8)
