"""The contrast methods, by name: HU of a whole slice or a crop → uint8.

Images that arrive with 8 bits have had their contrast chosen: ``window``, ``gray_bands`` and
``lesiongan`` pass them unchanged; ``clahe``, which needs no HU, still equalises them.
"""

from typing import Final, Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from services.preprocessing.domain.gray_bands import apply_gray_bands
from services.preprocessing.domain.hounsfield import encode_hu
from services.preprocessing.domain.windowing import WindowHU, apply_window

Contrast = Literal["window", "gray_bands", "clahe", "lesiongan"]

#: Methods that depend on a pixel alone and are monotonic: they may follow the resampling, which
#: then averages densities and not shades. The others need the slice as it was scanned.
POINTWISE: Final[frozenset[Contrast]] = frozenset({"window", "gray_bands"})

_CLAHE_CLIP_LIMIT: Final = 2.0
_CLAHE_TILES: Final = (8, 8)


def apply_contrast(
    values: NDArray[np.int16] | NDArray[np.float32] | NDArray[np.uint8],
    contrast: Contrast,
    window_hu: WindowHU,
) -> NDArray[np.uint8]:
    """``values`` is HU ``[H, W]`` (int16; float32 too for point-wise methods), or uint8 grey."""
    if values.dtype == np.uint8:
        grey = values.astype(np.uint8, copy=False)
        return equalise_locally(grey) if contrast == "clahe" else grey
    hu = cast("NDArray[np.int16]", values)
    if contrast == "clahe":
        return equalise_locally(apply_window(hu, window_hu))
    if contrast == "window":
        return apply_window(hu, window_hu)
    if contrast == "gray_bands":
        return apply_gray_bands(hu)
    return apply_lesiongan(encode_hu(hu))


def apply_lesiongan(stored: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The seed project's method, exactly, to reproduce it: (stored >> 8) · 15 modulo 256.

    ``stored`` is HU + 32768. The shift leaves steps of 256 HU, and the product wraps around:
    use ``gray_bands`` for new work.
    """
    return (stored >> 8).astype(np.uint8) * np.uint8(15)


def equalise_locally(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """CLAHE with clip limit 2 on 8 x 8 tiles of ``[H, W]``.

    Source: Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 1994.
    """
    clahe = cv2.createCLAHE(clipLimit=_CLAHE_CLIP_LIMIT, tileGridSize=_CLAHE_TILES)
    return clahe.apply(grey)  # type: ignore[return-value]  # cv2 types every image alike
