"""Stored values to HU, or to grey levels: one table for all values that a cell can hold.

A table takes masks, sign, rescale, padding and rounding out of the loop over pixels, and is exact.

Source: DICOM PS3.5 8.1.1 (bits stored), PS3.3 C.11.1 (rescale), C.7.5.1.1.2 (padding).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.preprocessing.domain.dicom.frames import Rescale
from services.preprocessing.domain.dicom.pixel_format import PixelFormat
from services.preprocessing.domain.hounsfield import AIR_HU, encode_hu

_CELLS: Final = 1 << 16
#: Indices are widened to 64 bits: so many at once are 8 MB.
_PIXELS_AT_ONCE: Final = 1 << 20

#: A value for each of the 65,536 contents of a cell.
Table = NDArray[np.uint16] | NDArray[np.uint8]


def hounsfield_table(pixels: PixelFormat, rescale: Rescale) -> NDArray[np.uint16]:
    """Cell → HU + 32768: rounded to whole HU, cut to -32768 ... 32767. Padding is air."""
    stored = _stored(pixels)
    limits = np.iinfo(np.int16)
    with np.errstate(over="ignore", invalid="ignore"):
        hu = np.rint(stored * rescale.slope + rescale.intercept)
    hu = np.clip(hu, limits.min, limits.max)
    hu[_is_padding(pixels, stored)] = AIR_HU
    return encode_hu(hu.astype(np.int16))


def grey_table(pixels: PixelFormat, *, is_inverted: bool) -> NDArray[np.uint8]:
    """Cell → grey level, 0 black. ``is_inverted``: MONOCHROME1. Padding is black."""
    stored = _stored(pixels)
    white = (1 << pixels.bits_stored) - 1
    grey = white - stored if is_inverted else stored.copy()
    grey[_is_padding(pixels, stored)] = 0
    return grey.astype(np.uint8)


def look_up(table: Table, cells: NDArray[np.uint16] | NDArray[np.uint8]) -> Table:
    """``[H, W]`` of cells → ``[H, W]`` of the table's values."""
    values = np.empty(cells.shape, table.dtype)
    rows = max(1, _PIXELS_AT_ONCE // cells.shape[1])
    for start in range(0, cells.shape[0], rows):
        values[start : start + rows] = table[cells[start : start + rows]]
    return values


def _stored(pixels: PixelFormat) -> NDArray[np.int64]:
    """Cell → stored value: other bits of the cell may hold overlays, or anything."""
    cells = np.arange(_CELLS, dtype=np.int64)
    values = (cells >> (pixels.high_bit + 1 - pixels.bits_stored)) & ((1 << pixels.bits_stored) - 1)
    if pixels.is_signed:
        sign = 1 << (pixels.bits_stored - 1)
        values = (values ^ sign) - sign
    return values


def _is_padding(pixels: PixelFormat, stored: NDArray[np.int64]) -> NDArray[np.bool_]:
    if pixels.padding is None:
        return np.zeros(stored.shape, np.bool_)
    lowest, highest = pixels.padding
    return (lowest <= stored) & (stored <= highest)
