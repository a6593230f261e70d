"""The head of a PNG: how large an image is, before anything decodes it.

Source: PNG specification (W3C, third edition), 5.2 and 11.2.1.
"""

import struct
from dataclasses import dataclass

from shared.errors import BadInput

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LENGTH = len(_SIGNATURE) + 4 + 4 + 8


@dataclass(frozen=True)
class PngHeader:
    """``width`` and ``height`` in pixels."""

    width: int
    height: int


def read_header(data: bytes) -> PngHeader:
    """The size that a PNG states; raises :class:`BadInput` for anything else."""
    if len(data) < _LENGTH or not data.startswith(_SIGNATURE) or data[12:16] != b"IHDR":
        raise BadInput("the image is not a PNG")
    width, height = struct.unpack(">II", data[16:24])
    if not width or not height:
        raise BadInput("the PNG states a size of zero")
    return PngHeader(width, height)
