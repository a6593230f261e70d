"""The query by which KEDA counts a queue's jobs, against a real ledger."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.db.tables import JobParentRow, JobRow
from shared.jobs import queries
from shared.jobs.states import State
from tests.unit.deploy.kubernetes.rendering import overlay

NOW = datetime.now(UTC)
LATER, BEFORE = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
ENDED = {State.SUCCEEDED, State.FAILED, State.CANCELLED}


@pytest.fixture(scope="module")
def depths() -> dict[str, str]:
    """Each scaled queue's query."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl renders the manifests, and it is not here")
    rendered = overlay("gpu-autoscale")
    return {
        rendered.workload(each["metadata"]["name"]).queues[0]: each["spec"]["triggers"][0][
            "metadata"
        ]["query"]
        for each in rendered.of("ScaledObject")
    }


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    with sessions() as session:
        yield session


def add(session: Session, name: str, queue: str, status: State, **values: Any) -> JobRow:
    row = JobRow(id=f"job_{name}", kind="any", queue=queue, status=status, input={}, **values)
    if status in ENDED:
        row.finished_at = NOW
    session.add(row)
    session.flush()
    return row


def count(session: Session, query: str) -> int:
    found = session.execute(text(query)).scalar_one()
    assert isinstance(found, int)
    return found


def test_an_empty_ledger_has_no_depth(depths: dict[str, str], session: Session) -> None:
    assert {count(session, query) for query in depths.values()} == {0}


def test_what_runs_and_what_could_run_counts(depths: dict[str, str], session: Session) -> None:
    for number, queue in enumerate(sorted(depths)):
        for each in range(number + 1):
            add(session, f"{queue}-queued-{each}", queue, State.QUEUED)
        add(session, f"{queue}-running", queue, State.RUNNING, lease_expires_at=LATER)
        add(session, f"{queue}-silent", queue, State.RUNNING, lease_expires_at=BEFORE)
        for status in ENDED:
            add(session, f"{queue}-{status}", queue, status)
        long_ago = BEFORE - timedelta(hours=1)
        add(session, f"{queue}-again", queue, State.QUEUED, created_at=long_ago, not_before=BEFORE)
        add(session, f"{queue}-not-yet", queue, State.QUEUED, not_before=LATER)
        add(session, f"{queue}-device", queue, State.QUEUED, exclusive=True, device="gpu-1")
    for number, queue in enumerate(sorted(depths)):
        assert count(session, depths[queue]) == number + 1 + 2 + 1 + 1


def test_a_job_counts_once_its_parents_have_succeeded(
    depths: dict[str, str], session: Session
) -> None:
    first = add(session, "first", "preprocessing", State.QUEUED)
    second = add(session, "second", "gan-train", State.SUCCEEDED)
    add(session, "child", "classification", State.QUEUED)
    for parent in (first, second):
        session.add(JobParentRow(job_id="job_child", parent_id=parent.id))
    session.flush()
    assert count(session, depths["classification"]) == 0
    assert count(session, depths["preprocessing"]) == 1
    first.status, first.finished_at = State.SUCCEEDED, NOW
    session.flush()
    assert count(session, depths["classification"]) == 1
    assert count(session, depths["preprocessing"]) == 0
    first.status = State.FAILED
    session.flush()
    assert count(session, depths["classification"]) == 0


def test_it_counts_what_the_ledger_would_hand_out(depths: dict[str, str], session: Session) -> None:
    """The same as the code's own definition, over every state with and without a wait."""
    number = 0
    for queue in depths:
        for status in State:
            for not_before in (None, BEFORE, LATER):
                for parent_status in (None, *State):
                    number += 1
                    add(session, str(number), queue, status, not_before=not_before)
                    if parent_status is not None:
                        add(session, f"{number}-parent", "default", parent_status)
                        link = JobParentRow(
                            job_id=f"job_{number}", parent_id=f"job_{number}-parent"
                        )
                        session.add(link)
    session.flush()
    for queue, query in depths.items():
        ours = select(func.count()).where(
            JobRow.queue == queue,
            or_(queries.runnable(), JobRow.status == State.RUNNING),
        )
        expected = session.execute(ours).scalar_one()
        assert 0 < expected < number
        assert count(session, query) == expected
