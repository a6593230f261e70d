"""Who did what: rows that are added, and removed only by age."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class AuditRow(Base):
    """One request that changed something, or was refused for its key."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_page", "created_at", "id"),
        Index("ix_audit_key", "key_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    #: Null where no valid key was sent.
    key_id: Mapped[str | None]
    #: The operation's id in the OpenAPI document.
    operation: Mapped[str]
    #: The id of what it was done to, or of what it made.
    target: Mapped[str | None]
    #: The answer's HTTP status.
    status: Mapped[int]
    request_id: Mapped[str]
    address: Mapped[str]
    created_at: Mapped[datetime]
