"""What holds for each frame: its scale in space and in HU, and its window.

An Enhanced image says it in functional groups, of one frame or shared by all; others, at the top.

Source: DICOM PS3.3 C.7.6.16 (functional groups), C.11.1 (rescale), C.11.2.1.2 (windows).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset

from services.preprocessing.domain.dicom import elements
from services.preprocessing.domain.dicom.tags import Tag
from services.preprocessing.domain.png import UnreadableImage

#: Uncompressed, no file that an archive may hold has so many slices of 512 x 512.
MAX_FRAMES: Final = 4096
#: Beyond the HU that 16 bits can hold, a window is another unit's, or nonsense.
_WINDOW_RANGE_HU: Final = (-65_536.0, 65_536.0)


@dataclass(frozen=True, slots=True)
class Rescale:
    """Stored value x ``slope`` + ``intercept`` has the unit ``kind``; None where none is named."""

    slope: float
    intercept: float
    kind: str | None

    @property
    def is_identity(self) -> bool:
        return (self.slope, self.intercept) == (1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Frame:
    """One slice of a file."""

    spacing_mm: Sequence[float]  # between rows, between columns; empty where it is not said
    rescale: Rescale | None
    window_hu: tuple[float, float] | None  # lowest, highest


def read_frames(found: Dataset) -> Sequence[Frame]:
    """One for each frame that is claimed. Raises UnreadableImage for too many, or malformed."""
    count = elements.integer(found, Tag.FRAMES)
    count = 1 if count is None else count
    if not 0 < count <= MAX_FRAMES:
        raise UnreadableImage(f"it claims {count:,} frames; 1 to {MAX_FRAMES:,} are read")
    shared = elements.items(found, Tag.SHARED_GROUPS)[:1]
    own = elements.items(found, Tag.FRAME_GROUPS)
    if not own:
        return [_frame([*shared, found], found)] * count
    if len(own) < count:
        raise UnreadableImage("its header does not describe all of its frames")
    return [_frame([each, *shared, found], found) for each in own[:count]]


def _frame(groups: Sequence[Dataset], found: Dataset) -> Frame:
    """``groups`` from the frame's own to what holds for all."""
    return Frame(
        elements.numbers(group_of(groups, Tag.PIXEL_MEASURES, found), Tag.SPACING),
        _rescale(group_of(groups, Tag.PIXEL_VALUES, found)),
        _window(group_of(groups, Tag.FRAME_VOI_LUT, found)),
    )


def group_of(groups: Sequence[Dataset], tag: Tag, found: Dataset) -> Dataset:
    """The functional group ``tag``: the first that is there; ``found``, the top, where none is."""
    for each in groups:
        items = elements.items(each, tag)
        if items:
            return items[0]
    return found


def _rescale(group: Dataset) -> Rescale | None:
    """None unless both numbers are there: half of a rescale is none."""
    slope = elements.numbers(group, Tag.RESCALE_SLOPE)
    intercept = elements.numbers(group, Tag.RESCALE_INTERCEPT)
    if not (slope and intercept):
        return None
    kind = elements.text(group, Tag.RESCALE_TYPE)
    return Rescale(slope[0], intercept[0], kind.upper() if kind else None)


def _window(group: Dataset) -> tuple[float, float] | None:
    """The first of several. Centre -+ width / 2, as DeepLesion's table has it.

    The standard's own formula for whole numbers lies half a HU beside it.
    """
    centre = elements.numbers(group, Tag.WINDOW_CENTRE)
    width = elements.numbers(group, Tag.WINDOW_WIDTH)
    if not (centre and width):
        return None
    lowest, highest = centre[0] - width[0] / 2, centre[0] + width[0] / 2
    if not _WINDOW_RANGE_HU[0] <= lowest < highest <= _WINDOW_RANGE_HU[1]:
        return None
    return lowest, highest
