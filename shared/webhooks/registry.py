"""Webhooks as their owners make and change them. Callers commit."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from lesiongan.contracts.webhooks import WebhookCommand
from shared.db.tables import DeliveryRow, WebhookRow
from shared.errors import Conflict, Forbidden, NotFound
from shared.ids import new_id
from shared.jobs import ledger
from shared.jobs.outbox import new_delivery_id
from shared.webhooks.message import PING
from shared.webhooks.target import Resolver, Rules, checked_addresses, parse_target

#: Of one key, so that its receivers, all dead, leave room for those of others.
MAX_WEBHOOKS = 20


@dataclass(frozen=True)
class Owner:
    """Whose webhooks are meant: a key's own, or all for an admin."""

    key_id: str
    admin: bool

    def webhooks(self) -> Select[WebhookRow]:
        """Those that this owner may see and change."""
        query = select(WebhookRow)
        return query if self.admin else query.where(WebhookRow.key_id == self.key_id)

    def find(self, session: Session, webhook_id: str) -> WebhookRow:
        """One of them; raises :class:`NotFound`."""
        return self._one(session, webhook_id, self.webhooks())

    def hold(self, session: Session, webhook_id: str) -> WebhookRow:
        """One of them, locked against other changes; raises :class:`NotFound`."""
        return self._one(session, webhook_id, self.webhooks().with_for_update(key_share=True))

    def _one(self, session: Session, webhook_id: str, query: Select[WebhookRow]) -> WebhookRow:
        row = session.scalar(query.where(WebhookRow.id == webhook_id))
        if row is None:
            raise NotFound(f"there is no webhook {webhook_id}")
        return row


def create(
    session: Session, command: WebhookCommand, owner: Owner, rules: Rules, resolve: Resolver
) -> WebhookRow:
    """A new webhook.

    Raises :class:`shared.errors.BadInput` for an address that must not be reached,
    :class:`Forbidden` and :class:`Conflict`.
    """
    if command.jobs == "all" and not owner.admin:
        raise Forbidden('this key lacks the scope admin, which "jobs": "all" needs')
    target = parse_target(command.url, rules)
    checked_addresses(target.host, target.port, rules, resolve)
    ledger.lock_target(session, f"webhooks of {owner.key_id}")
    mine = select(func.count()).where(WebhookRow.key_id == owner.key_id)
    if session.scalars(mine).one() >= MAX_WEBHOOKS:
        raise Conflict(f"a key has at most {MAX_WEBHOOKS} webhooks: remove one first")
    row = WebhookRow(
        id=new_id("wh"),
        key_id=owner.key_id,
        name=command.name,
        url=command.url,
        events=list(command.events),
        kinds=list(command.kinds),
        all_jobs=command.jobs == "all",
    )
    session.add(row)
    session.flush()
    return row


def rotate(row: WebhookRow) -> None:
    """Give the webhook a new secret; the one before signs as well for 24 hours."""
    row.secret_version += 1
    row.rotated_at = datetime.now(UTC)


def enable(row: WebhookRow) -> None:
    """Send again, what has waited since it was disabled included."""
    row.disabled_at = row.disabled_reason = row.failing_since = None


def disable(row: WebhookRow, reason: str) -> None:
    """Send nothing any more; what is not delivered yet waits."""
    row.disabled_at, row.disabled_reason = datetime.now(UTC), reason


def ping(session: Session, row: WebhookRow) -> DeliveryRow:
    """A delivery of no job, to try the receiver. Raises :class:`Conflict` if it is disabled."""
    _refuse_disabled(row)
    now = datetime.now(UTC)
    made = DeliveryRow(
        id=session.scalars(select(new_delivery_id())).one(),
        webhook_id=row.id,
        event=PING,
        job_end={},
        occurred_at=now,
        next_attempt_at=now,
        log=[],
    )
    session.add(made)
    session.flush()
    return made


def redeliver(session: Session, webhook: WebhookRow, delivery_id: str) -> DeliveryRow:
    """Send at once, and again by the schedule if that fails; under the same id.

    Raises :class:`NotFound`, and :class:`Conflict` if the webhook is disabled.
    """
    _refuse_disabled(webhook)
    query = (
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id, DeliveryRow.webhook_id == webhook.id)
        .values(status="pending", tries=0, next_attempt_at=func.clock_timestamp())
        .returning(DeliveryRow)
    )
    row = session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotFound(f"webhook {webhook.id} has no delivery {delivery_id}")
    return row


def _refuse_disabled(row: WebhookRow) -> None:
    if row.disabled_at is not None:
        raise Conflict(f"webhook {row.id} is disabled ({row.disabled_reason}): enable it first")
