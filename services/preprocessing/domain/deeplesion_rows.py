"""Rows of DeepLesion's ``DL_info.csv``: all 18 columns, typed.

Source: Yan et al., "DeepLesion: automated mining of large-scale lesion annotations and universal
lesion detection with deep learning", J. Med. Imaging 5(3), 2018, and the data set's README.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from lesiongan.contracts.categories import CATEGORIES, Category, Split
from services.preprocessing.domain.boxes import clipped
from services.preprocessing.domain.csv_table import BadRow, Row, read_table, unknown_category
from services.preprocessing.domain.raw_images import Box, Skipped
from shared.errors import BadInput

Value = TypeVar("Value")

TABLE: Final = "DL_info.csv"
COLUMNS: Final = (
    "File_name",
    "Patient_index",
    "Study_index",
    "Series_ID",
    "Key_slice_index",
    "Measurement_coordinates",
    "Bounding_boxes",
    "Lesion_diameters_Pixel_",
    "Normalized_lesion_location",
    "Coarse_lesion_type",
    "Possibly_noisy",
    "Slice_range",
    "Spacing_mm_px_",
    "Image_size",
    "DICOM_windows",
    "Patient_gender",
    "Patient_age",
    "Train_Val_Test",
)

#: Three times as many as DeepLesion has: all rows are held, more than a kilobyte each.
MAX_LESIONS: Final = 100_000
_SPLIT_OF_CODE: Final[dict[int, Split]] = {1: "train", 2: "val", 3: "test"}
_UNLABELLED_CODE: Final = -1
#: CT pixels measure 0.1 to 1.5 mm; beyond these bounds a value has another unit or none.
_SPACING_RANGE_MM: Final = (0.01, 10.0)
_FILE_NAME: Final = re.compile(r"(?P<series>[^/\\]+)_(?P<slice>\d+)\.png")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepLesionRow:
    """One lesion. Coordinates are pixels on the key slice; spacing and windows as in the names."""

    number: int  # of the row; the header is row 1
    path: str  # Images_png/<series>/<slice>.png, from File_name
    patient: int
    study: int
    series: int
    key_slice: int
    measurement_px: tuple[float, ...]  # x, y of the long diameter's ends, then the short one's
    box_px: Box
    box_clipped: bool
    diameters_px: tuple[float, float]  # long, short
    location: tuple[float, float, float]  # x, y, z relative to the body, 0 to 1
    category: Category | None  # None: not annotated (-1)
    noisy: bool
    slice_range: tuple[int, int]  # slices present around the key slice
    spacing_mm: tuple[float, float, float]  # x, y, between slices
    image_size_px: tuple[int, int]  # width, height
    window_hu: tuple[float, float]  # lowest, highest
    gender: str | None
    age_years: float | None
    split: Split


@dataclass(frozen=True, slots=True)
class DeepLesionTable:
    """The lesions of a table, and the rows that say something impossible."""

    rows: Sequence[DeepLesionRow]
    skipped: Sequence[Skipped]


def read_rows(content: bytes) -> DeepLesionTable:
    """Parses ``DL_info.csv``.

    A row with a value that cannot be parsed, an unknown category code, or a box that is degenerate
    or wholly outside its image is skipped; the reason names the column.

    Raises:
        BadInput: a missing column, a row of another length, a patient in two splits, or more rows
            that are wrong than right: then the table is not what it should be.
    """
    rows: list[DeepLesionRow] = []
    skipped: list[Skipped] = []
    split_of_patient: dict[int, Split] = {}
    for cells in read_table(content, TABLE, COLUMNS, max_rows=MAX_LESIONS):
        try:
            row = _parse_row(cells)
        except BadRow as fault:
            skipped.append(Skipped(None, fault.number, fault.reason))
            continue
        if split_of_patient.setdefault(row.patient, row.split) != row.split:
            raise cells.error("the patient is in two splits; a patient belongs to one")
        rows.append(row)
    if len(skipped) > len(rows):
        raise BadInput(
            f"{TABLE}: {len(skipped)} of {len(rows) + len(skipped)} rows are wrong; "
            f"the first is row {skipped[0].row}: {skipped[0].reason}."
        )
    return DeepLesionTable(rows, skipped)


def _parse_row(row: Row) -> DeepLesionRow:
    size_px = _integers(row, "Image_size", 2)
    box_px, clipped = _box(row, size_px[0], size_px[1])
    slice_range = _integers(row, "Slice_range", 2)
    diameters_px = _numbers(row, "Lesion_diameters_Pixel_", 2)
    location = _numbers(row, "Normalized_lesion_location", 3)
    return DeepLesionRow(
        number=row.number,
        path=row.parse("File_name", _path, "<series>_<slice>.png"),
        patient=row.parse("Patient_index", int, "a whole number"),
        study=row.parse("Study_index", int, "a whole number"),
        series=row.parse("Series_ID", int, "a whole number"),
        key_slice=row.parse("Key_slice_index", int, "a whole number"),
        measurement_px=_numbers(row, "Measurement_coordinates", 8),
        box_px=box_px,
        box_clipped=clipped,
        diameters_px=(diameters_px[0], diameters_px[1]),
        location=(location[0], location[1], location[2]),
        category=_category(row),
        noisy=row.parse("Possibly_noisy", _one_of({"0": False, "1": True}), "0 or 1"),
        slice_range=(slice_range[0], slice_range[1]),
        spacing_mm=_spacing(row),
        image_size_px=(size_px[0], size_px[1]),
        window_hu=_window(row),
        gender=row.parse(
            "Patient_gender", _one_of({"M": "M", "F": "F", "": None}), "M, F or blank"
        ),
        age_years=row.parse("Patient_age", _optional_number, "a number or blank"),
        split=row.parse("Train_Val_Test", _split, "1, 2 or 3"),
    )


def _box(row: Row, width: int, height: int) -> tuple[Box, bool]:
    """The box clipped to the image, and whether that changed it."""
    x1, y1, x2, y2 = _numbers(row, "Bounding_boxes", 4)
    if x1 >= x2 or y1 >= y2:
        raise row.error(
            "Bounding_boxes has no area; it must be x1, y1, x2, y2 with x1 < x2, y1 < y2"
        )
    inside = clipped((x1, y1, x2, y2), width, height)
    if inside is None:
        raise row.error("Bounding_boxes lies outside the image")
    return inside, inside != (x1, y1, x2, y2)


def _category(row: Row) -> Category | None:
    code = row.parse("Coarse_lesion_type", int, "a whole number")
    if code == _UNLABELLED_CODE:
        return None
    if not 1 <= code <= len(CATEGORIES):
        raise row.error(f"Coarse_lesion_type: {unknown_category(str(code))} (codes 1 to 8, or -1)")
    return CATEGORIES[code - 1]


def _spacing(row: Row) -> tuple[float, float, float]:
    x, y, between = _numbers(row, "Spacing_mm_px_", 3)
    if not all(_SPACING_RANGE_MM[0] <= side <= _SPACING_RANGE_MM[1] for side in (x, y)):
        raise row.error("Spacing_mm_px_ must be between 0.01 and 10 mm")
    return x, y, between


def _window(row: Row) -> tuple[float, float]:
    lowest, highest = _numbers(row, "DICOM_windows", 2)
    if lowest >= highest:
        raise row.error("DICOM_windows must be the lowest and then the highest HU")
    return lowest, highest


def _numbers(row: Row, column: str, count: int) -> tuple[float, ...]:
    def parse(cell: str) -> tuple[float, ...]:
        return _exactly(count, [_finite(part) for part in cell.split(",")])

    return row.parse(column, parse, f"{count} numbers")


def _integers(row: Row, column: str, count: int) -> tuple[int, ...]:
    def parse(cell: str) -> tuple[int, ...]:
        return _exactly(count, [int(part) for part in cell.split(",")])

    return row.parse(column, parse, f"{count} whole numbers")


def _exactly(count: int, numbers: Iterable[Value]) -> tuple[Value, ...]:
    exact = tuple(numbers)
    if len(exact) != count:
        raise ValueError(f"{len(exact)} instead of {count}")
    return exact


def _finite(cell: str) -> float:
    number = float(cell)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _optional_number(cell: str) -> float | None:
    return None if cell.lower() in ("", "nan") else _finite(cell)


def _path(file_name: str) -> str:
    match = _FILE_NAME.fullmatch(file_name)
    if match is None or match["series"].startswith("."):
        raise ValueError("not a slice's name")
    return f"Images_png/{match['series']}/{match['slice']}.png"


def _split(cell: str) -> Split:
    split = _SPLIT_OF_CODE.get(int(cell))
    if split is None:
        raise ValueError("not a split")
    return split


def _one_of(values: dict[str, Value]) -> Callable[[str], Value]:
    def parse(cell: str) -> Value:
        if cell not in values:
            raise ValueError("not one of the values")
        return values[cell]

    return parse
