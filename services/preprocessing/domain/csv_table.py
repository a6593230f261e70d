"""CSV tables with named columns, and cells parsed with errors that name row and column.

Values are not echoed in errors unless they are a category: a cell may identify a patient.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from lesiongan.contracts.categories import CATEGORIES, SPLITS, UNLABELLED, Category, Split
from shared.errors import BadInput

T = TypeVar("T")

#: An archive has at most so many files. DeepLesion's own table has 32,735 rows in 10 MB.
MAX_ROWS: Final = 250_000
MAX_TABLE_BYTES: Final = 64 << 20
#: A row may go over several lines, and its cells may be many: it is held as a whole.
MAX_ROW_CHARACTERS: Final = 1 << 20


class BadRow(BadInput):
    """One row cannot be used. ``reason`` is a clause that names the column, not the row."""

    def __init__(self, table: str, number: int, problem: str) -> None:
        super().__init__(f"{table}, row {number}: {problem}.")
        self.number = number
        self.reason = problem


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table. ``number`` counts as a spreadsheet does: the header is row 1."""

    table: str
    number: int
    cells: dict[str, str]

    def parse(self, column: str, parse: Callable[[str], T], expected: str) -> T:
        """Raises BadRow that names table, row and column if ``parse`` raises ValueError."""
        try:
            return parse(self.cells[column])
        except ValueError as error:
            raise self.error(f"{column} must be {expected}") from error

    def error(self, problem: str) -> BadRow:
        return BadRow(self.table, self.number, problem)


def read_table(
    content: bytes, table: str, columns: Sequence[str], *, max_rows: int = MAX_ROWS
) -> Iterator[Row]:
    """Rows of a UTF-8 CSV; cells are stripped of surrounding white space.

    Raises:
        BadInput: not UTF-8, not a CSV, a missing column, a row of another length, or more than
            ``max_rows``, ``MAX_TABLE_BYTES`` or ``MAX_ROW_CHARACTERS``.
    """
    if len(content) > MAX_TABLE_BYTES:
        raise BadInput(f"{table} has more than {MAX_TABLE_BYTES >> 20} MiB, which is the limit.")
    lines = _Lines(content, table)
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, table, columns)
        for number, cells in enumerate(reader, start=2):
            lines.end_row()
            if number > max_rows + 1:
                raise BadInput(f"{table} has more than {max_rows:,} rows, which is the limit.")
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise BadInput(
                    f"{table}, row {number}: {len(cells)} cells, but the header has {len(header)}."
                )
            stripped = (cell.strip() for cell in cells)
            yield Row(table, number, dict(zip(header, stripped, strict=True)))
    except UnicodeDecodeError as error:
        raise BadInput(f"{table} is not UTF-8 text.") from error
    except csv.Error as error:
        raise BadInput(f"{table} is not a well-formed CSV file.") from error


class _Lines:
    """The lines of a table one by one: never a second copy of all of it, nor a row without end."""

    def __init__(self, content: bytes, table: str) -> None:
        self._text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        self._table = table
        self._row_characters = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_ROW_CHARACTERS + 1)
        self._row_characters += len(line)
        if self._row_characters > MAX_ROW_CHARACTERS:
            raise BadInput(f"{self._table} has a row of more than {MAX_ROW_CHARACTERS:,} letters.")
        if not line:
            raise StopIteration
        return line

    def end_row(self) -> None:
        """A row has been read to its end."""
        self._row_characters = 0


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


def row_split(row: Row) -> Split | None:
    """The cell ``split``; None where it is blank. Raises BadRow."""
    cell = row.cells["split"].lower()
    if not cell:
        return None
    for split in SPLITS:
        if split == cell:
            return split
    raise row.error("split must be train, val, test or blank")
