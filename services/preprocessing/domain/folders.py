"""The folders layout: ``images/<category>/*.png`` and, optionally, ``manifest.csv``.

The manifest has the columns ``file, category, patient, split``; every cell but ``file`` may be
blank. With a manifest, images that it does not name are left out and reported. 8-bit images are of
unknown contrast; 16-bit images are read as DeepLesion's: HU = value - 32768.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from lesiongan.contracts.categories import Category, Split
from services.preprocessing.domain.archives import Source
from services.preprocessing.domain.csv_table import (
    Row,
    category_named,
    read_table,
    row_split,
    unknown_category,
)
from services.preprocessing.domain.hounsfield import NOT_HOUNSFIELD, is_plausible
from services.preprocessing.domain.layout_root import is_phantom, only_root, roots_of_folder
from services.preprocessing.domain.png import GreyImage, UnreadableImage, decode_grey
from services.preprocessing.domain.raw_images import Known, RawImage, Skipped, Unit, describe
from shared.errors import BadInput

TABLE: Final = "manifest.csv"
COLUMNS: Final = ("file", "category", "patient", "split")
_FOLDER: Final = "images"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One image to read. ``row`` is None without a manifest."""

    row: int | None
    category: Category | None
    patient: str | None
    split: Split | None


class FolderImages:
    """One record a file, in the order in which the files lie. A :class:`RawImages`.

    Opening raises BadInput for an unknown category (folder or manifest) and anything else wrong
    in the manifest.
    """

    def __init__(self, source: Source) -> None:
        root = only_root(roots_of_folder(source.names(), _FOLDER), f"{_FOLDER}/ folder")
        self._source = source
        self._ordinals = {
            name: ordinal
            for ordinal, name in enumerate(source.names(), start=1)
            if name.startswith(f"{root}{_FOLDER}/")
        }
        if root + TABLE in source.names():
            self._entries = _read_manifest(source.read(root + TABLE), root)
        else:
            self._entries = {
                name: _Entry(None, _folder_category(name, root, ordinal), None, None)
                for name, ordinal in self._ordinals.items()
                if _is_png(name)
            }
        self._is_phantom = is_phantom(source, root)

    @property
    def is_phantom(self) -> bool:
        return self._is_phantom

    @property
    def expected(self) -> int:
        return len(self._entries.keys() | self._ordinals.keys())

    def items(self, known: Collection[str] = ()) -> Iterator[RawImage | Known | Skipped]:
        usable = 0
        for item in self._items(known):
            usable += not isinstance(item, Skipped)
            yield item
        if not usable:
            raise BadInput(
                "The source holds no usable image; the folders layout is images/<category>/*.png."
            )

    def _items(self, known: Collection[str]) -> Iterator[RawImage | Known | Skipped]:
        for name, ordinal in self._ordinals.items():
            entry = self._entries.get(name)
            if not _is_png(name):
                yield Skipped(ordinal, entry.row if entry else None, "it is not a PNG image")
            elif entry is None:
                yield Skipped(ordinal, None, f"{TABLE} does not name it")
            elif describe(ordinal, entry.row) in known:
                yield Known(box_clipped=False, noisy=False)
            else:
                yield _read_image(self._source.read(name), ordinal, entry)
        for name, entry in self._entries.items():
            if name not in self._ordinals:
                yield Skipped(None, entry.row, "the image is missing")


def _is_png(name: str) -> bool:
    return name.lower().endswith(".png")


def _folder_category(name: str, root: str, ordinal: int) -> Category | None:
    folder = PurePosixPath(name.removeprefix(root)).parent.relative_to(_FOLDER)
    if folder == PurePosixPath("."):
        raise BadInput(
            f"file {ordinal}: the image lies in no category's folder; "
            "the folders layout is images/<category>/*.png."
        )
    try:
        return category_named(folder.parts[0])
    except ValueError as error:
        raise BadInput(f"file {ordinal}: {unknown_category(folder.parts[0])}.") from error


def _read_manifest(content: bytes, root: str) -> dict[str, _Entry]:
    """File name in the source → entry."""
    entries: dict[str, _Entry] = {}
    split_of_patient: dict[str, Split | None] = {}
    for row in read_table(content, TABLE, COLUMNS):
        path = row.parse("file", _image_path, "a path such as images/liver/1.png")
        name = root + path
        if name in entries:
            raise row.error("the file is named twice")
        entry = _Entry(
            row.number, _row_category(row, path), row.cells["patient"] or None, row_split(row)
        )
        if entry.patient is not None:
            split = split_of_patient.setdefault(entry.patient, entry.split)
            if split != entry.split:
                raise row.error("the patient is in two splits; a patient belongs to one")
        entries[name] = entry
    return entries


def _image_path(cell: str) -> str:
    """The path from the root; a cell may leave ``images/`` out."""
    path = PurePosixPath(cell.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts:
        raise ValueError("not a relative path")
    return str(path) if path.parts[0] == _FOLDER else f"{_FOLDER}/{path}"


def _row_category(row: Row, path: str) -> Category | None:
    """The category cell; where it is blank, the folder's name. They must not contradict."""
    cell = row.cells["category"]
    folder = PurePosixPath(path).parts[1] if path.count("/") > 1 else ""
    if not cell and not folder:
        raise row.error("the category is blank and the file lies in no category's folder")
    try:
        category = category_named(cell or folder)
    except ValueError as error:
        raise row.error(unknown_category(cell or folder)) from error
    if cell and _contradicts(category, folder):
        raise row.error("the category is another one than the file's folder says")
    return category


def _contradicts(category: Category | None, folder: str) -> bool:
    """Whether the folder names another category; a folder of any other name says nothing."""
    try:
        return category_named(folder) != category
    except ValueError:
        return False


def _read_image(png: bytes, ordinal: int, entry: _Entry) -> RawImage | Skipped:
    try:
        image = decode_grey(png)
    except UnreadableImage as error:
        return Skipped(ordinal, entry.row, error.detail)
    if not is_plausible(image.values):
        return Skipped(ordinal, entry.row, NOT_HOUNSFIELD)
    return _record(image, ordinal, entry)


def _record(image: GreyImage, ordinal: int, entry: _Entry) -> RawImage:
    height, width = image.values.shape
    unit: Unit = "hu16" if image.bit_depth == 16 else "uint8"
    return RawImage(
        png=image.png,
        sha256=hashlib.sha256(image.png).hexdigest(),
        width=width,
        height=height,
        bit_depth=image.bit_depth,
        unit=unit,
        category=entry.category,
        patient=entry.patient,
        split=entry.split,
        spacing_mm=None,
        box_px=None,
        box_clipped=False,
        window_hu=None,
        noisy=False,
        file=ordinal,
        row=entry.row,
    )
