"""A hash of what a picture looks like: near duplicates differ in few of its bits.

Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", thesis,
University of Applied Sciences Hagenberg, 2010, section 3.2.1 (DCT based hash).
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE: Final = 32
_BITS: Final = 64


def perceptual_hash(image: NDArray[np.uint8]) -> int:
    """64 bits of uint8 ``[H, W]`` or ``[C, H, W]``, as a signed number.

    The signs, about their median, of the 8 x 8 lowest frequencies but the constant ones; of three
    channels, those of the middle one, the slice itself.
    """
    grey = image if image.ndim == 2 else image[len(image) // 2]
    small: NDArray[Any] = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[1:9, 1:9].ravel()
    below, above = np.sort(low)[_BITS // 2 - 1 : _BITS // 2 + 1]
    middle = (below + above) / 2  # np.median takes twenty times as long
    bits = np.packbits(low > middle)
    unsigned = int.from_bytes(bits.tobytes())
    return unsigned - (1 << _BITS) if unsigned >> (_BITS - 1) else unsigned
