"""How pixels are stored in a DICOM file.

Source: DICOM PS3.3 C.7.6.3 (Image Pixel), C.7.5.1.1.2 (padding); PS3.5 8.1.1 (bits).
"""

from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from services.preprocessing.domain.dicom import elements
from services.preprocessing.domain.dicom.tags import Tag
from services.preprocessing.domain.png import UnreadableImage

NOT_DESCRIBED: Final = "its header does not say how its pixels are stored"

#: The largest CT matrix is 2,048 x 2,048. Four times that is 34 MB of 16-bit pixels, of which a
#: decoder holds several copies: of the 50 megapixels that a PNG may have it would hold too much.
MAX_PIXELS: Final = 4096 * 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """``bits_stored`` bits, the highest of them bit ``high_bit`` of a cell of 8 or 16 bits."""

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    #: The lowest and the highest stored value that stand for no pixel.
    padding: tuple[int, int] | None

    @property
    def frame_bytes(self) -> int:
        """Of one frame, not compressed."""
        return self.rows * self.columns * self.bits_allocated // 8


def read_pixel_format(found: Dataset) -> PixelFormat:
    """Raises UnreadableImage: a size or bits that are missing, impossible or too large."""
    rows, columns = _required(found, Tag.ROWS), _required(found, Tag.COLUMNS)
    _check_size(rows, columns)
    allocated, stored = _required(found, Tag.BITS_ALLOCATED), _required(found, Tag.BITS_STORED)
    high = elements.integer(found, Tag.HIGH_BIT)
    high = stored - 1 if high is None else high
    if allocated not in (8, 16):
        raise UnreadableImage(f"its pixels have {allocated} bits; 8 and 16 are read")
    if not 0 < stored <= high + 1 <= allocated:
        raise UnreadableImage("its header says something impossible of its bits")
    is_signed = _required(found, Tag.REPRESENTATION) == 1
    return PixelFormat(
        rows=rows,
        columns=columns,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high,
        is_signed=is_signed,
        padding=_padding(found, is_signed=is_signed),
    )


def _check_size(rows: int, columns: int) -> None:
    if not (rows > 0 and columns > 0):
        raise UnreadableImage("the image has no size")
    if rows * columns > MAX_PIXELS:
        raise UnreadableImage(
            f"the image is too large: {columns} x {rows} pixels; the limit is "
            f"{MAX_PIXELS / 1e6:.1f} megapixels"
        )


def _required(found: Dataset, tag: Tag) -> int:
    value = elements.integer(found, tag)
    if value is None:
        raise UnreadableImage(NOT_DESCRIBED)
    return value


def _padding(found: Dataset, *, is_signed: bool) -> tuple[int, int] | None:
    """A value, or a range. It is often written as if of the other sign: its 16 bits count."""
    ends = []
    for tag in (Tag.PADDING, Tag.PADDING_LIMIT):
        end = elements.integer(found, tag)
        if end is not None:
            bits = end & 0xFFFF
            ends.append(bits - 0x10000 if is_signed and bits >= 0x8000 else bits)
    return (min(ends), max(ends)) if ends else None
