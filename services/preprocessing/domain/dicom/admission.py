"""Which DICOM images are taken in: slices of CT, and grey captures.

Source: DICOM PS3.3 A.3 (CT), A.38 (Enhanced CT), A.70 (Legacy Converted Enhanced CT), A.8
(Secondary Capture); C.8.2.1.1.1 (image type), C.7.6.3.1.2 (photometric interpretation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from services.preprocessing.domain.dicom import elements
from services.preprocessing.domain.dicom.frames import Frame, Rescale, read_frames
from services.preprocessing.domain.dicom.guarding import guarded
from services.preprocessing.domain.dicom.header import Header
from services.preprocessing.domain.dicom.pixel_format import (
    NOT_DESCRIBED,
    PixelFormat,
    read_pixel_format,
)
from services.preprocessing.domain.dicom.tags import Tag
from services.preprocessing.domain.png import UnreadableImage
from services.preprocessing.domain.raw_images import Unit

_CT: Final = frozenset(
    {CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage}
)
_CAPTURES: Final = frozenset(
    {
        SecondaryCaptureImageStorage,
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    }
)
#: A rescale of unspecified unit: what it makes of a value says no more than the value.
_UNSPECIFIED: Final = "US"
#: Pixels whose sides differ by more than this are not square: one spacing cannot describe them.
_SQUARE_TOLERANCE: Final = 0.01
#: CT pixels measure 0.1 to 1.5 mm; beyond these bounds a value has another unit or none.
_SPACING_RANGE_MM: Final = (0.01, 10.0)


@dataclass(frozen=True, slots=True)
class Images:
    """The images of a file, none of them decoded yet."""

    format: PixelFormat
    frames: Sequence[Frame]
    is_capture: bool
    is_ct: bool
    #: The lowest value is shown white. Where values are HU, they are what they are all the same.
    is_inverted: bool

    def unit(self, frame: Frame) -> Unit:
        """``hu16`` where values become HU, ``uint8`` for grey levels of unknown contrast.

        Raises UnreadableImage for anything else.
        """
        if self._is_hounsfield(frame.rescale):
            return "hu16"
        if not self.is_capture:
            raise UnreadableImage("its header does not say how its values become HU")
        if self.format.bits_allocated == 8 and not self.format.is_signed and _is_plain(frame):
            return "uint8"
        raise UnreadableImage("it is a capture of more than 8 bits whose values are not HU")

    def _is_hounsfield(self, rescale: Rescale | None) -> bool:
        if rescale is None or rescale.slope == 0:
            return False
        if rescale.kind is None:  # allowed where it is HU; a capture may be of anything
            return self.is_ct
        return rescale.kind == "HU"


def read_images(header: Header) -> Images:
    """Raises UnreadableImage: no CT slice or grey capture, or one that is malformed."""
    found = header.parsed.elements
    with guarded("its DICOM header is"):
        _refuse_other_kinds(header, found)
        is_capture = header.sop_class in _CAPTURES
        return Images(
            read_pixel_format(found),
            read_frames(found),
            is_capture=is_capture,
            is_ct=not is_capture or elements.text(found, Tag.MODALITY) == "CT",
            is_inverted=elements.text(found, Tag.PHOTOMETRIC) == "MONOCHROME1",
        )


def square_spacing_mm(frame: Frame) -> float | None:
    """The side of a pixel; None where it is not said. Raises UnreadableImage: not square."""
    if not frame.spacing_mm:
        return None
    if len(frame.spacing_mm) != 2:
        raise UnreadableImage("its pixel spacing is malformed")
    between_rows, between_columns = frame.spacing_mm
    lowest, highest = _SPACING_RANGE_MM
    if not all(lowest <= side <= highest for side in (between_rows, between_columns)):
        raise UnreadableImage(f"its pixel spacing is not between {lowest} and {highest:g} mm")
    if abs(between_rows - between_columns) > _SQUARE_TOLERANCE * between_columns:
        raise UnreadableImage("its pixels are not square")
    return between_columns


def _refuse_other_kinds(header: Header, found: Dataset) -> None:
    if header.sop_class not in _CT | _CAPTURES:
        raise UnreadableImage("it is another DICOM object than a CT slice or a grey capture")
    if "LOCALIZER" in elements.texts(found, Tag.IMAGE_TYPE):
        raise UnreadableImage("it is a localizer, not a slice")
    if "YES" in elements.texts(found, Tag.BURNED_IN):
        raise UnreadableImage("text is burned into it, which may identify the patient")
    samples, kind = elements.integer(found, Tag.SAMPLES), elements.text(found, Tag.PHOTOMETRIC)
    if samples is None or kind is None:
        raise UnreadableImage(NOT_DESCRIBED)
    if samples != 1 or kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnreadableImage("it is a colour picture; CT images are grey")
    if elements.items(found, Tag.MODALITY_LUT):
        raise UnreadableImage("its values become HU by a table, which is not read")


def _is_plain(frame: Frame) -> bool:
    """Whether grey levels are as they are stored."""
    rescale = frame.rescale
    return rescale is None or (rescale.is_identity and rescale.kind in (None, _UNSPECIFIED))
