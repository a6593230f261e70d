"""Routes of webhooks. Only rows are written here: another process delivers."""

from typing import Annotated

from fastapi import Query, Response
from sqlalchemy import select

from lesiongan.contracts.base import Page
from lesiongan.contracts.webhooks import (
    Delivery,
    DeliveryStatus,
    NewWebhook,
    Webhook,
    WebhookCommand,
)
from shared.db.pages import newest_first
from shared.db.tables import DeliveryRow, WebhookRow
from shared.web.auth import Caller, Reader, Submitter
from shared.web.paging import PagingDep
from shared.web.responses import header
from shared.web.routing import Router
from shared.web.state import SessionDep, StateDep
from shared.webhooks import registry
from shared.webhooks.registry import Owner
from shared.webhooks.signing import secret_of, shown
from shared.webhooks.target import Rules, system_resolver
from shared.webhooks.views import delivery_view, webhook_view

router = Router(prefix="/webhooks", tags=["webhooks"])


@router.post(
    "",
    summary="Add a webhook",
    operation_id="create_webhook",
    status_code=201,
    responses={201: {"headers": {"Location": header("the webhook's address", required=True)}}},
)
def create_webhook(
    command: WebhookCommand,
    caller: Submitter,
    session: SessionDep,
    state: StateDep,
    response: Response,
) -> NewWebhook:
    """Its receiver gets a signed POST for each job that ends, as Standard Webhooks says.

    The secret is shown once, in this answer. 422 for internal addresses and unknown names.
    """
    rules = Rules.of(state.settings)
    row = registry.create(session, command, _owner(caller), rules, system_resolver)
    session.commit()
    response.headers["Location"] = f"/webhooks/{row.id}"
    return _with_secret(row, state)


@router.get("", summary="List webhooks", operation_id="list_webhooks")
def list_webhooks(caller: Reader, session: SessionDep, paging: PagingDep) -> Page[Webhook]:
    """Those of this key; for admins, all."""
    query = _owner(caller).webhooks()
    page = newest_first(session, query, WebhookRow, limit=paging.limit, cursor=paging.cursor)
    return Page(items=[webhook_view(row) for row in page.rows], next_cursor=page.next_cursor)


@router.get("/{webhook_id}", summary="Get a webhook", operation_id="get_webhook")
def get_webhook(webhook_id: str, caller: Reader, session: SessionDep) -> Webhook:
    return webhook_view(_owner(caller).find(session, webhook_id))


@router.delete(
    "/{webhook_id}", summary="Remove a webhook", operation_id="delete_webhook", status_code=204
)
def delete_webhook(webhook_id: str, caller: Submitter, session: SessionDep) -> Response:
    """With all that it still had to deliver, and its log."""
    session.delete(_owner(caller).find(session, webhook_id))
    session.commit()
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/rotate", summary="Change a webhook's secret", operation_id="rotate_webhook"
)
def rotate_webhook(
    webhook_id: str, caller: Submitter, session: SessionDep, state: StateDep
) -> NewWebhook:
    """The new secret is shown once. For 24 hours messages are signed with both."""
    row = _owner(caller).hold(session, webhook_id)
    registry.rotate(row)
    session.commit()
    return _with_secret(row, state)


@router.post("/{webhook_id}/enable", summary="Enable a webhook", operation_id="enable_webhook")
def enable_webhook(webhook_id: str, caller: Submitter, session: SessionDep) -> Webhook:
    """After it was disabled; what has waited since is delivered."""
    row = _owner(caller).hold(session, webhook_id)
    registry.enable(row)
    session.commit()
    return webhook_view(row)


@router.post(
    "/{webhook_id}/test", summary="Try a webhook", operation_id="test_webhook", status_code=202
)
def test_webhook(webhook_id: str, caller: Submitter, session: SessionDep) -> Delivery:
    """Sends a `ping`; its delivery says how that went. 409 if the webhook is disabled."""
    row = registry.ping(session, _owner(caller).hold(session, webhook_id))
    session.commit()
    session.refresh(row)
    return delivery_view(row)


@router.get(
    "/{webhook_id}/deliveries", summary="List deliveries", operation_id="list_webhook_deliveries"
)
def list_deliveries(
    webhook_id: str,
    caller: Reader,
    session: SessionDep,
    paging: PagingDep,
    status: Annotated[DeliveryStatus | None, Query(description="only in this state")] = None,
) -> Page[Delivery]:
    """With every attempt, newest first; those that have ended are kept for 30 days."""
    webhook = _owner(caller).find(session, webhook_id)
    query = select(DeliveryRow).where(DeliveryRow.webhook_id == webhook.id)
    if status is not None:
        query = query.where(DeliveryRow.status == status)
    page = newest_first(session, query, DeliveryRow, limit=paging.limit, cursor=paging.cursor)
    return Page(items=[delivery_view(row) for row in page.rows], next_cursor=page.next_cursor)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    summary="Deliver again",
    operation_id="redeliver_webhook",
    status_code=202,
)
def redeliver(
    webhook_id: str, delivery_id: str, caller: Submitter, session: SessionDep
) -> Delivery:
    """At once, under the same id, and by the schedule if that fails. 409 if it is disabled."""
    webhook = _owner(caller).hold(session, webhook_id)
    row = registry.redeliver(session, webhook, delivery_id)
    session.commit()
    return delivery_view(row)


def _owner(caller: Caller) -> Owner:
    return Owner(caller.key_id, admin="admin" in caller.scopes)


def _with_secret(row: WebhookRow, state: StateDep) -> NewWebhook:
    installation = state.settings.secret.get_secret_value()
    secret = shown(secret_of(installation, row.id, row.secret_version))
    return NewWebhook(**webhook_view(row).model_dump(), secret=secret)
