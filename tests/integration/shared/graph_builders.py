"""Small graphs of jobs of no service, told apart by their targets."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from shared.db.engine import Sessions
from shared.db.tables import JobParentRow, JobRow
from shared.errors import BadInput
from shared.jobs import claims, graphs, ledger
from shared.jobs.notices import JOBS
from shared.jobs.submit import NewJob, Submitted
from tests.integration.shared.builders import claimed, committed, new_job, row, submitted


def part(target: str, *requires: NewJob, **members: Any) -> NewJob:
    """A job that makes ``target`` of what ``requires`` make."""
    return new_job(target=target, requires=requires, **members)


def last(
    sessions: Sessions, requires: Sequence[NewJob], *, target: str = "last", **members: Any
) -> Submitted:
    """A committed graph that ends with ``target``."""
    return submitted(sessions, target=target, requires=requires, unit=JOBS, **members)


def diamond() -> list[NewJob]:
    """``b`` and ``c``, both made of ``a``."""
    a = part("a")
    return [part("b", a), part("c", a)]


def job_ids(sessions: Sessions) -> dict[str, str]:
    """The newest job of each target."""
    query = select(JobRow.target, JobRow.id).order_by(JobRow.created_at)
    with sessions() as session:
        return {target: job_id for target, job_id in session.execute(query) if target is not None}


def states(sessions: Sessions) -> dict[str, str]:
    """The state of the newest job of each target."""
    return {target: row(sessions, job_id).status for target, job_id in job_ids(sessions).items()}


def links(sessions: Sessions) -> list[str]:
    """``child < parent`` of all jobs, by their targets."""
    child, parent = aliased(JobRow), aliased(JobRow)
    query = (
        select(child.target, parent.target)
        .join(JobParentRow, JobParentRow.job_id == child.id)
        .join(parent, parent.id == JobParentRow.parent_id)
    )
    with sessions() as session:
        return sorted(f"{below} < {above}" for below, above in session.execute(query))


def begin(sessions: Sessions, target: str) -> claims.Claim:
    """The claim of the newest job of ``target``."""
    claim = claimed(sessions, job_ids(sessions)[target])
    assert claim is not None, f"{target} could not begin"
    return claim


def succeed(sessions: Sessions, *targets: str) -> None:
    """Run jobs to their end."""
    for target in targets:
        committed(sessions, partial(ledger.succeed, claim=begin(sessions, target), output={}))


def fail(sessions: Sessions, target: str, why: str = "the box lies outside") -> None:
    """Run a job that fails."""
    claim = begin(sessions, target)
    committed(sessions, lambda session: ledger.fail(session, claim, BadInput(why)))


def cancel(sessions: Sessions, target: str) -> JobRow:
    """Cancel the newest job of ``target``, and its graph."""
    job_id = job_ids(sessions)[target]
    found = committed(sessions, lambda session: graphs.cancel(session, job_id))
    assert isinstance(found, JobRow)
    return found


def retry(sessions: Sessions, target: str) -> list[str | None]:
    """Retry the newest job of ``target``; the targets to ring for."""
    job_id = job_ids(sessions)[target]
    rows = committed(sessions, lambda session: graphs.retry(session, job_id))
    return [each.target for each in rows]
