"""The ledger: jobs, what they wait for, what they reported, and who asked."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base
from shared.observability import current, tracing


class JobRow(Base):
    """One job. The row is the truth and the outbox; queues only hold its id."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="status"
        ),
        Index("ix_jobs_active", "status", "queue", postgresql_where=text("finished_at IS NULL")),
        Index("ix_jobs_target", "target", postgresql_where=text("finished_at IS NULL")),
        Index("ix_jobs_page", "created_at", "id"),
        Index("ix_jobs_key", "key_id", "created_at"),
        Index("ix_jobs_key_active", "key_id", postgresql_where=text("finished_at IS NULL")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    queue: Mapped[str]
    status: Mapped[str] = mapped_column(default="queued")
    input: Mapped[dict[str, Any]]
    output: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    #: Id of what the job makes; two active jobs never make the same thing.
    target: Mapped[str | None]
    #: The key that asked for it.
    key_id: Mapped[str | None]
    #: Somebody besides the first asker waits for it: a client who leaves must not cancel it.
    adopted: Mapped[bool] = mapped_column(default=False)
    cancel_requested: Mapped[bool] = mapped_column(default=False)

    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    unit: Mapped[str] = mapped_column(default="step")
    #: How much work it is, in a measure of its kind. Null in rows that are older than the column.
    work: Mapped[float | None]
    eta_seconds: Mapped[float | None]

    #: How often it was claimed. Writes of a worker count only while its attempt is the current one.
    attempts: Mapped[int] = mapped_column(default=0)
    #: Claims that ended without a new checkpoint or shard, since the last one.
    stalls: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None]
    lease_expires_at: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    #: The bell is rung as soon as the row is committed.
    rung_at: Mapped[datetime | None] = mapped_column(default=func.clock_timestamp())
    device_seconds: Mapped[float] = mapped_column(default=0.0)
    #: Only one such job runs on a device at a time: a training.
    exclusive: Mapped[bool] = mapped_column(default=False)
    #: Where it runs; while it is queued, the device that it waits for.
    device: Mapped[str | None]

    #: The request that asked for it, and its place in that request's trace.
    request_id: Mapped[str | None] = mapped_column(default=current.request_id)
    trace: Mapped[str | None] = mapped_column(default=tracing.carried)

    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    started_at: Mapped[datetime | None]
    #: When the current attempt began.
    claimed_at: Mapped[datetime | None]
    #: When the current attempt last told of its progress; and when it last told, at what ``done``,
    #: that no more than half was done: from there on its pace is measured.
    reported_at: Mapped[datetime | None]
    mark_at: Mapped[datetime | None]
    mark_done: Mapped[int | None]
    finished_at: Mapped[datetime | None]


class JobParentRow(Base):
    """``job_id`` runs only after ``parent_id`` has succeeded."""

    __tablename__ = "job_parents"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    parent_id: Mapped[str] = mapped_column(
        ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class JobFollowerRow(Base):
    """``key_id`` asked for a job that another key had asked for already."""

    __tablename__ = "job_followers"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    key_id: Mapped[str] = mapped_column(primary_key=True)


class JobEventRow(Base):
    """What a job reported while it ran; read by event streams in order of ``id``."""

    __tablename__ = "job_events"
    __table_args__ = (Index("ix_job_events_stream", "job_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    event: Mapped[str]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class IdempotencyRow(Base):
    """A request that must make one job only, however often it is sent."""

    __tablename__ = "idempotency_keys"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(primary_key=True)
    #: SHA-256 over method, path, query and body.
    fingerprint: Mapped[str]
    job_id: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
