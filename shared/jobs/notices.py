"""Telling waiters that a job changed: Postgres' NOTIFY, sent with the commit that changed it."""

from sqlalchemy import text
from sqlalchemy.orm import Session

CHANNEL = "lesiongan_jobs"


def notify(session: Session, job_id: str) -> None:
    """Wake whoever waits for ``job_id`` when this transaction commits."""
    session.execute(text("SELECT pg_notify(:channel, :job)"), {"channel": CHANNEL, "job": job_id})
