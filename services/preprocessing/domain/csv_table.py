"""CSV tables with named columns, and cells parsed with errors that name row and column.

Values are not echoed in errors unless they are a category: a cell may identify a patient.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lesiongan.contracts.categories import CATEGORIES, UNLABELLED, Category
from shared.errors import BadInput

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table. ``number`` counts as a spreadsheet does: the header is row 1."""

    table: str
    number: int
    cells: dict[str, str]

    def parse(self, column: str, parse: Callable[[str], T], expected: str) -> T:
        """Raises BadInput that names table, row and column if ``parse`` raises ValueError."""
        try:
            return parse(self.cells[column])
        except ValueError as error:
            raise self.error(f"{column} must be {expected}") from error

    def error(self, problem: str) -> BadInput:
        return BadInput(f"{self.table}, row {self.number}: {problem}.")


def read_table(content: bytes, table: str, columns: Sequence[str]) -> Iterator[Row]:
    """Rows of a UTF-8 CSV; cells are stripped of surrounding white space.

    Raises:
        BadInput: not UTF-8, not a CSV, a missing column, or a row of another length.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{table} is not UTF-8 text.") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, table, columns)
        for number, cells in enumerate(reader, start=2):
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise BadInput(
                    f"{table}, row {number}: {len(cells)} cells, but the header has {len(header)}."
                )
            stripped = (cell.strip() for cell in cells)
            yield Row(table, number, dict(zip(header, stripped, strict=True)))
    except csv.Error as error:
        raise BadInput(f"{table} is not a well-formed CSV file.") from error


def _check_header(header: Sequence[str], table: str, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in header]
    if missing:
        raise BadInput(
            f"{table} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}."
        )
    if len(set(header)) != len(header):
        raise BadInput(f"{table} has two columns of the same name.")


def category_named(name: str) -> Category | None:
    """A category from a folder or cell: case, spaces and hyphens do not matter.

    Returns None for ``unlabelled``. Raises ValueError for any other name.
    """
    normal = name.strip().lower().replace(" ", "_").replace("-", "_")
    if normal == UNLABELLED:
        return None
    for category in CATEGORIES:
        if category == normal:
            return category
    raise ValueError(name)


def unknown_category(name: str) -> str:
    """A clause that names the value (shortened) and what is allowed."""
    shown = "".join(character for character in name[:32] if character.isprintable())
    return f"unknown category '{shown}'; the categories are {', '.join(CATEGORIES)}"
