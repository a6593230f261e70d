"""Deliveries on their way: taken with a lease, and written down when their attempt has ended.

Any number of processes may take them. Each begun attempt has a number; one whose lease was taken
over changes nothing any more, unless it did arrive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from shared.db.tables import DeliveryRow, WebhookRow
from shared.jobs.outbox import listening
from shared.webhooks import registry
from shared.webhooks.message import body_of
from shared.webhooks.schedule import PATIENCE, pause_after
from shared.webhooks.signing import valid_secrets

#: Attempts that are kept of one delivery: the whole schedule, and redeliveries.
MAX_LOG = 50
#: What has ended is forgotten after so long.
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True)
class Message:
    """One attempt to deliver: the right to make it, and all that it needs."""

    delivery_id: str
    webhook_id: str
    attempt: int
    url: str
    secrets: list[bytes] = field(repr=False)


@dataclass(frozen=True)
class Attempt:
    """How an attempt ended. ``error`` says why it counts as failed."""

    at: datetime
    seconds: float
    status: int | None = None
    error: str | None = None
    retry_after: timedelta | None = None

    def entry(self) -> dict[str, Any]:
        """What the log keeps of it."""
        return {
            "at": self.at.isoformat(),
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "error": self.error,
        }


def take_due(
    session: Session,
    *,
    room: int,
    per_webhook: int,
    running: Mapping[str, int],
    lease: timedelta,
    installation: str,
) -> list[Message]:
    """Take up to ``room`` deliveries that are due, ``per_webhook`` of each at most.

    Args:
        running: how many attempts the caller makes now, by webhook.
        lease: an attempt that has not ended after so long counts as lost.
        installation: the secret from which webhooks' own derive.
    """
    taken: list[Message] = []
    for webhook in _with_due(session):
        places = min(room - len(taken), per_webhook - running.get(webhook.id, 0))
        if places <= 0:
            continue
        for row in _due(session, webhook.id, places):
            row.attempts += 1
            row.tries += 1
            row.next_attempt_at = func.clock_timestamp() + lease
            taken.append(_message(webhook, row, installation))
    session.flush()
    return taken


def body(session: Session, message: Message) -> bytes | None:
    """What the message says; None if its webhook was deleted meanwhile."""
    row = session.get(DeliveryRow, message.delivery_id)
    return None if row is None else body_of(session, row)


def record(session: Session, message: Message, attempt: Attempt) -> None:
    """Write down how an attempt ended, and what follows from it."""
    # The webhook first: as whoever deletes it does.
    webhook = session.scalar(
        select(WebhookRow)
        .where(WebhookRow.id == message.webhook_id)
        .with_for_update(key_share=True)
    )
    row = session.scalar(
        select(DeliveryRow).where(DeliveryRow.id == message.delivery_id).with_for_update()
    )
    if webhook is None or row is None:
        return  # deleted meanwhile
    row.log = [*row.log[1 - MAX_LOG :], attempt.entry()]
    if attempt.error is None:
        row.status, row.delivered_at = "delivered", datetime.now(UTC)
        webhook.failing_since = None
        return
    webhook.failing_since = webhook.failing_since or attempt.at
    if row.attempts == message.attempt:
        _put_off(row, attempt)
    if webhook.disabled_at is None:
        _judge(webhook, attempt)


def forget_old(session: Session) -> None:
    """Delete the log of what ended long ago."""
    old = DeliveryRow.created_at < func.clock_timestamp() - KEPT_FOR
    session.execute(delete(DeliveryRow).where(DeliveryRow.status != "pending", old))


def _with_due(session: Session) -> list[WebhookRow]:
    """Webhooks that have something to send, those that wait longest first."""
    due = (
        select(DeliveryRow.webhook_id, func.min(DeliveryRow.next_attempt_at).label("since"))
        .where(
            DeliveryRow.status == "pending", DeliveryRow.next_attempt_at <= func.clock_timestamp()
        )
        .group_by(DeliveryRow.webhook_id)
        .subquery()
    )
    query = (
        select(WebhookRow)
        .join(due, due.c.webhook_id == WebhookRow.id)
        .where(listening())
        .order_by(due.c.since)
    )
    return list(session.scalars(query))


def _due(session: Session, webhook_id: str, limit: int) -> list[DeliveryRow]:
    query = (
        select(DeliveryRow)
        .where(
            DeliveryRow.webhook_id == webhook_id,
            DeliveryRow.status == "pending",
            DeliveryRow.next_attempt_at <= func.clock_timestamp(),
        )
        .order_by(DeliveryRow.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def _message(webhook: WebhookRow, row: DeliveryRow, installation: str) -> Message:
    secrets = valid_secrets(
        installation, webhook.id, webhook.secret_version, webhook.rotated_at, datetime.now(UTC)
    )
    return Message(
        delivery_id=row.id,
        webhook_id=webhook.id,
        attempt=row.attempts,
        url=webhook.url,
        secrets=secrets,
    )


def _put_off(row: DeliveryRow, attempt: Attempt) -> None:
    pause = pause_after(row.tries, retry_after=attempt.retry_after)
    if pause is None or attempt.status == HTTPStatus.GONE:
        row.status = "failed"
    else:
        row.next_attempt_at = func.clock_timestamp() + pause


def _judge(webhook: WebhookRow, attempt: Attempt) -> None:
    if attempt.status == HTTPStatus.GONE:
        registry.disable(webhook, "the receiver answered 410 Gone")
    elif webhook.failing_since is not None and attempt.at - webhook.failing_since > PATIENCE:
        registry.disable(webhook, f"nothing has arrived for {PATIENCE.days} days")
