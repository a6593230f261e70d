"""What a compressed frame says of itself, read before anything is decompressed.

Source: ITU-T T.81 B.2.2 (JPEG), T.87 C.2.2 (JPEG-LS), T.800 A.5.1 (JPEG 2000).
"""

import struct
from dataclasses import dataclass
from struct import unpack_from
from typing import Final

from services.preprocessing.domain.png import UnreadableImage

_JPEG: Final = b"\xff\xd8"
_JPEG_2000: Final = b"\xff\x4f\xff\x51"
#: JPEG 2000 in a box file, which DICOM does not allow and some write: its codestream comes soon.
_BOXES: Final = b"\x00\x00\x00\x0cjP  "
_BOXES_SEARCHED_BYTES: Final = 4096
#: Start of frame: all but DHT, JPG and DAC of 0xC0 ... 0xCF, and JPEG-LS's.
_START_OF_FRAME: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC} | {0xF7})
#: Segments before the frame's own: a handful, in all that is written.
_MAX_SEGMENTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Size:
    """Of the picture inside. ``bits`` of a value, as far as it matters: 0 where it is not read."""

    rows: int
    columns: int
    components: int
    bits: int = 0


def size_of(frame: bytes) -> Size:
    """Raises UnreadableImage: neither JPEG, JPEG-LS nor JPEG 2000, or damaged at its beginning."""
    try:
        if frame.startswith(_JPEG):
            return _jpeg_size(frame)
        if frame.startswith(_JPEG_2000):
            return _jpeg_2000_size(frame, 0)
        if frame.startswith(_BOXES):
            start = frame.find(_JPEG_2000, 0, _BOXES_SEARCHED_BYTES)
            if start > 0:
                return _jpeg_2000_size(frame, start)
    except struct.error:
        raise UnreadableImage("its compressed pixels are truncated") from None
    raise UnreadableImage("its compressed pixels are not what its transfer syntax says")


def _jpeg_size(frame: bytes) -> Size:
    at = len(_JPEG)
    for _ in range(_MAX_SEGMENTS):
        mark, kind, length = unpack_from(">BBH", frame, at)
        if mark != 0xFF:
            break
        if kind == 0xFF:  # padding before a marker
            at += 1
        elif kind in _START_OF_FRAME:
            bits, rows, columns, components = unpack_from(">BHHB", frame, at + 4)
            return Size(rows, columns, components, bits)
        else:
            at += 2 + length
    raise UnreadableImage("its compressed pixels are damaged")


def _jpeg_2000_size(frame: bytes, start: int) -> Size:
    # After both markers: length, capabilities, the grid's size, the image's offset on it; the
    # tiles' size and offset; components.
    right, bottom, left, top = unpack_from(">4L", frame, start + 8)
    (components,) = unpack_from(">H", frame, start + 40)
    return Size(bottom - top, right - left, components)
