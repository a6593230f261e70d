"""A DICOM file reduced to what its picture needs, before anything stores it.

Who was scanned, where and when is dropped, whatever element says it: an element is kept only if it
is listed here. Source: DICOM PS3.6, chapter 6; PS3.10, 7.1.
"""

import io
import logging
import warnings
import zlib
from typing import Final

from pydicom import dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from shared.errors import BadInput, TooLarge

_PREFIX: Final = b"DICM"
_PREFIX_OFFSET: Final = 128
_META_GROUP: Final = 0x0002
#: pydicom asks once or twice for an element; a CT slice has a hundred or so.
_MAX_READS: Final = 100_000
#: In place of the file's own.
_NO_INSTANCE: Final = UID("2.25.0")
KEPT: Final = (
    "ImageType",
    "SOPClassUID",
    "Modality",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "BurnedInAnnotation",
    "WindowCenter",
    "WindowWidth",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "ModalityLUTSequence",
    "PixelMeasuresSequence",
    "FrameVOILUTSequence",
    "PixelValueTransformationSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "PixelData",
)
_TAGS: Final = [tag for tag in map(tag_for_keyword, KEPT) if tag is not None]


class _Counted(io.BytesIO):
    """Refuses a header that never ends."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > _MAX_READS:
            raise ValueError("too many elements")
        return super().read(size)


def is_dicom(content: bytes | bytearray) -> bool:
    """Whether the file says that it is DICOM."""
    return content.startswith(_PREFIX, _PREFIX_OFFSET)


def stripped(content: bytes, *, max_pixels: int, max_bytes: int) -> bytes:
    """The file with the elements :data:`KEPT` alone; its pixels stay as they are encoded.

    One that is deflated as a whole becomes a plain one, of at most ``max_bytes``.

    Raises :class:`BadInput` for what cannot be read or has no picture, and :class:`TooLarge` for
    one of more than ``max_pixels`` or ``max_bytes``. What pydicom raises may quote the file, and is
    not passed on.
    """
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(action="ignore"):
            return _rewritten(*_opened(content, max_bytes), max_pixels)
    except (BadInput, TooLarge):
        raise
    except Exception:  # noqa: BLE001 - whatever a damaged file leads to, it means the same
        raise BadInput("the DICOM file is damaged") from None
    finally:
        logger.setLevel(level)


def _opened(content: bytes, max_bytes: int) -> tuple[Dataset, UID]:
    """What may pass of the file's elements, and the transfer syntax that they are left in."""
    reader = _Counted(content)
    reader.seek(_PREFIX_OFFSET + len(_PREFIX))
    meta = read_dataset(
        reader,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag >> 16 != _META_GROUP,
    )
    if meta.TransferSyntaxUID != DeflatedExplicitVRLittleEndian:
        return dcmread(_Counted(content), specific_tags=list(KEPT)), meta.TransferSyntaxUID
    plain = _Counted(_inflated(content[reader.tell() :], max_bytes))
    # pydicom's dcmread would inflate whatever there is.
    found = read_dataset(plain, is_implicit_VR=False, is_little_endian=True, specific_tags=_TAGS)
    return found, ExplicitVRLittleEndian


def _inflated(deflated: bytes, max_bytes: int) -> bytes:
    """Source: PS3.5 A.5."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = inflate.decompress(deflated, max_bytes + 1)
    if len(plain) > max_bytes:
        raise TooLarge(f"the DICOM file is deflated, and expands to more than {max_bytes} bytes")
    if not inflate.eof:
        raise ValueError("truncated")
    return plain


def _rewritten(found: Dataset, syntax: UID, max_pixels: int) -> bytes:
    if "PixelData" not in found or not found.get("Rows") or not found.get("Columns"):
        raise BadInput("the DICOM file has no picture")
    width, height = int(found.Columns), int(found.Rows)
    if width * height > max_pixels:
        size = f"{width}x{height}"
        raise TooLarge(f"the image is {size} px, and at most {max_pixels} pixels are taken")
    made = _kept(found)
    made.SOPInstanceUID = _NO_INSTANCE
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    sink = io.BytesIO()
    dcmwrite(sink, made, enforce_file_format=True)
    return sink.getvalue()


def _kept(found: Dataset) -> Dataset:
    """Sequences are gone through: their items may name things too."""
    made = Dataset()
    for element in found:
        if element.keyword not in KEPT:
            continue
        if element.VR == "SQ":
            setattr(made, element.keyword, [_kept(item) for item in element.value])
        else:
            made.add(element)
    return made
