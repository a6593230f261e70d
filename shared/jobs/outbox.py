"""A job's end becomes a delivery for each webhook that wants it, in the same transaction."""

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from shared.db.tables import DeliveryRow, JobFollowerRow, JobRow, KeyRow, WebhookRow

#: Columns of a job that change when it is retried.
_END = ("status", "output", "error", "done", "total", "attempts", "started_at", "finished_at")


def announce(session: Session, job_id: str) -> None:
    """Write the deliveries of a job that has just ended: one statement, whoever listens."""
    session.connection().execute(_statement(), {"ended": job_id})


@cache
def _statement() -> Insert:
    """Built once: every job that ends runs it."""
    event = literal("job.").concat(JobRow.status)
    row: dict[str, Any] = {
        "id": new_delivery_id(),
        "webhook_id": WebhookRow.id,
        "job_id": JobRow.id,
        "event": event,
        "job_end": func.jsonb_build_object(*(part for name in _END for part in _member(name))),
        "occurred_at": JobRow.finished_at,
        "status": literal("pending"),
        "attempts": literal(0),
        "tries": literal(0),
        "next_attempt_at": func.clock_timestamp(),
        "log": func.jsonb_build_array(),
    }
    found = (
        select(*row.values())
        .join(WebhookRow, _wanted(event))
        .where(JobRow.id == bindparam("ended"))
        # A webhook that is being deleted is waited for, then left out.
        .with_for_update(read=True, key_share=True, of=WebhookRow)
    )
    return insert(DeliveryRow).from_select(list(row), found)


def new_delivery_id() -> ColumnElement[str]:
    """A random id, made by the database."""
    digits = func.replace(cast(func.gen_random_uuid(), Text), "-", "")
    return literal("msg_").concat(func.left(digits, 24))


def listening() -> ColumnElement[bool]:
    """Whether a webhook is enabled, and made by a key that is still valid."""
    unexpired = or_(KeyRow.expires_at.is_(None), KeyRow.expires_at > func.clock_timestamp())
    valid = exists().where(KeyRow.id == WebhookRow.key_id, KeyRow.revoked_at.is_(None), unexpired)
    return and_(WebhookRow.disabled_at.is_(None), valid)


def _wanted(event: ColumnElement[str]) -> ColumnElement[bool]:
    asked_too = exists().where(
        JobFollowerRow.job_id == JobRow.id, JobFollowerRow.key_id == WebhookRow.key_id
    )
    return and_(
        listening(),
        func.jsonb_exists(WebhookRow.events, event),
        or_(
            func.jsonb_array_length(WebhookRow.kinds) == 0,
            func.jsonb_exists(WebhookRow.kinds, JobRow.kind),
        ),
        or_(WebhookRow.all_jobs, WebhookRow.key_id == JobRow.key_id, asked_too),
    )


def _member(name: str) -> tuple[ColumnElement[str], ColumnElement[object]]:
    return literal(name), getattr(JobRow, name)
