"""Delivers for ever: many receivers at once, none of which can hold up another."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.webhooks import deliveries
from shared.webhooks.deliveries import Attempt, Message
from shared.webhooks.sending import Sender

log = logging.getLogger(__name__)

Value = TypeVar("Value")
FORGET_EVERY_SECONDS = 3600.0


@dataclass(frozen=True)
class Limits:
    """How much is done at once, and for how long. One key's dead receivers leave room: see
    :data:`shared.webhooks.registry.MAX_WEBHOOKS`.
    """

    at_once: int = 128
    per_webhook: int = 4
    #: Longer than any attempt takes.
    lease: timedelta = timedelta(seconds=60)
    poll_seconds: float = 0.5
    #: How long attempts may go on after the process was asked to stop.
    grace_seconds: float = 3.0


class Deliverer:
    """Takes what is due and sends it. For one event loop."""

    def __init__(
        self,
        sessions: Sessions,
        sender: Sender,
        *,
        installation: str,
        limits: Limits | None = None,
        after_pass: Callable[[], None] = lambda: None,
    ) -> None:
        """``installation``: the secret from which webhooks' own derive; ``after_pass`` is called
        whenever the database could be asked.
        """
        self._sessions = sessions
        self._sender = sender
        self._installation = installation
        self._limits = limits or Limits()
        self._after_pass = after_pass
        self._running: dict[asyncio.Task[None], str] = {}
        self._free = asyncio.Event()
        # Its own: threads that wait for names must not keep results from being written.
        self._database = ThreadPoolExecutor(4, thread_name_prefix="database")

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until ``stop``. What has not ended soon after is sent again by the next."""
        forgetting = asyncio.create_task(self._forget_for_ever())
        stopping = asyncio.create_task(self._wake_at(stop))
        while not stop.is_set():
            self._free.clear()
            try:
                await self._begin_due()
                self._after_pass()
            except SQLAlchemyError as error:
                log.warning("deliveries put off: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._limits.poll_seconds):
                    await self._free.wait()
        await self._end(forgetting, stopping)

    async def _begin_due(self) -> None:
        room = self._limits.at_once - len(self._running)
        if room <= 0:
            return
        take = partial(
            deliveries.take_due,
            room=room,
            per_webhook=self._limits.per_webhook,
            running=Counter(self._running.values()),
            lease=self._limits.lease,
            installation=self._installation,
        )
        for message in await self._committed(take):
            task = asyncio.create_task(self._deliver(message))
            self._running[task] = message.webhook_id
            task.add_done_callback(self._ended)

    async def _deliver(self, message: Message) -> None:
        attempt = await self._attempt(message)
        if attempt is None:
            return
        what = attempt.error or "delivered"
        log.info("%s attempt %d: %s", message.delivery_id, message.attempt, what)
        try:
            await self._committed(lambda session: deliveries.record(session, message, attempt))
        except SQLAlchemyError as error:
            log.warning("%s: its end could not be written: %s", message.delivery_id, error)

    async def _attempt(self, message: Message) -> Attempt | None:
        """How it went; a bug of ours is a failed attempt of this message, and of no other."""
        try:
            body = await self._committed(partial(deliveries.body, message=message))
            return None if body is None else await self._sender.send(message, body)
        except Exception:
            log.exception("%s could not be sent", message.delivery_id)
            why = "this server failed to send it; its log has the reason"
            return Attempt(datetime.now(UTC), 0.0, error=why)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._free.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("a delivery failed unexpectedly", exc_info=task.exception())

    async def _committed(self, write: Callable[[Session], Value]) -> Value:
        def commit() -> Value:
            with self._sessions() as session:
                value = write(session)
                session.commit()
            return value

        return await asyncio.get_running_loop().run_in_executor(self._database, commit)

    async def _forget_for_ever(self) -> None:
        while True:
            try:
                await self._committed(deliveries.forget_old)
            except SQLAlchemyError as error:
                log.warning("old deliveries stay for now: %s", error)
            await asyncio.sleep(FORGET_EVERY_SECONDS)

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._free.set()

    async def _end(self, *others: asyncio.Task[None]) -> None:
        if self._running:
            await asyncio.wait(set(self._running), timeout=self._limits.grace_seconds)
        for task in (*self._running, *others):
            task.cancel()
        await asyncio.gather(*self._running, *others, return_exceptions=True)
        self._database.shutdown()
