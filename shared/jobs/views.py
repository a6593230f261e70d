"""A job's row in the contract's form."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from lesiongan.contracts.jobs import Job, JobLinks, Problem, Progress
from shared.db.tables import JobParentRow, JobRow

#: Where a job's result is found, by the key of its output.
RESULT_PATHS = {
    "dataset": "/datasets/{}",
    "gan": "/gans/{}",
    "classifier": "/classifiers/{}",
    "experiment": "/experiments/{}",
}


def job_view(session: Session, row: JobRow) -> Job:
    """The job as clients see it."""
    return job_views(session, [row])[0]


def job_views(session: Session, rows: Sequence[JobRow]) -> list[Job]:
    """Jobs as clients see them, with one query for all of their parents."""
    query = select(JobParentRow).where(JobParentRow.job_id.in_([row.id for row in rows]))
    parents: dict[str, list[str]] = defaultdict(list)
    for link in session.scalars(query):
        parents[link.job_id].append(link.parent_id)
    return [_view(row, sorted(parents[row.id])) for row in rows]


def _view(row: JobRow, parents: list[str]) -> Job:
    return Job.model_validate(
        {
            "id": row.id,
            "kind": row.kind,
            "status": row.status,
            "input": row.input,
            "output": row.output,
            "error": None if row.error is None else Problem.model_validate(row.error),
            "progress": Progress(
                done=row.done, total=row.total, unit=row.unit, eta_seconds=row.eta_seconds
            ),
            "attempts": row.attempts,
            "parents": parents,
            "created_at": row.created_at,
            "started_at": row.started_at,
            "finished_at": row.finished_at,
            "links": links(row),
        }
    )


def links(row: JobRow) -> JobLinks:
    """Addresses that belong to the job; ``result`` once it has one."""
    here = f"/jobs/{row.id}"
    return JobLinks(
        self=here, events=f"{here}/events", cancel=f"{here}/cancel", result=_result_path(row)
    )


def _result_path(row: JobRow) -> str | None:
    if row.output is not None and "object" in row.output:
        return f"/jobs/{row.id}/result"
    for key, path in RESULT_PATHS.items():
        if row.output is not None and key in row.output:
            return path.format(row.output[key])
    return None
