"""What a delivery says."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from shared.db.tables import DeliveryRow, JobRow
from shared.jobs.views import job_view

PING = "ping"


def body_of(session: Session, row: DeliveryRow) -> bytes:
    """The JSON of an event: the job as ``GET /jobs/{id}`` answered when it ended."""
    payload = {
        "type": row.event,
        "timestamp": _written(row.occurred_at),
        "data": {"webhook": row.webhook_id} if row.job_id is None else _job(session, row),
    }
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=True).encode()


def _job(session: Session, row: DeliveryRow) -> dict[str, Any]:
    now = session.get_one(JobRow, row.job_id)
    members = {column.key: getattr(now, column.key) for column in inspect(JobRow).column_attrs}
    ended = JobRow(**(members | row.job_end))
    return job_view(session, ended).model_dump(mode="json")


def _written(when: datetime) -> str:
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")
