"""Images of the GAN as PNGs."""

import numpy as np
import numpy.typing as npt

from shared.datasets.contact_sheet import encode_png


def png(image: npt.NDArray[np.uint8]) -> bytes:
    """A PNG of uint8 [C, H, W], C = 1 or 3 (RGB)."""
    channels_last = image.transpose(1, 2, 0)[..., ::-1]
    return encode_png(np.ascontiguousarray(channels_last), compression=1)
