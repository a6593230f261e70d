"""Data sets, their shards, and uploads on their way to become data sets."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base

#: A file's content; ``bytes`` itself is a column below.
Parquet = bytes


class DatasetRow(Base):
    """A complete, immutable data set. The row is written when the last shard lies in the store."""

    __tablename__ = "datasets"
    __table_args__ = (
        Index("ix_datasets_page", "created_at", "id"),
        Index("ix_datasets_patients", "patients", postgresql_using="gin"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    parents: Mapped[list[str]]
    command: Mapped[dict[str, Any]]
    #: SHA-256 over the images' own SHA-256, in order.
    sha256: Mapped[str]
    images: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    phantom: Mapped[bool]
    counts: Mapped[dict[str, Any]]
    skipped: Mapped[list[dict[str, Any]]]
    skipped_total: Mapped[int]
    #: Skipped files of each reason. Null in rows that are older than the column.
    skipped_for: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    notes: Mapped[list[str]]
    manifest_key: Mapped[str]
    job_id: Mapped[str]
    #: Images of each patient, by pseudonym. Null in rows that are older than the column.
    patients: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), deferred=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class ShardRow(Base):
    """A complete shard of a data set that may still be growing."""

    __tablename__ = "shards"

    dataset_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    first_index: Mapped[int]
    images: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    #: Its part of the manifest, while there is none: what a later attempt must know to go on.
    records: Mapped[Parquet | None] = mapped_column(deferred=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class UploadRow(Base):
    """An archive that was streamed into the store in parts, until its ingest ends."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(primary_key=True)
    bytes: Mapped[int] = mapped_column(BigInteger)
    parts: Mapped[int]
    part_bytes: Mapped[int]
    sha256: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
