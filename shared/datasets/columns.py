"""What is known of a data set's images, in columns: a fifth of the memory that objects take."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, asdict, fields
from operator import attrgetter
from typing import Any, overload

import pyarrow as pa
import pyarrow.compute as pc

from lesiongan.contracts.categories import Category, Split
from shared.datasets.records import BESIDE, TUPLES, ImageRecord, Neighbour

_NEIGHBOUR = pa.struct(
    [
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
    ]
)

SCHEMA = pa.schema(
    [
        pa.field("index", pa.int64(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
        pa.field("category", pa.dictionary(pa.int8(), pa.string())),
        pa.field("split", pa.dictionary(pa.int8(), pa.string())),
        pa.field("patient", pa.string()),
        pa.field("source", pa.string(), nullable=False),
        pa.field("unit", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        pa.field("spacing_mm", pa.float64()),
        pa.field("box_px", pa.list_(pa.float64(), 4)),
        pa.field("window_hu", pa.list_(pa.float64(), 2)),
        pa.field("noisy", pa.bool_(), nullable=False),
        pa.field("parent_index", pa.int64()),
        pa.field("seed", pa.int64()),
        pa.field("draw", pa.int32()),
        pa.field("phash", pa.int64()),
        pa.field("location", pa.list_(pa.float64(), 3)),
        pa.field("shard", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("channels", pa.int8(), nullable=False),
        pa.field("previous", _NEIGHBOUR),
        pa.field("following", _NEIGHBOUR),
    ]
)

#: Rows that are objects at once while records are gone through.
_BATCH_ROWS = 1024


class Records(Sequence[ImageRecord]):
    """Records in the order in which their images lie. Each is made anew whenever it is asked for.

    :meth:`members` is the quick way where a few members of all records are wanted.
    """

    def __init__(self, table: pa.Table) -> None:
        """``table`` may lack columns that have a default: manifests are older than some."""
        self._table = table if table.schema.equals(SCHEMA) else _completed(table)

    @classmethod
    def of(cls, records: Iterable[ImageRecord]) -> "Records":
        """The same records in columns."""
        known = list(records)
        columns = [pa.array(_plain(known, each.name), each.type) for each in SCHEMA]
        return cls(pa.table(columns, schema=SCHEMA))

    @classmethod
    def joined(cls, parts: Sequence["Records"]) -> "Records":
        """All records of ``parts``, one part after the other."""
        return cls(pa.concat_tables([part.table for part in parts] or [SCHEMA.empty_table()]))

    @property
    def table(self) -> pa.Table:
        """The columns, as :data:`SCHEMA` describes them."""
        return self._table

    @property
    def nbytes(self) -> int:
        """Of memory."""
        return int(self._table.nbytes)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @overload
    def __getitem__(self, place: int) -> ImageRecord: ...

    @overload
    def __getitem__(self, place: slice) -> "Records": ...

    def __getitem__(self, place: int | slice) -> "ImageRecord | Records":
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step != 1:
                raise ValueError("records are in the order in which their images lie")
            return Records(self._table.slice(start, max(stop - start, 0)))
        at = place + len(self) if place < 0 else place
        if not 0 <= at < len(self):
            raise IndexError(place)
        return next(iter(self[at : at + 1]))

    def __iter__(self) -> Iterator[ImageRecord]:
        names = [each.name for each in SCHEMA]
        for row in self.members(*names):
            yield ImageRecord(**dict(zip(names, row, strict=True)))

    def members(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Of each record the members ``names``, as :class:`ImageRecord` holds them."""
        for batch in self._table.select(names).to_batches(max_chunksize=_BATCH_ROWS):
            yield from zip(*(_values(batch.column(name), name) for name in names), strict=True)

    def where(
        self,
        *,
        category: Category | None = None,
        split: Split | None = None,
        source: str | None = None,
    ) -> "Records":
        """Those of a category, a split and a source; None means all."""
        table = self._table
        for name, value in (("category", category), ("split", split), ("source", source)):
            if value is not None:
                table = table.filter(pc.field(name) == value)
        return Records(table)

    def take(self, places: Sequence[int]) -> "Records":
        """The records at ``places``, which rise."""
        return Records(self._table.take(pa.array(places, pa.int64())))


def _plain(records: Sequence[ImageRecord], name: str) -> list[Any]:
    """A member of all records, as Arrow takes it."""
    values = list(map(attrgetter(name), records))
    if name in BESIDE:
        return [None if value is None else asdict(value) for value in values]
    return values


def _values(column: pa.Array, name: str) -> list[Any]:
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())  # decoding one by one takes a hundred times as long
    values: list[Any] = column.to_pylist()
    if column.null_count == len(column):
        return values
    if name in TUPLES:
        return [None if value is None else tuple(value) for value in values]
    if name in BESIDE:
        return [None if value is None else Neighbour(**value) for value in values]
    return values


def _completed(table: pa.Table) -> pa.Table:
    """``table`` with all columns, in order; what it lacks has the default of a record."""
    defaults = {each.name: each.default for each in fields(ImageRecord)}
    columns = []
    for wanted in SCHEMA:
        if wanted.name in table.column_names:
            columns.append(table[wanted.name].cast(wanted.type))
            continue
        default = defaults[wanted.name]
        if default is MISSING:
            raise ValueError(f"a manifest lacks {wanted.name}")
        columns.append(pa.chunked_array([pa.repeat(pa.scalar(default, wanted.type), len(table))]))
    return pa.table(columns, schema=SCHEMA)
