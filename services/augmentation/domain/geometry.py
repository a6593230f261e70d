"""Rotation, scale, shift, shear, trim and flip as one matrix, so that pixels are resampled once."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from lesiongan.contracts.augmentation import Interpolation
from services.augmentation.domain.series import Series

_METHODS = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def matrix(series: Series, side_px: int) -> npt.NDArray[np.float64]:
    """The affine map [2, 3] from input to output pixel centres, about the image's middle."""
    angle = math.radians(series.rotation_degrees)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shear = np.array([[1.0, math.tan(math.radians(series.shear_degrees))], [0.0, 1.0]])
    mirror = np.diag([-1.0 if series.flip else 1.0, 1.0])
    linear = turn @ shear @ mirror * (series.scale / (1.0 - series.trim))
    middle = np.full(2, (side_px - 1) / 2)
    shift = np.array([series.shift_x, series.shift_y]) * side_px
    return np.column_stack([linear, middle + shift - linear @ middle])


def warp(
    image: npt.NDArray[np.uint8], series: Series, interpolation: Interpolation
) -> npt.NDArray[np.uint8]:
    """``image`` uint8 [H, W] or [H, W, C], square; what lies beyond its edge is mirrored."""
    side = image.shape[0]
    warped = cv2.warpAffine(
        image,
        matrix(series, side),
        (side, side),
        flags=_METHODS[interpolation],
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(warped, dtype=np.uint8).reshape(image.shape)
