"""DeepLesion's layout: ``DL_info.csv`` and ``Images_png/<series>/<slice>.png``.

Slices are 16-bit grey PNG, HU = value - 32768 (the data set's README, section "images").
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator

from services.preprocessing.domain.archives import Source
from services.preprocessing.domain.deeplesion_rows import TABLE, DeepLesionRow, read_rows
from services.preprocessing.domain.hounsfield import NOT_HOUNSFIELD, is_plausible
from services.preprocessing.domain.layout_root import is_phantom, only_root, roots_of_file
from services.preprocessing.domain.png import GreyImage, UnreadableImage, decode_grey
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped, describe
from shared.errors import BadInput

#: Pixels whose sides differ by more than this are not square: one spacing cannot describe them.
_SQUARE_TOLERANCE = 0.01


class DeepLesionImages:
    """One record a lesion, in the order in which the slices lie; each slice is read once.

    Opening parses the whole table and raises BadInput for anything wrong in it. Slices that no
    row names (neighbours of key slices) are left alone. A :class:`RawImages`.
    """

    def __init__(self, source: Source) -> None:
        root = only_root(roots_of_file(source.names(), TABLE), TABLE)
        self._source = source
        self._rows_of_name: dict[str, list[DeepLesionRow]] = defaultdict(list)
        for row in read_rows(source.read(root + TABLE)):
            self._rows_of_name[root + row.path].append(row)
        self._expected = sum(map(len, self._rows_of_name.values()))
        self._is_phantom = is_phantom(source, root)

    @property
    def is_phantom(self) -> bool:
        return self._is_phantom

    @property
    def expected(self) -> int:
        return self._expected

    def items(self, known: Collection[str] = ()) -> Iterator[RawImage | Known | Skipped]:
        usable = 0
        for item in self._items(known):
            usable += not isinstance(item, Skipped)
            yield item
        if not usable:
            raise BadInput(
                f"None of the {self._expected} lesions in {TABLE} has a usable image; "
                f"slices must be at Images_png/<series>/<slice>.png beside {TABLE}."
            )

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
        made = _read_slice(self._source.read(name), ordinal, unknown) if unknown else iter(())
        for row in rows:
            if row in unknown:
                yield next(made)
            else:
                yield Known(box_clipped=row.box_clipped, noisy=row.noisy)


def _read_slice(
    png: bytes, ordinal: int, rows: list[DeepLesionRow]
) -> Iterator[RawImage | Skipped]:
    """One item a row, in their order."""
    try:
        image = decode_grey(png)
    except UnreadableImage as error:
        for row in rows:
            yield Skipped(ordinal, row.number, error.detail)
        return
    except BadInput as error:
        raise BadInput(f"{describe(ordinal, rows[0].number)}: {error.detail}") from error
    if image.bit_depth != 16:
        raise BadInput(
            f"{describe(ordinal, rows[0].number)}: the image has 8 bits; the DeepLesion layout "
            "holds 16-bit PNG (HU = value - 32768). Use the folders layout for 8-bit images."
        )
    sha256 = hashlib.sha256(image.png).hexdigest()
    for row in rows:
        problem = _problem(image, row)
        if problem is None:
            yield _record(image, sha256, ordinal, row)
        else:
            yield Skipped(ordinal, row.number, problem)


def _problem(image: GreyImage, row: DeepLesionRow) -> str | None:
    height, width = image.values.shape
    if (width, height) != row.image_size_px:
        return f"the image is {width} x {height} pixels, which is not what Image_size says"
    if not is_plausible(image.values):
        return NOT_HOUNSFIELD
    x_mm, y_mm, _ = row.spacing_mm
    if abs(x_mm - y_mm) > _SQUARE_TOLERANCE * x_mm:
        return "its pixels are not square"
    return None


def _record(image: GreyImage, sha256: str, ordinal: int, row: DeepLesionRow) -> RawImage:
    return RawImage(
        png=image.png,
        sha256=sha256,
        width=row.image_size_px[0],
        height=row.image_size_px[1],
        bit_depth=16,
        unit="hu16",
        category=row.category,
        patient=str(row.patient),
        split=row.split,
        spacing_mm=row.spacing_mm[0],
        box_px=row.box_px,
        box_clipped=row.box_clipped,
        window_hu=row.window_hu,
        noisy=row.noisy,
        file=ordinal,
        row=row.number,
    )
