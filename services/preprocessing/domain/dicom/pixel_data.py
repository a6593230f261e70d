"""Where a file's pixels lie, and its frames one after the other, as they are stored.

Source: DICOM PS3.5 7.1 (elements), 8.1 (native), A.4 (encapsulated).
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import generate_frames

from services.preprocessing.domain.dicom import elements
from services.preprocessing.domain.dicom.bounded import Bounded
from services.preprocessing.domain.dicom.frames import MAX_FRAMES
from services.preprocessing.domain.dicom.part10 import Parsed
from services.preprocessing.domain.dicom.pixel_format import PixelFormat
from services.preprocessing.domain.dicom.tags import Tag
from services.preprocessing.domain.png import UnreadableImage

TRUNCATED: Final = "its pixel data are truncated"

_PIXEL_DATA: Final = (0x7FE0, 0x0010)
_UNDEFINED: Final = 0xFFFF_FFFF
#: A fragment is asked for six times.
_MAX_READS: Final = 400_000


@dataclass(frozen=True, slots=True)
class PixelData:
    """The value of a file's Pixel Data: ``content[start:]``, ``size`` bytes; None: until its end.

    An encapsulated value has no size: its fragments say where they end.
    """

    content: bytes
    start: int
    size: int | None
    is_little_endian: bool
    offsets: tuple[bytes, bytes] | None  # of frames, and their lengths


def find_pixels(parsed: Parsed) -> PixelData:
    """Raises UnreadableImage: no pixels, or floating-point ones."""
    content, at = parsed.encoded.content, parsed.pixels_at
    order = "<" if parsed.encoded.is_little_endian else ">"
    try:
        tag = struct.unpack_from(f"{order}HH", content, at)
        # Explicit: VR and two reserved bytes. The standard allows OB and OW only: a long length.
        at += 4 if parsed.is_implicit else 8
        (size,) = struct.unpack_from(f"{order}L", content, at)
    except struct.error:
        raise UnreadableImage("it holds no pixels") from None
    if tag != _PIXEL_DATA:
        raise UnreadableImage("it holds no pixels of whole numbers")
    return PixelData(
        content,
        at + 4,
        None if size == _UNDEFINED else size,
        parsed.encoded.is_little_endian,
        _offsets(parsed),
    )


def native_frames(
    pixels: PixelData, form: PixelFormat, count: int
) -> Iterator[NDArray[np.uint8] | NDArray[np.uint16]]:
    """Cells ``[H, W]`` of each frame, as views of the file.

    Raises UnreadableImage, before the first, where the file does not hold all of them.
    """
    available = len(pixels.content) - pixels.start
    held = available if pixels.size is None else min(available, pixels.size)
    if pixels.size is None or held < form.frame_bytes * count:
        raise UnreadableImage(TRUNCATED)
    if form.bits_allocated == 8 and not pixels.is_little_endian:
        raise UnreadableImage("its 8-bit pixels are in big-endian order, which is not read")
    kind = "u1" if form.bits_allocated == 8 else "<u2" if pixels.is_little_endian else ">u2"
    for number in range(count):
        cells = np.frombuffer(
            pixels.content,
            kind,
            form.rows * form.columns,
            pixels.start + number * form.frame_bytes,
        )
        yield cells.reshape(form.rows, form.columns)


def compressed_frames(pixels: PixelData, count: int) -> Iterator[bytes]:
    """Each frame's bytes, put together of its fragments: at most ``count``, perhaps fewer.

    Raises UnreadableImage; and whatever pydicom raises for fragments that make no sense.
    """
    if pixels.size is not None:
        raise UnreadableImage("its compressed pixels are not in fragments")
    _check_offset_table(pixels)
    reader = Bounded(pixels.content, max_bytes=2 * len(pixels.content), max_reads=_MAX_READS)
    reader.seek(pixels.start)
    frames = generate_frames(reader, number_of_frames=count, extended_offsets=pixels.offsets)
    for _, frame in zip(range(count), frames, strict=False):
        yield frame


def _check_offset_table(pixels: PixelData) -> None:
    """Before pydicom makes a list of it."""
    head = io.BytesIO(pixels.content)
    head.seek(pixels.start + 4)
    size = int.from_bytes(head.read(4), "little")
    if size > 4 * MAX_FRAMES:
        raise UnreadableImage("its table of frames is too long")


def _offsets(parsed: Parsed) -> tuple[bytes, bytes] | None:
    tables = [
        elements.raw(parsed.elements, tag, max_bytes=8 * MAX_FRAMES)
        for tag in (Tag.FRAME_OFFSETS, Tag.FRAME_LENGTHS)
    ]
    if tables[0] is None or tables[1] is None:
        return None
    return tables[0], tables[1]
