"""DeepLesion's layout: ``DL_info.csv`` and ``Images_png/<series>/<slice>.png``.

Source: the data set's README, section "images".
"""

from collections import defaultdict
from collections.abc import Collection, Iterator

from services.preprocessing.domain.archives import Source
from services.preprocessing.domain.deeplesion_rows import TABLE, DeepLesionRow, read_rows
from services.preprocessing.domain.deeplesion_slices import Slice, SliceReader
from services.preprocessing.domain.layout_root import is_phantom, only_root, roots_of_file
from services.preprocessing.domain.png import UnreadableImage
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped, describe
from shared.errors import BadInput

#: Pixels whose sides differ by more than this are not square: one spacing cannot describe them.
_SQUARE_TOLERANCE = 0.01

#: PNGs of the slices before and after a key slice, None where there is none.
Beside = tuple[bytes | None, bytes | None]


class DeepLesionImages:
    """One record a lesion, in the order in which the slices lie; each slice is read once.

    Opening parses the whole table and raises BadInput where its structure is wrong; a single wrong
    row is skipped. Slices that no row names are left alone, unless ``neighbours`` of key slices are
    wanted. A :class:`RawImages`.
    """

    def __init__(self, source: Source, *, neighbours: bool = False) -> None:
        root = only_root(roots_of_file(source.names(), TABLE), TABLE)
        table = read_rows(source.read(root + TABLE))
        self._source = source
        self._slices = SliceReader(source)
        self._neighbours = neighbours
        self._wrong_rows = table.skipped
        self._rows_of_name: dict[str, list[DeepLesionRow]] = defaultdict(list)
        for row in table.rows:
            self._rows_of_name[root + row.path].append(row)
        self._expected = len(table.rows) + len(table.skipped)
        self._is_phantom = is_phantom(source, root)

    @property
    def is_phantom(self) -> bool:
        return self._is_phantom

    @property
    def expected(self) -> int:
        return self._expected

    def items(self, known: Collection[str] = ()) -> Iterator[RawImage | Known | Skipped]:
        usable, misfits = 0, _Misfits(self._present())
        yield from self._wrong_rows
        for item in self._items(known):
            usable += not isinstance(item, Skipped)
            if isinstance(item, Skipped):
                misfits.count(item)
            yield item
        if not usable:
            raise BadInput(
                f"None of the {self._expected} lesions in {TABLE} has a usable image; "
                f"slices must be at Images_png/<series>/<slice>.png beside {TABLE}."
            )

    def _present(self) -> int:
        """Lesions whose slice is there."""
        return sum(len(self._rows_of_name.get(name, ())) for name in self._source.names())

    def _items(self, known: Collection[str]) -> Iterator[RawImage | Known | Skipped]:
        found = set()
        for ordinal, name in enumerate(self._source.names(), start=1):
            rows = self._rows_of_name.get(name)
            if rows is not None:
                found.add(name)
                yield from self._slice(name, ordinal, rows, known)
        for name, rows in self._rows_of_name.items():
            if name not in found:
                for row in rows:
                    yield Skipped(None, row.number, "the image is missing")

    def _slice(
        self, name: str, ordinal: int, rows: list[DeepLesionRow], known: Collection[str]
    ) -> Iterator[RawImage | Known | Skipped]:
        unknown = [row for row in rows if describe(ordinal, row.number) not in known]
        made = self._read(name, ordinal, unknown) if unknown else iter(())
        for row in rows:
            if row in unknown:
                yield next(made)
            else:
                yield Known(box_clipped=row.box_clipped, noisy=row.noisy)

    def _read(
        self, name: str, ordinal: int, rows: list[DeepLesionRow]
    ) -> Iterator[RawImage | Skipped]:
        """One item a row, in their order."""
        try:
            key = self._slices.read(name)
        except UnreadableImage as error:
            for row in rows:
                yield Skipped(ordinal, row.number, error.detail)
            return
        faults = [_fault(key, ordinal, row) for row in rows]
        beside: Beside = (None, None)
        if self._neighbours and None in faults:
            beside = self._beside(name, key)
        for row, fault in zip(rows, faults, strict=True):
            yield _record(key, beside, ordinal, row) if fault is None else fault

    def _beside(self, name: str, key: Slice) -> Beside:
        """The slices before and after; None for one that is missing or no slice of this scan."""
        found = (self._slices.beside(name, step) for step in (-1, 1))
        previous, following = (each.png if each and each.fits(key) else None for each in found)
        return previous, following


class _Misfits:
    """Refuses a source where more than half of ``lesions`` lie on images that do not belong."""

    def __init__(self, lesions: int) -> None:
        self._lesions = lesions
        self._found: list[Skipped] = []

    def count(self, skipped: Skipped) -> None:
        if skipped.misfit:
            self._found.append(skipped)
        if 2 * len(self._found) > self._lesions:
            first = self._found[0]
            raise BadInput(
                f"More than half of the {self._lesions} lesions lie on images that do not fit the "
                f"layout; the first is {describe(first.file, first.row)}: {first.reason}."
            )


def _fault(key: Slice, ordinal: int, row: DeepLesionRow) -> Skipped | None:
    if key.problem is not None:
        return Skipped(ordinal, row.number, key.problem, misfit=True)
    if key.size_px != row.image_size_px:
        width, height = key.size_px
        said = f"the image is {width} x {height} pixels, which is not what Image_size says"
        return Skipped(ordinal, row.number, said, misfit=True)
    x_mm, y_mm, _ = row.spacing_mm
    if abs(x_mm - y_mm) > _SQUARE_TOLERANCE * x_mm:
        return Skipped(ordinal, row.number, "its pixels are not square")
    return None


def _record(key: Slice, beside: Beside, ordinal: int, row: DeepLesionRow) -> RawImage:
    return RawImage(
        png=key.png,
        previous_png=beside[0],
        following_png=beside[1],
        sha256=key.sha256,
        width=key.size_px[0],
        height=key.size_px[1],
        bit_depth=16,
        unit="hu16",
        category=row.category,
        patient=str(row.patient),
        split=row.split,
        spacing_mm=row.spacing_mm[0],
        box_px=row.box_px,
        location=row.location,
        box_clipped=row.box_clipped,
        window_hu=row.window_hu,
        noisy=row.noisy,
        file=ordinal,
        row=row.number,
    )
