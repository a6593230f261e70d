"""The audit: rows are added and, once they are old, removed; nothing changes one."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from shared.db.tables import AuditRow


def expire(session: Session, *, older_than: timedelta, at_most: int = 10_000) -> int:
    """Remove the oldest rows that are older than that; returns how many. The caller commits."""
    old = (
        select(AuditRow.id)
        .where(AuditRow.created_at < func.clock_timestamp() - older_than)
        .order_by(AuditRow.created_at)
        .limit(at_most)
    )
    removed = session.execute(delete(AuditRow).where(AuditRow.id.in_(old)))
    return int(removed.rowcount)  # type: ignore[attr-defined]
