"""Where a slice lies in its scan, and which slices lie beside it.

Source: DICOM PS3.3 C.7.6.2 (Image Plane), C.7.6.16.2.3 and .4 (plane position and orientation).
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from services.preprocessing.domain.dicom import elements
from services.preprocessing.domain.dicom.frames import MAX_FRAMES, group_of
from services.preprocessing.domain.dicom.guarding import guarded
from services.preprocessing.domain.dicom.header import Header
from services.preprocessing.domain.dicom.tags import Tag
from services.preprocessing.domain.png import UnreadableImage

#: Slices of CT lie 0.5 to 10 mm apart; what is further away is not beside.
_MAX_GAP_MM: Final = 10.0
#: Nearer than this, it is the same place once more: another phase or reconstruction.
_SAME_PLACE_MM: Final = 0.01
#: A position is known to a hundredth of a degree: slices of one scan are parallel.
_DECIMALS: Final = 4


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """``position`` in mm along the slices' normal; where headers lack it, a number of the slice."""

    position: float
    file: int
    frame: int


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices that may lie beside each other: of one series, and parallel."""

    series: str
    normal: tuple[float, ...] | None  # None: places are numbers

    @property
    def max_gap(self) -> float:
        return 1.0 if self.normal is None else _MAX_GAP_MM


def places_of(header: Header, file: int, frames: int) -> Sequence[tuple[Stack, Place]]:
    """One for each frame; none where the header does not say enough."""
    try:
        with guarded("its place is"):
            return _places(header.parsed.elements, file, frames)
    except UnreadableImage:
        return ()


def beside(
    places: Sequence[Place], own: Place, max_gap: float
) -> tuple[Place | None, Place | None]:
    """The nearest place on each side, not further away than ``max_gap``. ``places`` are sorted."""
    at = bisect_left(places, own)
    return (
        _nearest((places[n] for n in range(at - 1, -1, -1)), own, max_gap),
        _nearest((places[n] for n in range(at, len(places))), own, max_gap),
    )


def _nearest(places: Iterator[Place], own: Place, max_gap: float) -> Place | None:
    near = takewhile(lambda place: abs(place.position - own.position) <= max_gap, places)
    others = (place for place in near if abs(place.position - own.position) > _SAME_PLACE_MM)
    return next(others, None)


def _places(found: Dataset, file: int, frames: int) -> Sequence[tuple[Stack, Place]]:
    series = elements.text(found, Tag.SERIES)
    if series is None:
        return ()
    shared = elements.items(found, Tag.SHARED_GROUPS)[:1]
    own = elements.items(found, Tag.FRAME_GROUPS)[:MAX_FRAMES]
    groups = [[each, *shared] for each in own] if own else [[*shared]] * frames
    made = []
    for number, each in enumerate(groups[:frames], start=1):
        normal, position = _along([*each, found], found)
        if position is None:
            named = elements.integer(found, Tag.INSTANCE_NUMBER) if frames == 1 else number
            position = None if named is None else float(named)
        if position is not None:
            made.append((Stack(series, normal), Place(position, file, number)))
    return made


def _along(
    groups: Sequence[Dataset], found: Dataset
) -> tuple[tuple[float, ...] | None, float | None]:
    """The normal, and how far along it the slice lies."""
    position = elements.numbers(group_of(groups, Tag.PLANE_POSITION, found), Tag.POSITION)
    axes = elements.numbers(group_of(groups, Tag.PLANE_ORIENTATION, found), Tag.ORIENTATION)
    if len(position) != 3 or len(axes) != 6:
        return None, None
    normal = np.cross(axes[:3], axes[3:])
    rounded = tuple(float(each) for each in np.round(normal, _DECIMALS))
    return rounded, float(np.dot(normal, position))
