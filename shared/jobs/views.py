"""A job's row in the contract's form."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lesiongan.contracts.jobs import Job, JobLinks, Problem, Progress
from shared.db.tables import JobParentRow, JobRow
from shared.jobs import graphs
from shared.jobs.dividing import done_of_parts
from shared.jobs.notices import JOBS
from shared.jobs.states import State

#: Where a job's result is found, by the key of its output.
RESULT_PATHS = {
    "dataset": "/datasets/{}",
    "gan": "/gans/{}",
    "classifier": "/classifiers/{}",
    "experiment": "/experiments/{}",
}
#: Kinds whose result has its row as soon as the job has: the key of their output.
RESULTS_FROM_THE_START = {
    "train-gan": "gan",
    "train-classifier": "classifier",
    "experiment": "experiment",
}


def job_view(session: Session, row: JobRow) -> Job:
    """The job as clients see it."""
    return job_views(session, [row])[0]


def lone_job_view(row: JobRow) -> Job:
    """:func:`job_view` of a new job that has neither parents nor children: the row says it all."""
    progress = Progress(done=row.done, total=row.total, unit=row.unit, eta_seconds=row.eta_seconds)
    return _view(row, progress, [], [])


def job_views(session: Session, rows: Sequence[JobRow]) -> list[Job]:
    """Jobs as clients see them, with one query for all of their parents and children."""
    ids = [row.id for row in rows]
    query = select(JobParentRow).where(
        or_(JobParentRow.job_id.in_(ids), JobParentRow.parent_id.in_(ids))
    )
    parents: dict[str, list[str]] = defaultdict(list)
    children: dict[str, list[str]] = defaultdict(list)
    for link in session.scalars(query):
        parents[link.job_id].append(link.parent_id)
        children[link.parent_id].append(link.job_id)
    return [
        _view(row, _progress(session, row), sorted(parents[row.id]), sorted(children[row.id]))
        for row in rows
    ]


def _progress(session: Session, row: JobRow) -> Progress:
    """The job's own, or that of its parts, or of the graph which it ends."""
    if row.unit == JOBS:
        done, total = graphs.progress(session, row)
        eta = graphs.eta_seconds(session, row)
        return Progress(done=done, total=total, unit=JOBS, eta_seconds=eta)
    done = row.done
    if row.status == State.QUEUED and row.attempts:
        done += done_of_parts(session, row)
    return Progress(done=done, total=row.total, unit=row.unit, eta_seconds=row.eta_seconds)


def _view(row: JobRow, progress: Progress, parents: list[str], children: list[str]) -> Job:
    return Job.model_validate(
        {
            "id": row.id,
            "kind": row.kind,
            "status": row.status,
            "input": row.input,
            "output": row.output,
            "error": None if row.error is None else Problem.model_validate(row.error),
            "progress": progress,
            "attempts": row.attempts,
            "parents": parents,
            "children": children,
            "created_at": row.created_at,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
            "links": links(row),
        }
    )


def links(row: JobRow) -> JobLinks:
    """Addresses that belong to the job; ``result`` once it has one, be it complete or not."""
    here = f"/jobs/{row.id}"
    return JobLinks(
        self=here, events=f"{here}/events", cancel=f"{here}/cancel", result=_result_path(row)
    )


def _result_path(row: JobRow) -> str | None:
    output = _output(row)
    if "object" in output:
        return f"/jobs/{row.id}/result"
    for key, path in RESULT_PATHS.items():
        if key in output:
            return path.format(output[key])
    return None


def _output(row: JobRow) -> dict[str, Any]:
    """The job's own, or what is known of it before it has one."""
    key = RESULTS_FROM_THE_START.get(row.kind)
    if row.output is not None or key is None or row.target is None:
        return row.output or {}
    return {key: row.target}
