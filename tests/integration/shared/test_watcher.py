"""Waiters are woken by the database, and survive its loss."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from shared.db.engine import Sessions
from shared.jobs import ledger
from shared.jobs.notices import notify
from shared.settings import Settings
from shared.web import watcher as watching
from shared.web.watcher import Watcher
from tests.integration.shared.builders import committed, queued

Waited = Callable[[], float]


@asynccontextmanager
async def started(settings: Settings, sessions: Sessions) -> AsyncIterator[Watcher]:
    """A watcher that listens."""
    known = listeners(sessions)
    watcher = Watcher(settings.database_url)
    await watcher.start()
    try:
        await new_listener(sessions, known)
        await heard(watcher, sessions)
        yield watcher
    finally:
        await watcher.stop()


def listeners(sessions: Sessions) -> set[int]:
    """Connections that listen, also those of others."""
    query = text("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'")
    with sessions() as session:
        return set(session.scalars(query))


async def new_listener(sessions: Sessions, known: set[int]) -> None:
    for _ in range(500):
        if listeners(sessions) - known:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the watcher does not listen")


async def heard(watcher: Watcher, sessions: Sessions) -> None:
    """Return when it has woken all once, as it does when it begins to listen."""
    changes = watcher.changes("job_of_nobody")
    await anext(changes)
    committed(sessions, lambda session: notify(session, "job_of_nobody"))
    await anext(changes)


async def next_change(changes: AsyncIterator[None]) -> float:
    began = time.monotonic()
    await anext(changes)
    return time.monotonic() - began


@pytest.fixture
def slow_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is woken within a test was woken by a notice."""
    monkeypatch.setattr(watching, "POLL_SECONDS", 30.0)


@pytest.mark.usefixtures("slow_poll")
def test_a_commit_wakes_those_who_wait_for_its_job(settings: Settings, sessions: Sessions) -> None:
    async def scenario() -> None:
        job_id, other = queued(sessions), queued(sessions)
        async with started(settings, sessions) as watcher:
            mine, again, others = (watcher.changes(name) for name in (job_id, job_id, other))
            for changes in (mine, again, others):
                assert await next_change(changes) < 1, "the first look is at once"
            waits = [asyncio.create_task(next_change(c)) for c in (mine, again, others)]
            await asyncio.sleep(0.1)
            committed(sessions, lambda session: ledger.cancel(session, job_id))
            await asyncio.wait(waits[:2], timeout=5)
            await asyncio.sleep(0.1)
            assert [wait.done() for wait in waits] == [True, True, False]
            waits[2].cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    asyncio.run(scenario())


@pytest.mark.usefixtures("slow_poll")
def test_a_change_while_its_waiter_looks_is_not_missed(
    settings: Settings, sessions: Sessions
) -> None:
    async def scenario() -> None:
        job_id = queued(sessions)
        async with started(settings, sessions) as watcher:
            changes = watcher.changes(job_id)
            await anext(changes)
            # The waiter reads the job here; it changes right after the read.
            committed(sessions, lambda session: notify(session, job_id))
            await asyncio.sleep(0.3)
            assert await next_change(changes) < 1

    asyncio.run(scenario())


@pytest.mark.usefixtures("slow_poll")
def test_a_rolled_back_change_wakes_nobody(settings: Settings, sessions: Sessions) -> None:
    async def scenario() -> None:
        job_id = queued(sessions)
        async with started(settings, sessions) as watcher:
            changes = watcher.changes(job_id)
            await anext(changes)
            with sessions() as session:
                ledger.cancel(session, job_id)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.4):
                    await anext(changes)

    asyncio.run(scenario())


@pytest.mark.usefixtures("slow_poll")
def test_a_dropped_connection_is_made_again(
    settings: Settings, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "RECONNECT_SECONDS", 0.1)

    async def scenario() -> None:
        job_id = queued(sessions)
        others = listeners(sessions)
        async with started(settings, sessions) as watcher:
            (pid,) = listeners(sessions) - others
            changes = watcher.changes(job_id)
            await anext(changes)
            kill = text("SELECT pg_terminate_backend(:pid)")
            committed(sessions, lambda session: session.execute(kill, {"pid": pid}))
            # What was missed while it was away is made up for: all look again.
            assert await next_change(changes) < 5
            await new_listener(sessions, {*others, pid})
            wait = asyncio.create_task(next_change(changes))
            await asyncio.sleep(0.1)
            committed(sessions, lambda session: ledger.cancel(session, job_id))
            assert await asyncio.wait_for(wait, 3) < 3

    asyncio.run(scenario())


def test_without_a_database_waiters_look_from_time_to_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.2)

    async def scenario() -> None:
        watcher = Watcher("postgresql+psycopg://nobody@127.0.0.1:1/none")
        await watcher.start()
        changes = watcher.changes("job_1")
        await anext(changes)
        assert 0.15 < await next_change(changes) < 2
        await watcher.stop()

    asyncio.run(scenario())


def test_whoever_leaves_is_forgotten(settings: Settings) -> None:
    async def scenario() -> None:
        watcher = Watcher(settings.database_url)
        for _ in range(3):
            async for _ in watcher.changes("job_1"):
                break
        wait = asyncio.create_task(next_change(watcher.changes("job_2")))
        await wait
        changes = watcher.changes("job_3")
        await anext(changes)
        hanging = asyncio.ensure_future(next_change(changes))
        await asyncio.sleep(0.05)
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)
        await asyncio.sleep(0.05)
        assert not watcher._waiters

    asyncio.run(scenario())
