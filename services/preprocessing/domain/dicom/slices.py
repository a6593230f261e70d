"""A file's frames as pictures: one at a time, decoded as they are asked for."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import UID

from services.preprocessing.domain.dicom.admission import Images, square_spacing_mm
from services.preprocessing.domain.dicom.decoder import Decoder
from services.preprocessing.domain.dicom.frames import Frame
from services.preprocessing.domain.dicom.guarding import guarded
from services.preprocessing.domain.dicom.part10 import Parsed
from services.preprocessing.domain.dicom.pixel_data import (
    TRUNCATED,
    compressed_frames,
    find_pixels,
    native_frames,
)
from services.preprocessing.domain.dicom.rescale import Table, grey_table, hounsfield_table, look_up
from services.preprocessing.domain.dicom.syntaxes import DECODERS, NATIVE, describe
from services.preprocessing.domain.hounsfield import is_plausible
from services.preprocessing.domain.png import UnreadableImage, encode_grey
from services.preprocessing.domain.raw_images import Unit

_NOT_HOUNSFIELD: Final = "its values are not HU: no pixel is denser than air"

#: A frame's cells, or the compressed bytes of them.
Stored = NDArray[np.uint8] | NDArray[np.uint16] | bytes


@dataclass(frozen=True, slots=True)
class Slice:
    """A frame that was decoded once."""

    png: bytes  # grey, nothing but pixels
    sha256: str  # of png
    unit: Unit
    spacing_mm: float | None
    window_hu: tuple[float, float] | None


def read_slices(
    parsed: Parsed, images: Images, wanted: Collection[int], decoder: Decoder
) -> Iterator[tuple[int, Slice | UnreadableImage]]:
    """The frames ``wanted``, by number from 1, in order: what each is, or why it is unusable.

    Raises UnreadableImage where nothing more can be read of the file: it may have yielded some.
    """
    stored = _stored(parsed, images)
    for number in range(1, max(wanted, default=0) + 1):
        with guarded("its pixel data are"):
            found = next(stored, None)
        if found is None:
            raise UnreadableImage(TRUNCATED)
        if number not in wanted:
            continue
        try:
            yield number, _slice(found, parsed.encoded.syntax, images, number, decoder)
        except UnreadableImage as error:
            yield number, error


def _stored(parsed: Parsed, images: Images) -> Iterator[Stored]:
    syntax = parsed.encoded.syntax
    with guarded("its pixel data are"):
        pixels = find_pixels(parsed)
        if syntax in NATIVE:
            return native_frames(pixels, images.format, len(images.frames))
        if syntax in DECODERS:
            return compressed_frames(pixels, len(images.frames))
    raise UnreadableImage(f"its transfer syntax is not read: {describe(syntax)}")


def _slice(stored: Stored, syntax: UID, images: Images, number: int, decoder: Decoder) -> Slice:
    frame = images.frames[number - 1]
    unit, spacing_mm = images.unit(frame), square_spacing_mm(frame)
    cells = decoder.decode(stored, syntax, images.format) if isinstance(stored, bytes) else stored
    values = look_up(_table(unit, images, frame), cells)
    if not is_plausible(values):
        raise UnreadableImage(_NOT_HOUNSFIELD)
    png = encode_grey(values)
    window_hu = frame.window_hu if unit == "hu16" else None
    return Slice(png, hashlib.sha256(png).hexdigest(), unit, spacing_mm, window_hu)


def _table(unit: Unit, images: Images, frame: Frame) -> Table:
    if unit == "uint8":
        return grey_table(images.format, is_inverted=images.is_inverted)
    assert frame.rescale is not None, "without one, values are not HU"
    return hounsfield_table(images.format, frame.rescale)
