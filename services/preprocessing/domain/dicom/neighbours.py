"""The slices before and after each, of the same scan, for images of three channels.

Those of a file of many frames lie in it. Those of a file of one lie in others, which are found by
reading every header of the source first; of each slice, a few numbers are kept.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from typing import Final

from services.preprocessing.domain.archives import Source
from services.preprocessing.domain.dicom.admission import Images, read_images
from services.preprocessing.domain.dicom.decoder import Decoder
from services.preprocessing.domain.dicom.header import Header, read_header
from services.preprocessing.domain.dicom.places import Place, Stack, beside, places_of
from services.preprocessing.domain.dicom.slices import Slice, read_slices
from services.preprocessing.domain.png import UnreadableImage

#: A slice is the one after, itself and the one before in turn.
_KEPT_SLICES: Final = 4

#: PNGs of the slices before and after, None where there is none.
Beside = tuple[bytes | None, bytes | None]
#: A slice and its size in pixels: of another size, it is of another scan.
Sized = tuple[Slice, tuple[int, int]]


class Neighbours:
    """Reads every header when it is made."""

    def __init__(self, source: Source, files: Sequence[tuple[int, str]], decoder: Decoder) -> None:
        self._source = source
        self._names = dict(files)
        self._decoder = decoder
        self._kept: OrderedDict[Place, Sized | None] = OrderedDict()
        self._stacks: dict[Stack, list[Place]] = defaultdict(list)
        for file, name in files:
            self._add(file, name)
        for places in self._stacks.values():
            places.sort()

    def of(self, header: Header, images: Images, file: int, frame: int, own: Slice) -> Beside:
        """Previous is the one that lies lower along the slices' normal."""
        places = places_of(header, file, len(images.frames))
        here = next((each for each in places if each[1].frame == frame), None)
        if here is None:
            return None, None
        stack, place = here
        size = (images.format.columns, images.format.rows)
        self._keep(place, (own, size))
        is_of_many = len(images.frames) > 1
        others = (
            sorted(each for of, each in places if of == stack)
            if is_of_many
            else self._stacks.get(stack, ())
        )
        found = beside(others, place, stack.max_gap)
        previous, following = (
            self._png(each, (header, images) if is_of_many else None, own, size) for each in found
        )
        return previous, following

    def _add(self, file: int, name: str) -> None:
        try:
            header = read_header(self._source.read(name))
            images = read_images(header)
        except UnreadableImage:
            return
        if len(images.frames) == 1:
            for stack, place in places_of(header, file, 1):
                self._stacks[stack].append(place)

    def _png(
        self,
        place: Place | None,
        opened: tuple[Header, Images] | None,
        own: Slice,
        size: tuple[int, int],
    ) -> bytes | None:
        if place is None:
            return None
        if place not in self._kept:
            self._keep(place, self._read(place, opened))
        found = self._kept[place]
        if found is None or found[1] != size or found[0].unit != own.unit:
            return None
        return found[0].png

    def _read(self, place: Place, opened: tuple[Header, Images] | None) -> Sized | None:
        try:
            header, images = opened or _opened(self._source.read(self._names[place.file]))
            ((_, found),) = read_slices(header.parsed, images, {place.frame}, self._decoder)
        except UnreadableImage:
            return None
        if isinstance(found, UnreadableImage):
            return None
        return found, (images.format.columns, images.format.rows)

    def _keep(self, place: Place, found: Sized | None) -> None:
        self._kept[place] = found
        self._kept.move_to_end(place)
        while len(self._kept) > _KEPT_SLICES:
            self._kept.popitem(last=False)


def _opened(content: bytes) -> tuple[Header, Images]:
    header = read_header(content)
    return header, read_images(header)
