"""What a layout reader produces: raw images and what was skipped, one at a time."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from lesiongan.contracts.categories import Category, Split

#: ``hu16``: 16-bit grey, HU = value - 32768. ``uint8``: grey of unknown contrast.
Unit = Literal["hu16", "uint8"]

#: x1, y1, x2, y2 in pixels; pixel (0, 0) covers [0, 1) x [0, 1).
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawImage:
    """One image of a data set: a lesion on a slice, or an image without a box.

    Lesions of the same slice follow each other and share ``png`` and ``sha256``. Names of files
    are never passed on: ``file`` is the ordinal in the source (from 1), ``row`` the row of the
    CSV as a spreadsheet counts (the header is row 1), None without one.
    """

    png: bytes  # grey, without metadata chunks; pixel values as they came
    sha256: str  # of png
    width: int
    height: int
    bit_depth: int  # 8 or 16
    unit: Unit
    category: Category | None  # None: unlabelled
    patient: str | None  # as the source names it: to be pseudonymised before it is stored
    split: Split | None  # the source's own
    spacing_mm: float | None  # side of a pixel
    box_px: Box | None  # inside the image
    box_clipped: bool  # the source's box reached beyond the image
    window_hu: tuple[float, float] | None  # (lowest, highest)
    noisy: bool  # the source marks it as possibly noisy
    file: int
    row: int | None
    #: The slices before and after this one, where they are wanted and there; pixels like ``png``'s.
    previous_png: bytes | None = None
    following_png: bytes | None = None
    #: In a file of several images, counted from 1; None in a file of one.
    frame: int | None = None
    #: The lesion's x, y and z relative to the body, 0 to 1, where the source tells it.
    location: tuple[float, float, float] | None = None

    @property
    def source(self) -> str:
        """An ordinal description without any name: ``file 12, row 34``."""
        return describe(self.file, self.row, self.frame)


@dataclass(frozen=True, slots=True)
class Skipped:
    """An image that was left out, and why. ``file`` is None when no file could be found.

    ``misfit``: it is of another kind than its layout or table says, so that a source of many such
    images has been misunderstood.
    """

    file: int | None
    row: int | None
    reason: str
    misfit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An image that an earlier reading of the same source has yielded: not read again.

    What is said of it here stands in the source's table.
    """

    box_clipped: bool
    noisy: bool


class RawImages(Protocol):
    """A layout's content. Tables are checked when it is opened; images as they are read.

    Reading raises BadInput for content that makes the whole source untrustworthy, and when nothing
    usable was found. Two readings of one source yield the same, in the same order.
    """

    @property
    def is_phantom(self) -> bool:
        """Whether ``phantom.json`` at the root marks procedural images."""
        ...

    @property
    def expected(self) -> int:
        """How many items a reading yields: for progress. It may grow while a source is read."""
        ...

    def items(self, known: Collection[str] = ()) -> Iterator[RawImage | Known | Skipped]:
        """All there is. ``known`` holds the :attr:`RawImage.source` of images to leave unread."""
        ...


def describe(file: int | None, row: int | None, frame: int | None = None) -> str:
    """``file 12, frame 3, row 34``; whichever of them are known."""
    parts = []
    if file is not None:
        parts.append(f"file {file}")
    if frame is not None:
        parts.append(f"frame {frame}")
    if row is not None:
        parts.append(f"row {row}")
    return ", ".join(parts)
