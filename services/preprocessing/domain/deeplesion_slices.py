"""DeepLesion's slices: 16-bit grey PNG at ``Images_png/<series>/<slice>.png``, HU = value - 32768.

Slices of a series are numbered from the first to the last, so that neighbours differ by one.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from services.preprocessing.domain.archives import Source
from services.preprocessing.domain.hounsfield import NOT_HOUNSFIELD, is_plausible
from services.preprocessing.domain.png import UnreadableImage, decode_grey

#: A key slice and its neighbours, and the one that the next key slice may share with it. Pixels
#: are not kept, so that four of the largest images that we read fit in memory.
_KEPT_SLICES: Final = 4


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice that was decoded once; ``problem`` says why it is no CT slice of this layout."""

    png: bytes  # grey, without metadata chunks
    sha256: str  # of png
    size_px: tuple[int, int]  # width, height
    problem: str | None

    def fits(self, other: "Slice") -> bool:
        """Whether the two can be slices of one scan."""
        return self.problem is None and self.size_px == other.size_px


class SliceReader:
    """Reads slices by name; of the last few, each is read and decoded once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._names = frozenset(source.names())
        self._kept: OrderedDict[str, Slice | UnreadableImage] = OrderedDict()

    def read(self, name: str) -> Slice:
        """Raises UnreadableImage."""
        if name not in self._kept:
            self._kept[name] = _decoded(self._source.read(name))
        self._kept.move_to_end(name)
        while len(self._kept) > _KEPT_SLICES:
            self._kept.popitem(last=False)
        found = self._kept[name]
        if isinstance(found, UnreadableImage):
            raise found
        return found

    def beside(self, name: str, step: int) -> Slice | None:
        """The slice ``step`` further in the series; None where it is missing or unreadable."""
        other = _name_beside(name, step)
        if other is None or other not in self._names:
            return None
        try:
            return self.read(other)
        except UnreadableImage:
            return None


def _name_beside(name: str, step: int) -> str | None:
    path = PurePosixPath(name)
    number = int(path.stem) + step
    return str(path.with_name(f"{number:0{len(path.stem)}d}.png")) if number >= 0 else None


def _decoded(png: bytes) -> Slice | UnreadableImage:
    try:
        image = decode_grey(png)
    except UnreadableImage as error:
        return error
    height, width = image.values.shape
    problem = None
    if image.bit_depth != 16:
        problem = (
            "the image has 8 bits; the DeepLesion layout holds 16-bit PNG (HU = value - 32768). "
            "Use the folders layout for 8-bit images"
        )
    elif not is_plausible(image.values):
        problem = NOT_HOUNSFIELD
    return Slice(image.png, hashlib.sha256(image.png).hexdigest(), (width, height), problem)
