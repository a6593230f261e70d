"""A 16-bit grey PNG put together of stripes of rows, each compressed once, wherever it is used.

Source: W3C, Portable Network Graphics (PNG) Specification, third edition, 2025, sections 5, 9, 10.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SUB = 1
_LAST_BLOCK = b"\x03\x00"
_ZLIB_HEADER = b"\x78\x01"


@dataclass(frozen=True)
class Stripe:
    """Filtered rows, and the same deflated so that nothing refers to what stands before them."""

    height: int
    rows: bytes
    deflated: bytes


def stripe(values: NDArray[np.uint16]) -> Stripe:
    """Rows ``[H, W]``, each byte as its difference to the pixel at its left."""
    pixels = values.astype(">u2").view(np.uint8)
    filtered = np.empty((len(pixels), 1 + pixels.shape[1]), np.uint8)
    filtered[:, 0] = _SUB
    filtered[:, 1:3] = pixels[:, :2]
    filtered[:, 3:] = pixels[:, 2:] - pixels[:, :-2]
    rows = filtered.tobytes()
    packer = zlib.compressobj(1, wbits=-zlib.MAX_WBITS, strategy=zlib.Z_RLE)
    deflated = packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH)
    return Stripe(len(values), rows, deflated)


def png(width: int, stripes: Sequence[Stripe]) -> bytes:
    """The stripes one below the other."""
    header = struct.pack(">IIBBBBB", width, sum(each.height for each in stripes), 16, 0, 0, 0, 0)
    checksum = 1
    for each in stripes:
        checksum = zlib.adler32(each.rows, checksum)
    data = [_ZLIB_HEADER, *(each.deflated for each in stripes), _LAST_BLOCK]
    body = b"".join([*data, struct.pack(">I", checksum)])
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", body), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(piece for chunk in chunks for piece in chunk)


def _chunk(kind: bytes, body: bytes) -> Iterator[bytes]:
    yield struct.pack(">I", len(body)) + kind
    yield body
    yield struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
