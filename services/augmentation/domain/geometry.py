"""Rotation, scale, shift, shear, trim and flip as one matrix, so that pixels are resampled once."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from lesiongan.contracts.augmentation import Interpolation
from services.augmentation.domain.series import Series

_METHODS = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def matrix(series: Series, side_px: int) -> npt.NDArray[np.float64]:
    """The affine map [2, 3] from input to output pixel centres, about the image's middle.

    Mirrored, sheared, turned, scaled and moved, in this order. Written out, since products of small
    arrays cost more than the resampling that they are for.
    """
    angle = math.radians(series.rotation_degrees)
    cosine, sine = math.cos(angle), math.sin(angle)
    slope = math.tan(math.radians(series.shear_degrees))
    size = series.scale / (1.0 - series.trim)
    mirror = -size if series.flip else size
    xx, xy = cosine * mirror, (cosine * slope - sine) * size
    yx, yy = sine * mirror, (sine * slope + cosine) * size
    middle = (side_px - 1) / 2
    x = middle + series.shift_x * side_px - (xx + xy) * middle
    y = middle + series.shift_y * side_px - (yx + yy) * middle
    return np.array([[xx, xy, x], [yx, yy, y]])


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
