"""PNG images: read the header, drop metadata, decode grey. Nothing is decoded unchecked.

Source: W3C, Portable Network Graphics (PNG) Specification, third edition, 2025, sections 5 and 11.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.errors import BadInput

#: Larger than any CT slice, and 100 MB of 16-bit pixels once decoded.
MAX_PIXELS: Final = 50_000_000
#: Grey stored as colour takes up to four times as much until it is grey again.
MAX_DECODED_BYTES: Final = 2 * MAX_PIXELS
_CHANNELS_OF_COLOUR_TYPE: Final = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_IHDR_BYTES: Final = 13
#: Chunks that carry pixels. All others (text, EXIF, time, gamma, profiles) are dropped: they may
#: identify a patient, and none may change a pixel value.
_PIXEL_CHUNKS: Final = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_DEPTHS_OF_COLOUR_TYPE: Final = {
    0: {1, 2, 4, 8, 16},
    2: {8, 16},
    3: {1, 2, 4, 8},
    4: {8, 16},
    6: {8, 16},
}
_GREY: Final = 0


class UnreadableImage(BadInput):
    """One image cannot be read. ``detail`` is a clause: "the PNG is truncated"."""


@dataclass(frozen=True, slots=True)
class PngHeader:
    """The IHDR chunk. ``bit_depth`` is bits a channel; ``colour_type`` is the standard's code."""

    width: int
    height: int
    bit_depth: int
    colour_type: int
    interlaced: bool = False

    @property
    def is_plain_grey(self) -> bool:
        """8- or 16-bit grey without alpha: stored pixels are the values themselves."""
        return self.colour_type == _GREY and self.bit_depth in (8, 16)


@dataclass(frozen=True, slots=True)
class GreyImage:
    """A checked grey image: ``png`` holds pixels only, ``values`` is uint8 or uint16 ``[H, W]``."""

    png: bytes
    values: NDArray[np.uint8] | NDArray[np.uint16]

    @property
    def bit_depth(self) -> int:
        return self.values.dtype.itemsize * 8


