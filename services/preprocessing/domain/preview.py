"""The picture behind ``POST /preprocess/preview``: before and after, side by side."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from services.preprocessing.domain.hounsfield import AIR_HU, decode_hu
from services.preprocessing.domain.lesion_crop import CropGeometry, slice_square
from services.preprocessing.domain.pipeline import (
    PreprocessOptions,
    SliceMetadata,
    choose_crop,
    choose_window,
    preprocess_slice,
)
from services.preprocessing.domain.resampling import resample_square
from services.preprocessing.domain.windowing import apply_window

PANEL_PX: Final = 384
_GAP_PX: Final = 8
_WHITE: Final = 255


def before_after(
    values: NDArray[np.uint8] | NDArray[np.uint16],
    metadata: SliceMetadata,
    options: PreprocessOptions,
) -> NDArray[np.uint8]:
    """uint8 ``[384, 776]``: left the whole slice in its window with the cut square outlined, right
    the picture a network sees, enlarged pixel by pixel.
    """
    height, width = values.shape
    whole = slice_square(width, height, metadata.spacing_mm, PANEL_PX)
    before = _whole_slice(values, whole, metadata, options)
    geometry, crop = choose_crop(values.shape, metadata, options)
    if crop == "lesion":
        _outline(before, whole, geometry)
    after = preprocess_slice(values, metadata, options).image
    enlarged = cv2.resize(after, (PANEL_PX, PANEL_PX), interpolation=cv2.INTER_NEAREST)
    gap = np.full((PANEL_PX, _GAP_PX), _WHITE, np.uint8)
    return np.concatenate([before, gap, np.asarray(enlarged, np.uint8)], axis=1)


def _whole_slice(
    values: NDArray[np.uint8] | NDArray[np.uint16],
    whole: CropGeometry,
    metadata: SliceMetadata,
    options: PreprocessOptions,
) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        grey = values.astype(np.uint8, copy=False)
        return np.rint(resample_square(grey, whole.square, PANEL_PX, outside=0)).astype(np.uint8)
    hu = decode_hu(values.astype(np.uint16, copy=False))
    resampled = resample_square(hu, whole.square, PANEL_PX, outside=AIR_HU)
    return apply_window(resampled, choose_window(metadata, options))


def _outline(panel: NDArray[np.uint8], whole: CropGeometry, geometry: CropGeometry) -> None:
    square = geometry.square
    half = square.side / 2
    x1, y1, x2, y2 = whole.to_crop(
        (
            square.centre_x - half,
            square.centre_y - half,
            square.centre_x + half,
            square.centre_y + half,
        )
    )
    cv2.rectangle(panel, (round(x1), round(y1)), (round(x2) - 1, round(y2) - 1), _WHITE, 1)
