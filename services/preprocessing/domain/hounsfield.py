"""Hounsfield units in 16-bit grey images.

DeepLesion stores HU + 32768 as unsigned 16-bit PNG (Yan et al. 2018, the data set's README).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: HU = value - HU_OFFSET.
HU_OFFSET: Final = 32768
AIR_HU: Final = -1024

#: Why :func:`is_plausible` said no: a clause for a report.
NOT_HOUNSFIELD: Final = "its 16-bit values are not HU + 32768: no pixel is denser than air"


def decode_hu(values: NDArray[np.uint16]) -> NDArray[np.int16]:
    """Stored values → HU, exact for all 65,536 values. Any shape."""
    return (values ^ np.uint16(HU_OFFSET)).view(np.int16)


def encode_hu(hu: NDArray[np.int16]) -> NDArray[np.uint16]:
    """HU → stored values; the inverse of :func:`decode_hu`."""
    return hu.view(np.uint16) ^ np.uint16(HU_OFFSET)


def is_plausible(values: NDArray[np.uint8] | NDArray[np.uint16]) -> bool:
    """False for 16-bit images in another convention: nothing in them reaches the value of air.

    Scaled 12-bit images, or HU + 1024, lie wholly below it; taken as HU + 32768 they would come
    out uniformly black.
    """
    return values.dtype == np.uint8 or int(values.max()) > HU_OFFSET + AIR_HU
