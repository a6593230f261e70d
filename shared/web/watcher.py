"""One watcher a process: it hears of changed jobs and wakes whoever waits for them."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator

import psycopg

from shared.jobs.notices import CHANNEL

log = logging.getLogger(__name__)

#: Waiters look again after so long even if no notice came: one may be lost with a connection.
POLL_SECONDS = 2.0
RECONNECT_SECONDS = 1.0


class Watcher:
    """Wakes waiters by Postgres' NOTIFY. Waiting holds neither a thread nor a session."""

    def __init__(self, database_url: str) -> None:
        self._dsn = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen_for_ever(), name="watcher")

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def changes(self, job_id: str) -> AsyncIterator[None]:
        """Yields at once, and then after each change of the job, or every ``POLL_SECONDS``.

        The consumer re-reads the job each time, and leaves the loop when it has seen enough.
        """
        with self._waiting(job_id) as changed:
            while True:
                changed.clear()
                yield
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await changed.wait()

    def wake(self, job_id: str) -> None:
        """Have the job's waiters look again."""
        for event in self._waiters.get(job_id, ()):
            event.set()

    @contextlib.contextmanager
    def _waiting(self, job_id: str) -> Iterator[asyncio.Event]:
        event = asyncio.Event()
        self._waiters[job_id].add(event)
        try:
            yield event
        finally:
            self._waiters[job_id].discard(event)
            if not self._waiters[job_id]:
                del self._waiters[job_id]

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                log.warning("watcher lost the database: %s", error)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._dsn, autocommit=True, connect_timeout=5
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._wake_all()
            async for notice in connection.notifies():
                self.wake(notice.payload)

    def _wake_all(self) -> None:
        for job_id in self._waiters:
            self.wake(job_id)
