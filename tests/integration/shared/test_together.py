"""Many jobs in one transaction: each as if it had been submitted by itself, or left to that."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.db.tables import IdempotencyRow, JobRow, TombstoneRow, WithdrawalRow
from shared.errors import BadInput, NotFound
from shared.jobs import ledger
from shared.jobs.headroom import Headroom
from shared.jobs.limits import Limits, Quota
from shared.jobs.submit import Idempotency, NewJob, Submitted, submit
from shared.jobs.together import Answer, Asked, submit_together
from shared.jobs.views import job_view, lone_job_view
from tests.integration.shared.builders import (
    committed,
    done_before,
    new_job,
    queued,
    row,
    running,
    submitted,
)

#: What differs from one row to the next.
OWN = {"id", "created_at", "rung_at", "request_id", "trace"}


def asks(
    target: str | None,
    *,
    key_id: str = "key",
    once: str | None = None,
    limits: Limits | None = None,
    request_id: str | None = None,
    **members: Any,
) -> Asked:
    idempotency = None if once is None else Idempotency(once, "f" * 64)
    return Asked(
        plan=lambda _: new_job(target=target, **members),
        key_id=key_id,
        idempotency=idempotency,
        limits=limits or Limits(),
        request_id=request_id,
        trace=None,
    )


def together(sessions: Sessions, *asked: Asked) -> list[Answer]:
    answers: list[Answer] = committed(sessions, lambda session: submit_together(session, asked))
    return answers


def within(sessions: Sessions, headroom: Headroom, asked: Sequence[Asked]) -> list[Answer]:
    with sessions() as session:
        answers = submit_together(session, asked, headroom)
        session.commit()
    return answers


def targets(sessions: Sessions) -> list[str | None]:
    with sessions() as session:
        return list(session.scalars(select(JobRow.target).order_by(JobRow.target)))


def made(answer: Answer) -> JobRow:
    assert isinstance(answer, Submitted)
    assert answer.made
    assert answer.alone
    assert list(answer.ready) == [answer.job]
    return answer.job


def test_each_row_is_the_one_that_submit_writes(sessions: Sessions) -> None:
    members: dict[str, Any] = {"input": {"n": 7}, "total": 5, "unit": "image"}
    alone = submitted(sessions, target="ds_0", **members).job
    found = together(sessions, asks("ds_1", **members), asks("ds_2", **members))
    names = {column.key for column in inspect(JobRow).column_attrs} - OWN - {"target"}
    for answer in found:
        written = row(sessions, made(answer).id)
        assert written.rung_at is not None
        assert {n: getattr(written, n) for n in names} == {n: getattr(alone, n) for n in names}
        with sessions() as session:
            assert lone_job_view(made(answer)) == job_view(session, written)
    assert targets(sessions) == ["ds_0", "ds_1", "ds_2"]


def test_each_row_says_which_request_asked_for_it(sessions: Sessions) -> None:
    found = together(sessions, *(asks(f"ds_{n}", request_id=f"req_{n}") for n in range(3)))
    assert [row(sessions, made(each).id).request_id for each in found] == [
        "req_0",
        "req_1",
        "req_2",
    ]


def test_a_plans_error_is_its_own_requests(sessions: Sessions) -> None:
    def refuse(_: Session) -> NewJob:
        raise NotFound("there is no such thing")

    bad = Asked(plan=refuse, key_id="key", idempotency=None, limits=Limits())
    found = together(sessions, asks("ds_1"), bad, asks("ds_2"))
    assert isinstance(found[1], NotFound)
    assert [made(found[0]).target, made(found[2]).target] == ["ds_1", "ds_2"]


def test_what_is_not_a_lone_job_is_left_alone(sessions: Sessions) -> None:
    parent = queued(sessions)
    quota = Limits(quota=Quota(queued_jobs=1000))
    found = together(
        sessions,
        asks(None),
        asks("ds_1", requires=[new_job(target="ds_0")]),
        asks("ds_2", parents=[parent]),
        asks("ds_3", also=lambda _session, _job: None),
        asks("ds_4", id="job_mine"),
        asks("ds_5", limits=quota),
    )
    assert found == [None] * 6
    assert targets(sessions) == [None]


def test_what_is_being_made_was_made_or_was_withdrawn_is_left_alone(sessions: Sessions) -> None:
    running(sessions, target="ds_active")
    with sessions() as session:
        session.add(WithdrawalRow(id="wd_1", patient="p", counts={}, images=0))
        session.flush()
        session.add(TombstoneRow(id="ds_gone", kind="data set", withdrawal_id="wd_1"))
        session.commit()
    before = done_before({"dataset": "ds_made"})
    found = together(
        sessions, asks("ds_active"), asks("ds_made", finished=before), asks("ds_gone"), asks("ds_1")
    )
    assert found[:3] == [None] * 3
    made(found[3])
    assert targets(sessions) == ["ds_1", "ds_active"]


def test_a_job_that_is_to_stop_stands_in_nobodys_way(sessions: Sessions) -> None:
    claim = running(sessions, target="ds_1")
    committed(sessions, lambda session: ledger.cancel(session, claim.job_id))
    made(together(sessions, asks("ds_1"))[0])


def test_what_is_asked_for_twice_at_once_is_written_once(sessions: Sessions) -> None:
    found = together(
        sessions, asks("ds_1"), asks("ds_1"), asks("ds_2", once="k"), asks("ds_3", once="k")
    )
    assert [answer is None for answer in found] == [False, True, False, True]
    assert targets(sessions) == ["ds_1", "ds_2"]


def test_an_idempotency_key_is_kept_with_its_job(sessions: Sessions) -> None:
    found = together(sessions, asks("ds_1", once="k"), asks("ds_2", key_id="other", once="k"))
    first = made(found[0])
    assert made(found[1]).id != first.id, "two callers may choose the same key"
    again = submitted(sessions, target="ds_1", idempotency=Idempotency("k", "f" * 64))
    assert (again.job.id, again.replayed) == (first.id, True)
    with pytest.raises(BadInput, match="Idempotency-Key"):
        submitted(sessions, target="ds_1", idempotency=Idempotency("k", "e" * 64))
    assert together(sessions, asks("ds_9", once="k")) == [None], "it was used before"


def test_a_refused_plan_does_not_use_up_its_key(sessions: Sessions) -> None:
    def refuse(_: Session) -> NewJob:
        raise NotFound("no")

    once = Idempotency("k", "f" * 64)
    together(sessions, Asked(plan=refuse, key_id="key", idempotency=once, limits=Limits()))
    with sessions() as session:
        assert session.scalars(select(IdempotencyRow)).all() == []


@pytest.mark.parametrize(("most", "written"), [(3, True), (2, False)])
def test_the_queues_have_a_depth(sessions: Sessions, most: int, *, written: bool) -> None:
    queued(sessions)
    limits = Limits(queued_jobs=most)
    found = together(sessions, asks("ds_1", limits=limits), asks("ds_2", limits=limits))
    assert [answer is not None for answer in found] == [written] * 2


def test_one_process_fills_the_queues_to_their_limit_and_no_further(sessions: Sessions) -> None:
    """With room that was seen before; near the limit all is counted again."""
    limits, headroom = Limits(queued_jobs=30), Headroom(now=lambda: 0.0)
    asked = [asks(f"ds_{number}", limits=limits) for number in range(40)]
    written = 0
    for first in range(0, len(asked), 2):
        found = within(sessions, headroom, asked[first : first + 2])
        written += sum(answer is not None for answer in found)
    assert written == 30


def test_room_that_was_seen_is_not_counted_again(sessions: Sessions) -> None:
    headroom = Headroom(now=lambda: 0.0)
    queued(sessions)
    headroom.seen(1, 1)
    made(within(sessions, headroom, [asks("ds_1", limits=Limits(queued_jobs=1))])[0])


def test_what_another_one_has_locked_is_not_waited_for(sessions: Sessions) -> None:
    with sessions() as other:
        submit(other, lambda _: new_job(target="ds_1"), key_id="key")
        once = Idempotency("k", "f" * 64)
        submit(other, lambda _: new_job(target="ds_2"), key_id="key", idempotency=once)
        found = together(sessions, asks("ds_1"), asks("ds_3", once="k"), asks("ds_4"))
        assert found[:2] == [None, None]
        made(found[2])
        other.commit()


def test_crowds_in_any_order_make_each_thing_once(sessions: Sessions) -> None:
    """Two processes' batches, and requests that are alone, for the same things and keys."""
    names = [f"ds_{n}" for n in range(12)]
    gate = threading.Barrier(6)

    def batch(order: Sequence[str]) -> list[Answer]:
        gate.wait()
        return together(sessions, *(asks(name, once=f"key {name}") for name in order))

    def alone(order: Sequence[str]) -> list[Answer]:
        gate.wait()
        return [
            submitted(sessions, target=name, idempotency=Idempotency(f"key {name}", "f" * 64))
            for name in order
        ]

    orders = [
        (batch, names),
        (batch, names[::-1]),
        (batch, [*names[6:], *names[:6]]),
        (batch, names[::-2]),
        (alone, names[::2]),
        (alone, names[::-1]),
    ]
    with ThreadPoolExecutor(len(orders)) as pool:
        futures = [pool.submit(act, order) for act, order in orders]
        answers = [answer for future in futures for answer in future.result(30)]
    written = [each.job.target for each in answers if isinstance(each, Submitted) and each.made]
    assert sorted(map(str, written)) == sorted(names)
    assert targets(sessions) == sorted(names)
