"""A DICOM file reduced to what its picture needs, before anything stores it.

Who was scanned, where and when is dropped, whatever element says it: an element is kept only if it
is listed here. Source: DICOM PS3.6, chapter 6; PS3.10, 7.1.
"""

import io
import logging
import warnings
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from shared.errors import BadInput, TooLarge

_PREFIX: Final = b"DICM"
_PREFIX_OFFSET: Final = 128
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


def stripped(content: bytes, *, max_pixels: int) -> bytes:
    """The file with the elements :data:`KEPT` alone; its pixels stay as they are encoded.

    Raises :class:`BadInput` for what cannot be read or has no picture, and :class:`TooLarge` for
    one of more than ``max_pixels``. What pydicom raises may quote the file, and is not passed on.
    """
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(action="ignore"):
            return _rewritten(content, max_pixels)
    except (BadInput, TooLarge):
        raise
    except Exception:  # noqa: BLE001 - whatever a damaged file leads to, it means the same
        raise BadInput("the DICOM file is damaged") from None
    finally:
        logger.setLevel(level)


def _rewritten(content: bytes, max_pixels: int) -> bytes:
    found = dcmread(_Counted(content), specific_tags=list(KEPT))
    syntax = found.file_meta.TransferSyntaxUID
    if syntax == DeflatedExplicitVRLittleEndian:
        raise BadInput("the DICOM file is deflated as a whole: send it in another transfer syntax")
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
