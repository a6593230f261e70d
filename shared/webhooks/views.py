"""Webhooks and deliveries in the contract's form."""

from datetime import UTC, datetime

from lesiongan.contracts.webhooks import Delivery, Webhook
from shared.db.tables import DeliveryRow, WebhookRow
from shared.webhooks.signing import OVERLAP


def webhook_view(row: WebhookRow) -> Webhook:
    """A webhook as its owner sees it."""
    overlap_ends = None if row.rotated_at is None else row.rotated_at + OVERLAP
    still = overlap_ends is not None and overlap_ends > datetime.now(UTC)
    return Webhook.model_validate(
        {
            "id": row.id,
            "name": row.name,
            "url": row.url,
            "events": row.events,
            "kinds": row.kinds,
            "jobs": "all" if row.all_jobs else "own",
            "key": row.key_id,
            "old_secret_valid_until": overlap_ends if still else None,
            "failing_since": row.failing_since,
            "disabled_at": row.disabled_at,
            "disabled_reason": row.disabled_reason,
            "created_at": row.created_at,
        }
    )


def delivery_view(row: DeliveryRow) -> Delivery:
    """A delivery with its log."""
    pending = row.status == "pending"
    return Delivery.model_validate(
        {
            "id": row.id,
            "webhook": row.webhook_id,
            "event": row.event,
            "job": row.job_id,
            "status": row.status,
            "attempts": row.log,
            "next_attempt_at": row.next_attempt_at if pending else None,
            "delivered_at": row.delivered_at,
            "created_at": row.created_at,
        }
    )
