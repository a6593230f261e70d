"""Webhooks, ended jobs, and a deliverer in this process."""

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from ipaddress import ip_network
from typing import Any

import httpx
from sqlalchemy import func, select, update

from lesiongan.contracts.webhooks import WebhookCommand
from shared.db.engine import Sessions
from shared.db.tables import DeliveryRow, KeyRow, WebhookRow
from shared.jobs import ledger
from shared.webhooks import registry
from shared.webhooks.deliverer import Deliverer, Limits
from shared.webhooks.registry import Owner
from shared.webhooks.sending import Sender
from shared.webhooks.signing import secret_of, shown
from shared.webhooks.target import Resolver, Rules, system_resolver
from tests.integration.shared.builders import committed, running
from tests.integration.webhooks.receiver import DEADLINE_SECONDS

INSTALLATION = "0123456789abcdef"
KEY = "key_owner"
LOOPBACK = Rules(allowed=[ip_network("127.0.0.0/8")], https_only=False)


def add_key(sessions: Sessions, key_id: str = KEY, **members: Any) -> None:
    row = KeyRow(id=key_id, name="", sha256=key_id, scopes=["submit"], **members)
    committed(sessions, lambda session: session.add(row))


def add_webhook(sessions: Sessions, url: str, *, key_id: str = KEY, **members: Any) -> str:
    """The id of a webhook of a valid key."""
    with sessions() as session:
        if session.get(KeyRow, key_id) is None:
            add_key(sessions, key_id)
    command = WebhookCommand.model_validate({"url": url, **members})
    owner = Owner(key_id, admin=True)
    made: WebhookRow = committed(
        sessions,
        lambda session: registry.create(session, command, owner, LOOPBACK, system_resolver),
    )
    return made.id


def secret(webhook_id: str, version: int = 1) -> str:
    return shown(secret_of(INSTALLATION, webhook_id, version))


def end_job(sessions: Sessions, *, key_id: str = KEY, **members: Any) -> str:
    """The id of a job of ``key_id`` that has just succeeded."""
    claim = running(sessions, key_id=key_id, **members)
    committed(sessions, partial(ledger.succeed, claim=claim, output={"dataset": "ds_1"}))
    return claim.job_id


def deliveries(sessions: Sessions) -> Sequence[DeliveryRow]:
    with sessions() as session:
        return session.scalars(select(DeliveryRow).order_by(DeliveryRow.created_at)).all()


def webhook(sessions: Sessions, webhook_id: str) -> WebhookRow:
    with sessions() as session:
        return session.get_one(WebhookRow, webhook_id)


def make_due(sessions: Sessions) -> None:
    """Let the next attempt of every delivery be due, as if its pause or lease had passed."""
    past = func.clock_timestamp() - timedelta(seconds=1)
    query = update(DeliveryRow).values(next_attempt_at=past)
    committed(sessions, lambda session: session.execute(query))


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def logged(sessions: Sessions, count: int = 1) -> DeliveryRow:
    """The only delivery, once so many of its attempts are written down."""
    wait_until(lambda: len(deliveries(sessions)[0].log) >= count, f"{count} attempts are not made")
    (row,) = deliveries(sessions)
    return row


@contextmanager
def delivering(
    sessions: Sessions,
    *,
    rules: Rules = LOOPBACK,
    resolve: Resolver = system_resolver,
    tls: ssl.SSLContext | None = None,
    timeout_seconds: float = 10.0,
    **limits: Any,
) -> Iterator[None]:
    """A deliverer that works until the block ends."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    resolvers = ThreadPoolExecutor(8)
    sender = Sender(
        rules,
        resolvers=resolvers,
        tls=tls or httpx.create_ssl_context(),
        resolve=resolve,
        timeout_seconds=timeout_seconds,
    )
    quick = {"poll_seconds": 0.05, "grace_seconds": 0.2, **limits}
    deliverer = Deliverer(sessions, sender, installation=INSTALLATION, limits=Limits(**quick))
    thread = threading.Thread(target=loop.run_until_complete, args=(deliverer.run(stop),))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
        resolvers.shutdown()
