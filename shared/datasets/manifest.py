"""``manifest.parquet``: one row an image."""

import io
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from shared.datasets.records import ImageRecord, from_json

_NEIGHBOUR = pa.struct(
    [
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("sha256", pa.string(), nullable=False),
    ]
)

#: Manifests that are older than a column lack it: :func:`read_manifest` then takes the default.
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
        pa.field("shard", pa.int32(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("channels", pa.int8(), nullable=False),
        pa.field("previous", _NEIGHBOUR),
        pa.field("following", _NEIGHBOUR),
    ]
)


def write_manifest(records: Sequence[ImageRecord]) -> bytes:
    """The manifest as Parquet, zstd-compressed, in order of the records."""
    rows: list[dict[str, Any]] = [record.as_json() for record in records]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), sink, compression="zstd")
    return sink.getvalue()


def read_manifest(data: bytes) -> list[ImageRecord]:
    """The inverse of :func:`write_manifest`."""
    table = pq.read_table(io.BytesIO(data))
    return [from_json(ImageRecord, row) for row in table.to_pylist()]
