"""Which object a DICOM file is, and whose.

UIDs and the patient serve to find out what belongs together while a source is read. They are
stored nowhere: the patient becomes a pseudonym, UIDs are forgotten.
"""

from dataclasses import dataclass

from pydicom.dataset import Dataset

from services.preprocessing.domain.dicom import elements
from services.preprocessing.domain.dicom.guarding import guarded
from services.preprocessing.domain.dicom.part10 import (
    NOT_DICOM,
    Parsed,
    has_prefix,
    open_file,
    parse,
)
from services.preprocessing.domain.dicom.tags import Tag
from services.preprocessing.domain.png import UnreadableImage


@dataclass(frozen=True, slots=True)
class Header:
    """A file whose header was parsed. ``sop_class``: the UID of its kind; blank in a DICOMDIR."""

    sop_class: str
    sop_instance: str | None
    patient: str | None
    parsed: Parsed


def read_header(content: bytes) -> Header:
    """Parses all but the pixels; nothing but the elements of :class:`Tag` is kept.

    Raises UnreadableImage: no DICOM file, or a header that is damaged, truncated or too long.
    """
    with guarded("its DICOM header is"):
        parsed = parse(open_file(content), list(Tag))
        sop_class = elements.text(parsed.elements, Tag.SOP_CLASS)
        if sop_class is None and not has_prefix(content):
            raise UnreadableImage(NOT_DICOM)
        return Header(
            sop_class or "",
            elements.text(parsed.elements, Tag.SOP_INSTANCE),
            _patient(parsed.elements),
            parsed,
        )


def _patient(found: Dataset) -> str | None:
    """Without an id: a study is of one patient, and so is a series."""
    for tag in (Tag.PATIENT, Tag.STUDY, Tag.SERIES):
        name = elements.text(found, tag)
        if name is not None:
            return name
    return None
