"""Graphs of jobs that are written, ended and asked for at the same moment."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.db.tables import JobRow
from shared.errors import BadInput, Conflict
from shared.jobs import claims, graphs, ledger
from shared.jobs.submit import Output, submit
from tests.integration.shared.builders import committed, new_job, row
from tests.integration.shared.graph_builders import (
    begin,
    cancel,
    diamond,
    fail,
    job_ids,
    last,
    part,
    retry,
    states,
    succeed,
)

T = TypeVar("T")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for whoever comes at the same moment."""
    with ThreadPoolExecutor(8) as made:
        yield made


def blocked(pool: ThreadPoolExecutor, sessions: Sessions, act: Callable[[], T]) -> Future[T]:
    """``act``, begun in a thread, as soon as it waits for what the caller's transaction holds."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    future = pool.submit(act)
    for _ in range(250):
        with sessions() as session:
            if session.scalar(waiting):
                return future
        assert not future.done(), "it waits for nothing"
        time.sleep(0.02)
    raise AssertionError("it neither ends nor waits")


def test_graphs_that_are_sent_at_once_share_their_parts(
    sessions: Sessions, pool: ThreadPoolExecutor
) -> None:
    """In opposite orders, so that each would wait for the other's targets."""
    gate = threading.Barrier(8)
    parts = [part(f"part {n}", part(f"raw {n % 2}")) for n in range(6)]

    def send(number: int) -> str:
        gate.wait()
        order = parts if number % 2 else parts[::-1]
        return last(sessions, order, target=f"last {number % 4}").job.id

    ids = list(pool.map(send, range(8)))
    assert len(set(ids)) == 4
    with sessions() as session:
        targets = [str(target) for target in session.scalars(select(JobRow.target))]
    assert sorted(targets) == sorted(
        [f"part {n}" for n in range(6)]
        + [f"raw {n}" for n in range(2)]
        + [f"last {n}" for n in range(4)]
    )


def test_a_part_that_is_cancelled_while_it_is_adopted_is_made_anew(
    sessions: Sessions, pool: ThreadPoolExecutor
) -> None:
    last(sessions, [part("a")], target="other")
    known = job_ids(sessions)["a"]
    with sessions() as session:
        ledger.cancel(session, known)
        session.flush()
        sent = blocked(pool, sessions, lambda: last(sessions, [part("a")]))
        session.commit()
    assert sent.result(10).made
    assert states(sessions) == {"a": "queued", "last": "queued", "other": "cancelled"}
    succeed(sessions, "a", "last")


def test_a_parent_that_ends_while_it_is_joined_ends_the_job(
    sessions: Sessions, pool: ThreadPoolExecutor
) -> None:
    last(sessions, [part("a")])
    claim = begin(sessions, "a")

    def send() -> str:
        with sessions() as session:
            known = ledger.get(session, claim.job_id)
            assert known.status == "running"
            sent = submit(session, lambda _: new_job(parents=[known.id]), key_id="key")
            session.commit()
        return sent.job.id

    with sessions() as session:
        ledger.fail(session, claim, BadInput("no"))
        sent = blocked(pool, sessions, send)
        session.commit()
    assert row(sessions, sent.result(10)).status == "failed"


def test_a_failure_meets_a_cancel(sessions: Sessions, pool: ThreadPoolExecutor) -> None:
    """The one ends the last part first, the other an early one."""
    last(sessions, [part("b", part("a")), part("d", part("c"))])
    claim = begin(sessions, "c")
    with sessions() as session:
        claims.hold(session, claim)
        cancelled = blocked(pool, sessions, lambda: cancel(sessions, "last"))
        ledger.fail(session, claim, BadInput("no"))
        session.commit()
    cancelled.result(10)
    assert states(sessions) == {
        "a": "cancelled",
        "b": "cancelled",
        "c": "failed",
        "d": "failed",
        "last": "failed",
    }


def test_a_failure_meets_a_graph_that_would_adopt(
    sessions: Sessions, pool: ThreadPoolExecutor
) -> None:
    """The one ends a and then b, the other wants b and then a."""
    last(sessions, diamond())
    claim = begin(sessions, "a")
    wanted = [part("b", part("a")), part("d", part("a"))]
    with sessions() as session:
        claims.hold(session, claim)
        sent = blocked(pool, sessions, lambda: last(sessions, wanted, target="other"))
        ledger.fail(session, claim, BadInput("no"))
        session.commit()
    assert sent.result(10).made
    assert states(sessions) == {
        "a": "queued",
        "b": "queued",
        "c": "failed",
        "d": "queued",
        "last": "failed",
        "other": "queued",
    }


def test_a_failure_meets_a_retry(sessions: Sessions, pool: ThreadPoolExecutor) -> None:
    """Else the last part would wait for ever for one that failed before it was queued again."""
    last(sessions, [part("a"), part("b")])
    claim = begin(sessions, "b")
    committed(sessions, lambda session: ledger.cancel(session, job_ids(sessions)["a"]))
    with sessions() as session:
        ledger.fail(session, claim, BadInput("no"))
        retried = blocked(pool, sessions, lambda: retry(sessions, "last"))
        session.commit()
    assert retried.result(10) == ["a", "b", "last"]
    assert states(sessions) == dict.fromkeys(["a", "b", "last"], "queued")


def test_a_retry_meets_the_same_request(sessions: Sessions, pool: ThreadPoolExecutor) -> None:
    """The one takes the last part first, the other its parts."""
    last(sessions, diamond())
    fail(sessions, "a")
    known = job_ids(sessions)["last"]
    retried: list[Future[list[str | None]]] = []

    def retry_first() -> list[str | None]:
        def write(session: Session) -> list[str | None]:
            return [each.target for each in graphs.retry(session, known)]

        found = committed(sessions, write)
        assert isinstance(found, list)
        return found

    def finished(_: Session, _targets: Sequence[str]) -> dict[str, Output]:
        asked.append(1)
        if len(asked) == 2:  # it holds the lock of its target now
            retried.append(blocked(pool, sessions, retry_first))
        return {}

    asked: list[int] = []
    new = part("last", *diamond(), finished=finished)
    with sessions() as session:
        sent = submit(session, lambda _: new, key_id="key")
        session.commit()
    assert sent.made
    with pytest.raises(Conflict, match=sent.job.id):
        retried[0].result(10)
    assert states(sessions) == dict.fromkeys(["a", "b", "c", "last"], "queued")
    with pytest.raises(Conflict):
        retry(sessions, "last")
