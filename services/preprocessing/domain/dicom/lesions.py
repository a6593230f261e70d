"""``lesions.csv``: what the headers of DICOM files do not say.

Columns: ``category``, and ``sop_instance_uid`` or ``file`` (the file's ordinal in the source) or
both; optional ``frame`` (from 1), ``patient``, ``split``, ``noisy`` (0 or 1) and the box ``x1, y1,
x2, y2`` in pixels. A row is a lesion; several may lie on one slice.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lesiongan.contracts.categories import Category, Split
from services.preprocessing.domain.csv_table import (
    BadRow,
    Row,
    category_named,
    read_table,
    row_split,
    unknown_category,
)
from services.preprocessing.domain.raw_images import Box, Skipped
from shared.errors import BadInput

TABLE: Final = "lesions.csv"
#: As many as DeepLesion's table may have: all rows are held.
MAX_LESIONS: Final = 100_000
_BOX: Final = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """One row. ``box_px`` is as it is given: the image's size is not known yet."""

    number: int  # of the row; the header is row 1
    sop_instance: str | None
    file: int | None
    frame: int | None
    category: Category | None
    patient: str | None
    split: Split | None
    box_px: Box | None
    noisy: bool


class Lesions:
    """The rows of a table, found by file."""

    def __init__(self, rows: Sequence[Lesion], wrong: Sequence[Skipped]) -> None:
        self.rows = rows
        self.wrong = wrong
        self._of_file: dict[int, list[Lesion]] = defaultdict(list)
        self._of_instance: dict[str, list[Lesion]] = defaultdict(list)
        for row in rows:
            if row.file is not None:
                self._of_file[row.file].append(row)
            elif row.sop_instance is not None:
                self._of_instance[row.sop_instance].append(row)

    def may_name(self, file: int) -> bool:
        """Whether a file must be looked into to know."""
        return bool(self._of_instance) or file in self._of_file

    def of_file(self, file: int) -> Sequence[Lesion]:
        """Rows that name the file by its ordinal."""
        return self._of_file.get(file, ())

    def of(self, file: int, sop_instance: str | None) -> Sequence[Lesion]:
        """Rows that name the file by either, in the table's order."""
        named = self._of_instance.get(sop_instance or "", ())
        return sorted([*self.of_file(file), *named], key=lambda row: row.number)


def read_lesions(content: bytes) -> Lesions:
    """Parses the table. A single row that says something impossible is left out and reported.

    Raises:
        BadInput: a missing column, a row of another length, a patient in two splits, or more rows
            that are wrong than right.
    """
    rows: list[Lesion] = []
    wrong: list[Skipped] = []
    split_of_patient: dict[str, Split | None] = {}
    for cells in read_table(content, TABLE, ("category",), max_rows=MAX_LESIONS):
        _check_columns(cells)
        try:
            row = _parse(cells)
        except BadRow as fault:
            wrong.append(Skipped(None, fault.number, fault.reason))
            continue
        if row.patient and split_of_patient.setdefault(row.patient, row.split) != row.split:
            raise cells.error("the patient is in two splits; a patient belongs to one")
        rows.append(row)
    rows = _all_or_none_with_patient(rows, wrong)
    if len(wrong) > len(rows):
        raise BadInput(
            f"{TABLE}: {len(wrong)} of {len(rows) + len(wrong)} rows are wrong; "
            f"the first is row {wrong[0].row}: {wrong[0].reason}."
        )
    return Lesions(rows, wrong)


def _all_or_none_with_patient(rows: list[Lesion], wrong: list[Skipped]) -> list[Lesion]:
    """The table's patients and the headers' may be the same people under other names.

    So that they do not land in two splits, only one of the two names them.
    """
    named = [row for row in rows if row.patient]
    if not named:
        return rows
    reason = "patient is blank, but other rows name theirs"
    wrong.extend(Skipped(None, row.number, reason) for row in rows if not row.patient)
    return named


def _check_columns(row: Row) -> None:
    if not {"sop_instance_uid", "file"} & row.cells.keys():
        raise BadInput(f"{TABLE} lacks the column sop_instance_uid, or file.")
    lacking = [column for column in _BOX if column not in row.cells]
    if 0 < len(lacking) < len(_BOX):
        raise BadInput(f"{TABLE} lacks the column {lacking[0]}; a box has {', '.join(_BOX)}.")


def _parse(row: Row) -> Lesion:
    sop_instance = row.cells.get("sop_instance_uid") or None
    file = _ordinal(row, "file")
    if sop_instance is None and file is None:
        raise row.error("the row names no file: sop_instance_uid and file are blank")
    return Lesion(
        number=row.number,
        sop_instance=sop_instance,
        file=file,
        frame=_ordinal(row, "frame"),
        category=_category(row),
        patient=row.cells.get("patient") or None,
        split=row_split(row) if "split" in row.cells else None,
        box_px=_box(row),
        noisy=_noisy(row),
    )


def _ordinal(row: Row, column: str) -> int | None:
    """A number from 1 on; None where it is blank."""

    def parse(cell: str) -> int:
        number = int(cell)
        if number < 1:
            raise ValueError("counted from 1")
        return number

    return row.parse(column, parse, "a whole number from 1 on") if row.cells.get(column) else None


def _category(row: Row) -> Category | None:
    """Blank: unlabelled."""
    cell = row.cells["category"]
    try:
        return category_named(cell) if cell else None
    except ValueError as error:
        raise row.error(unknown_category(cell)) from error


def _noisy(row: Row) -> bool:
    cell = row.cells.get("noisy", "")
    if cell not in ("", "0", "1"):
        raise row.error("noisy must be 0, 1 or blank")
    return cell == "1"


def _box(row: Row) -> Box | None:
    """None where all four cells are blank."""
    if not any(row.cells.get(column) for column in _BOX):
        return None
    x1, y1, x2, y2 = (row.parse(column, _finite, "a number") for column in _BOX)
    if x1 >= x2 or y1 >= y2:
        raise row.error("the box has no area; it must be x1 < x2, y1 < y2")
    return x1, y1, x2, y2


def _finite(cell: str) -> float:
    number = float(cell)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number
