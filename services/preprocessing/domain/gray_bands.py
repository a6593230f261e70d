"""Contrast ``gray_bands``: one picture that shows lung, soft tissue and bone at once.

The seed of this project separated neighbouring shades of grey by multiplying 8-bit values by 15,
modulo 256: far tissues then share a shade and a smooth ramp becomes stripes. This keeps the idea
and drops the fault. The HU scale is cut at borders between tissues; each band gets the same share
of the output, so narrow but clinically dense bands (unenhanced parenchyma: 60 HU) are stretched
and wide ones (cortical bone: 1,100 HU) are compressed. The map is piecewise linear, continuous,
increasing and saturating: a shade names one tissue density, and no value wraps around.

The borders are our choice, between the usual ranges: lung -950 to -500, fat -100 to -50, water 0,
parenchyma and blood 20 to 80, compact bone from 400 HU (Prokop and Galanski, Spiral and Multislice
Computed Tomography of the Body, Thieme, 2003).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

#: HU where bands meet. Band k of seven takes grey 255·k/7 to 255·(k+1)/7. From fluid to enhanced
#: parenchyma (-30 to 150 HU) a shade spans 1.4 to 1.9 HU; in an abdomen window of width 400, 1.6.
BAND_BORDERS_HU: Final = (
    -1000.0,  # air
    -200.0,  # lung ends; fat begins
    -30.0,  # fat ends; water and fluid
    20.0,  # fluid ends; unenhanced parenchyma, muscle
    80.0,  # unenhanced tissue ends; enhanced parenchyma, fresh blood
    150.0,  # parenchyma ends; enhanced vessels, cancellous bone
    400.0,  # cancellous bone ends; cortical bone
    1500.0,  # dense cortical bone, metal
)


def apply_gray_bands(hu: NDArray[np.int16] | NDArray[np.float32]) -> NDArray[np.uint8]:
    """HU of any shape → uint8, rounded to nearest, halves to even."""
    shades = np.linspace(0.0, 255.0, len(BAND_BORDERS_HU))
    grey: NDArray[np.float64] = np.rint(np.interp(hu, BAND_BORDERS_HU, shades))
    return grey.astype(np.uint8)
