"""The DICOM file format: where a file's data set begins, and how that is encoded.

Source: DICOM PS3.10 7.1 (preamble, file meta information) and PS3.5 annex A (transfer syntaxes).
"""

import zlib
from dataclasses import dataclass
from struct import unpack_from
from typing import Final

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from services.preprocessing.domain.dicom.bounded import MAX_HEADER_READS, Bounded
from services.preprocessing.domain.dicom.elements import text
from services.preprocessing.domain.png import UnreadableImage

NOT_DICOM: Final = "it is not a DICOM file"
#: Of what a deflated data set expands to: 128 slices of 512 x 512.
MAX_INFLATED_BYTES: Final = 64 << 20

_TRUNCATED: Final = "its DICOM header is truncated"
_PREFIX: Final = b"DICM"
_PREFIX_OFFSET: Final = 128
_TRANSFER_SYNTAX: Final = 0x0002_0010
#: Pixel Data, and what stands in its place where pixels are floating-point numbers.
_PIXEL_DATA: Final = (0x7FE0_0008, 0x7FE0_0009, 0x7FE0_0010)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A data set's bytes: ``content[start:]``, in the transfer syntax ``syntax``."""

    content: bytes
    start: int
    syntax: UID
    is_implicit: bool
    is_little_endian: bool


@dataclass(frozen=True, slots=True)
class Parsed:
    """The elements that were asked for, and where the pixels' element begins."""

    elements: Dataset
    encoded: Encoded
    #: As found: some files are written in another way than their transfer syntax says.
    is_implicit: bool
    pixels_at: int


def has_prefix(content: bytes) -> bool:
    """Whether the file says that it is DICOM."""
    return content.startswith(_PREFIX, _PREFIX_OFFSET)


def open_file(content: bytes) -> Encoded:
    """Finds a file's data set, inflating a deflated one.

    A file without preamble is taken for DICOM where it begins with group 2 or 8, as old ones do.

    Raises UnreadableImage: no DICOM file, or a deflated data set that is damaged or a bomb.
    Pydicom's own errors are its caller's to catch.
    """
    is_sure = has_prefix(content)
    start = _PREFIX_OFFSET + len(_PREFIX) if is_sure else 0
    if len(content) < start + 8:
        raise UnreadableImage(_TRUNCATED if is_sure else NOT_DICOM)
    if not is_sure and unpack_from("<H", content)[0] not in (0x0002, 0x0008, 0x0800):
        raise UnreadableImage(NOT_DICOM)
    syntax, start = _file_meta(content, start)
    if syntax is None:
        return _guessed(content, start)
    if syntax == DeflatedExplicitVRLittleEndian:
        return _encoded(_inflated(content, start), 0, syntax)
    return _encoded(content, start, syntax)


def parse(encoded: Encoded, tags: list[BaseTag | int]) -> Parsed:
    """Reads the elements ``tags``, up to the pixels. Raises whatever pydicom raises."""
    reader = Bounded(encoded.content, max_reads=MAX_HEADER_READS)
    reader.seek(encoded.start)
    elements = read_dataset(
        reader,
        encoded.is_implicit,
        encoded.is_little_endian,
        stop_when=lambda tag, _vr, _length: tag in _PIXEL_DATA,
        specific_tags=tags,
    )
    return Parsed(elements, encoded, bool(elements.original_encoding[0]), reader.tell())


def _file_meta(content: bytes, start: int) -> tuple[UID | None, int]:
    """The transfer syntax, where one is named, and where the file meta information ends."""
    reader = Bounded(content, max_reads=MAX_HEADER_READS)
    reader.seek(start)
    meta = read_dataset(
        reader,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag >> 16 != 2,
        specific_tags=[_TRANSFER_SYNTAX],
    )
    named = text(meta, _TRANSFER_SYNTAX)
    return (UID(named) if named else None), reader.tell()


def _encoded(content: bytes, start: int, syntax: UID) -> Encoded:
    is_implicit = syntax == ImplicitVRLittleEndian
    return Encoded(content, start, syntax, is_implicit, syntax != ExplicitVRBigEndian)


def _guessed(content: bytes, start: int) -> Encoded:
    """Of a file that does not say: a VR is two capitals; group 8 or 16 says the byte order."""
    if len(content) < start + 8:
        raise UnreadableImage(_TRUNCATED)
    group, _, vr = unpack_from("<HH2s", content, start)
    if not (vr.isalpha() and vr.isupper()):
        return _encoded(content, start, ImplicitVRLittleEndian)
    big = group >= 0x0100
    return _encoded(content, start, ExplicitVRBigEndian if big else ExplicitVRLittleEndian)


def _inflated(content: bytes, start: int) -> bytes:
    """Source: PS3.5 A.5."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = inflate.decompress(memoryview(content)[start:], MAX_INFLATED_BYTES + 1)
    except zlib.error:
        raise UnreadableImage("its deflated data are damaged") from None
    if len(plain) > MAX_INFLATED_BYTES:
        raise UnreadableImage(
            f"its deflated data expand to more than {MAX_INFLATED_BYTES >> 20} MiB"
        )
    if not inflate.eof:
        raise UnreadableImage("its deflated data are truncated")
    return plain