def read_header(png: bytes) -> PngHeader:
    """Reads the first 33 bytes, without decoding.

    Raises UnreadableImage: not a PNG, a header that the standard does not allow, or more than 50
    megapixels.
    """
    if not png.startswith(_SIGNATURE):
        raise UnreadableImage("it is not a PNG image")
    kind, body = next(_chunks(png), (b"", b""))
    if kind != b"IHDR" or len(body) != _IHDR_BYTES:
        raise UnreadableImage("the PNG does not begin with a header")
    width, height, bit_depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", body)
    if not (0 < width < 2**31 and 0 < height < 2**31):
        raise UnreadableImage("the PNG has an impossible size")
    if bit_depth not in _DEPTHS_OF_COLOUR_TYPE.get(colour_type, ()):
        raise UnreadableImage("the PNG has an impossible colour type or bit depth")
    if width * height > MAX_PIXELS:
        raise UnreadableImage(
            f"the image is too large: {width} x {height} pixels; the limit is "
            f"{MAX_PIXELS // 1_000_000} megapixels"
        )
    decoded_bytes = width * height * _CHANNELS_OF_COLOUR_TYPE[colour_type] * max(bit_depth // 8, 1)
    if decoded_bytes > MAX_DECODED_BYTES:
        raise UnreadableImage(
            f"the image is too large: {width} x {height} pixels of colour; send it as grey"
        )
    return PngHeader(width, height, bit_depth, colour_type, interlaced=interlace != 0)


def strip_metadata(png: bytes) -> bytes:
    """The same image without any chunk but its pixels; compressed pixel data stay byte for byte.

    Every checksum is verified on the way. Raises UnreadableImage.
    """
    read_header(png)
    kept = [_SIGNATURE]
    kinds = []
    for kind, body in _chunks(png):
        if kind in _PIXEL_CHUNKS:
            kinds.append(kind)
            kept.append(_chunk(kind, body))
    if b"IDAT" not in kinds or kinds[-1] != b"IEND":
        raise UnreadableImage("the PNG is truncated")
    return b"".join(kept)


def decode_grey(png: bytes) -> GreyImage:
    """Decodes a grey PNG; pixel values stay exact.

    8- and 16-bit grey keep their compressed bytes. Grey stored as colour (equal channels, opaque)
    or with 1, 2 or 4 bits is encoded anew as plain grey. A grey level that ``tRNS`` calls
    transparent is a value like any other.

    Raises UnreadableImage: damaged or truncated, a real colour picture, one whose alpha channel is
    not opaque, or more than 50 megapixels.
    """
    header = read_header(png)
    stripped = strip_metadata(png)
    values = _decode(stripped)
    if header.is_plain_grey:
        return GreyImage(stripped, values)
    grey = _grey_of(values)
    return GreyImage(encode_grey(grey), grey)


def decode_checked(png: bytes) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Values ``[H, W]`` of a PNG that :func:`decode_grey` made, or checked, before it was stored.

    Raises UnreadableImage where it was damaged since.
    """
    return _decode(png)


def decode_rows(png: bytes, rows: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """The first ``rows`` of what :func:`decode_checked` answers; the rest is not inflated.

    Its checksums are verified all the same, so that damage anywhere is found. Raises
    UnreadableImage.
    """
    header = read_header(png)
    if rows >= header.height or not header.is_plain_grey or header.interlaced:
        return _decode(png)
    chunks = list(_chunks(png))
    if chunks[-1][0] != b"IEND":
        raise UnreadableImage("the PNG is truncated")
    packed = b"".join(body for kind, body in chunks if kind == b"IDAT")
    mode, stored = ("L", "L") if header.bit_depth == 8 else ("I;16", "I;16B")
    try:
        # Pillow's decoder stops where its picture is full; OpenCV's has no way to.
        top = Image.frombytes(mode, (header.width, max(rows, 1)), packed, "zip", stored)
    except (OSError, ValueError) as error:
        raise UnreadableImage("the PNG's pixel data are damaged") from error
    return np.asarray(top)


def encode_grey(values: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """``[H, W]`` uint8 or uint16 as PNG."""
    return cv2.imencode(".png", values)[1].tobytes()


def _decode(png: bytes) -> NDArray[np.uint8] | NDArray[np.uint16]:
    try:
        values = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise UnreadableImage("the PNG cannot be decoded") from error
    if values is None:
        raise UnreadableImage("the PNG's pixel data are damaged")
    return cast("NDArray[np.uint8] | NDArray[np.uint16]", values)


def _grey_of(
    values: NDArray[np.uint8] | NDArray[np.uint16],
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    if values.ndim == 2:
        return values
    if values.shape[2] == 4 and values[..., 3].min() != np.iinfo(values.dtype).max:
        raise UnreadableImage("it is a transparent picture; CT images are opaque and grey")
    grey = values[..., 0]
    if not all(np.array_equal(grey, values[..., channel]) for channel in (1, 2)):
        raise UnreadableImage("it is a colour picture; CT images are grey")
    return grey.copy()


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(kind, body) up to and with IEND; what follows IEND is not read."""
    position = len(_SIGNATURE)
    while position < len(png):
        if position + 12 > len(png):
            raise UnreadableImage("the PNG is truncated")
        length, kind = struct.unpack_from(">I4s", png, position)
        end = position + 8 + length
        if end + 4 > len(png):
            raise UnreadableImage("the PNG is truncated")
        body = png[position + 8 : end]
        if zlib.crc32(body, zlib.crc32(kind)) != struct.unpack_from(">I", png, end)[0]:
            raise UnreadableImage("the PNG is damaged: a checksum does not match")
        yield kind, body
        if kind == b"IEND":
            return
        position = end + 4


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)
