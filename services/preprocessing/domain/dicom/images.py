"""The DICOM layout: DICOM files in any folders, and optionally ``lesions.csv``.

Files are told by their content, not by their names. Without a table every frame becomes an
unlabelled image. With one, each row becomes an image, and files that no row names are left alone.
"""

from collections.abc import Collection, Iterator, Sequence

from services.preprocessing.domain.archives import Source
from services.preprocessing.domain.dicom.decoder import Decoder
from services.preprocessing.domain.dicom.lesions import TABLE, read_lesions
from services.preprocessing.domain.dicom.neighbours import Neighbours
from services.preprocessing.domain.dicom.reading import Item, Reading
from services.preprocessing.domain.layout_root import (
    PHANTOM_MARK,
    is_phantom,
    only_root,
    roots_of_file,
)
from services.preprocessing.domain.raw_images import Skipped, describe
from shared.errors import BadInput


class DicomImages:
    """One record a frame or a row, in the order in which the files lie; each frame is decoded once.

    Opening parses the table, and raises BadInput where its structure is wrong. Of what is known
    from an earlier reading headers are read again, pixels are not: who repeats whom, and who is in
    which split, comes out the same. ``neighbours`` asks for the slices beside each image too: then
    every file is read once more, first of all. A :class:`RawImages`.
    """

    def __init__(self, source: Source, *, neighbours: bool = False) -> None:
        names = source.names()
        root = _root(names)
        has_table = root + TABLE in names
        self._source = source
        self._neighbours = neighbours
        self._lesions = read_lesions(source.read(root + TABLE)) if has_table else None
        self._is_phantom = is_phantom(source, root)
        beside = {root + TABLE, root + PHANTOM_MARK}
        self._files = [
            (ordinal, name) for ordinal, name in enumerate(names, start=1) if name not in beside
        ]
        self._expected = self._at_least()

    @property
    def is_phantom(self) -> bool:
        return self._is_phantom

    @property
    def expected(self) -> int:
        return self._expected

    def items(self, known: Collection[str] = ()) -> Iterator[Item]:
        usable = 0
        first: Skipped | None = None
        with Decoder() as decoder:
            neighbours = (
                Neighbours(self._source, self._files, decoder) if self._neighbours else None
            )
            reading = Reading(self._lesions, known, decoder, neighbours)
            for count, item in enumerate(self._items(reading), start=1):
                self._expected = max(self._at_least() + reading.more_frames, count)
                if isinstance(item, Skipped):
                    first = first or item
                else:
                    usable += 1
                yield item
        if not usable:
            raise BadInput(_nothing(first))

    def _items(self, reading: Reading) -> Iterator[Item]:
        lesions = self._lesions
        if lesions is not None:
            yield from lesions.wrong
        for ordinal, name in self._files:
            if lesions is None or lesions.may_name(ordinal):
                yield from reading.file(ordinal, self._source.read(name))
        yield from reading.missing()

    def _at_least(self) -> int:
        """Files of many frames hold more images, and rows stand beside files that are no images."""
        if self._lesions is None:
            return len(self._files)
        return len(self._lesions.rows) + len(self._lesions.wrong)


def _root(names: Sequence[str]) -> str:
    """Where the table lies; without one, the folder that holds everything."""
    tables = roots_of_file(names, TABLE)
    if tables:
        return only_root(tables, TABLE)
    folders = {name.split("/")[0] if "/" in name else "" for name in names}
    only = folders.pop() if len(folders) == 1 else ""
    return only + "/" if only else ""


def _nothing(first: Skipped | None) -> str:
    said = "The source holds no usable DICOM image"
    if first is None:
        return f"{said}."
    where = describe(first.file, first.row)
    return f"{said}; the first that was left out is {where}: {first.reason}."
