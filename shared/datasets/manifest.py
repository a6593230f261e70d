"""``manifest.parquet``: one row an image."""

import io

import pyarrow.parquet as pq

from shared.datasets.columns import Records


def write_manifest(records: Records) -> bytes:
    """The manifest as Parquet, zstd-compressed, in order of the records."""
    sink = io.BytesIO()
    pq.write_table(records.table, sink, compression="zstd")
    return sink.getvalue()


def read_manifest(data: bytes) -> Records:
    """The inverse of :func:`write_manifest`. Columns that are younger than ``data`` are filled."""
    return Records(pq.read_table(io.BytesIO(data)))
