"""Values of a parsed data set, typed: None where there is none, an error where it is malformed."""

import math
from collections.abc import Sequence
from typing import Any, Final

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from services.preprocessing.domain.png import UnreadableImage

#: Of a value that is no sequence. The longest that is read are six numbers of 16 letters.
_MAX_VALUE_BYTES: Final = 1024
#: Of a sequence whose length is known: pydicom has not looked into it yet. Each item takes up to
#: 1.2 kB of memory, and the frames that are read have some ten items each.
_MAX_ITEMS: Final = 60_000
_ITEM_TAG: Final = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")


def text(elements: Dataset, tag: int) -> str | None:
    """Without the blanks and NULs that pad it; None where nothing is left."""
    value = _value(elements, tag)
    if isinstance(value, MultiValue | list):
        value = "\\".join(str(each) for each in value)
    if value is not None and not isinstance(value, str):
        raise _malformed()
    return (value or "").strip(" \0") or None


def texts(elements: Dataset, tag: int) -> Sequence[str]:
    """A value of several parts, in capitals."""
    return [part.strip().upper() for part in (text(elements, tag) or "").split("\\")]


def integer(elements: Dataset, tag: int) -> int | None:
    """A whole number; of several, malformed."""
    value = _value(elements, tag)
    if value is None or value == "":
        return None
    if not isinstance(value, int):
        raise _malformed()
    return int(value)


def numbers(elements: Dataset, tag: int) -> Sequence[float]:
    """Finite numbers; none where there is no value."""
    value = _value(elements, tag)
    if value is None or value == "":
        return ()
    parts = list(value) if isinstance(value, MultiValue | list) else [value]
    if not all(isinstance(part, int | float) and math.isfinite(part) for part in parts):
        raise _malformed()
    return [float(part) for part in parts]


def items(elements: Dataset, tag: int) -> Sequence[Dataset]:
    """The items of a sequence; none where there is none."""
    value = _value(elements, tag, is_sequence=True)
    if value is None:
        return ()
    if isinstance(value, str | bytes) or not all(isinstance(each, Dataset) for each in value):
        raise _malformed()
    found: Sequence[Dataset] = value
    return found


def raw(elements: Dataset, tag: int, *, max_bytes: int) -> bytes | None:
    """A value's bytes as they stand in the file."""
    element: Any = elements.get_item(tag)
    if element is None or element.value is None:
        return None
    if not isinstance(element.value, bytes) or len(element.value) > max_bytes:
        raise _malformed()
    content: bytes = element.value
    return content


def _value(elements: Dataset, tag: int, *, is_sequence: bool = False) -> Any:
    element: Any = elements.get_item(tag)
    if element is None:
        return None
    if isinstance(element, RawDataElement) and element.value is not None:
        _check_length(element.value, is_sequence=is_sequence)
    return elements[tag].value


def _check_length(value: bytes, *, is_sequence: bool) -> None:
    """Before pydicom makes an object of each part."""
    if not is_sequence:
        too_long = len(value) > _MAX_VALUE_BYTES
    else:
        too_long = max(value.count(tag) for tag in _ITEM_TAG) > _MAX_ITEMS
    if too_long:
        raise UnreadableImage("its DICOM header is too long")


def _malformed() -> UnreadableImage:
    return UnreadableImage("a value in its DICOM header is malformed")
