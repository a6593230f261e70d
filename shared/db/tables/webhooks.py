"""Webhooks, and what was or will be delivered to them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class WebhookRow(Base):
    """An address that is told of jobs that end. Its secret derives from the installation's."""

    __tablename__ = "webhooks"
    __table_args__ = (Index("ix_webhooks_page", "created_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    #: The key that made it: only while that is valid is anything sent.
    key_id: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    url: Mapped[str]
    events: Mapped[list[str]]
    #: Empty: every kind.
    kinds: Mapped[list[str]]
    all_jobs: Mapped[bool]
    secret_version: Mapped[int] = mapped_column(default=1)
    #: When the secret became this version; the one before stays valid for a while.
    rotated_at: Mapped[datetime | None]
    #: Since when nothing has arrived.
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class DeliveryRow(Base):
    """One event for one webhook: written with the job's end, kept as the log of its attempts."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'delivered', 'failed')", name="status"),
        Index(
            "ix_webhook_deliveries_due",
            "webhook_id",
            "next_attempt_at",
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_webhook_deliveries_page", "webhook_id", "created_at", "id"),
    )

    #: Sent as ``webhook-id``.
    id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    #: None for a ping.
    job_id: Mapped[str | None] = mapped_column(
        ForeignKey("jobs.id", ondelete="CASCADE"), index=True
    )
    event: Mapped[str]
    #: Columns of the job as it ended: it may be retried before this is sent.
    job_end: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(default="pending")
    #: All that were begun. The number of the newest is what lets it write how it ended.
    attempts: Mapped[int] = mapped_column(default=0)
    #: Those since it was made or redelivered.
    tries: Mapped[int] = mapped_column(default=0)
    #: While an attempt runs: when it counts as lost.
    next_attempt_at: Mapped[datetime]
    #: ``at``, ``status``, ``seconds`` and ``error`` of each attempt that ended.
    log: Mapped[list[dict[str, Any]]]
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
