"""Jobs: what every call that starts work answers with."""

from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import Field

from lesiongan.contracts.base import Resource

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
JOB_STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)

#: A job in one of these states never changes again, unless it is retried.
ENDED: frozenset[JobStatus] = frozenset({"succeeded", "failed", "cancelled"})


class Problem(Resource):
    """Why a job failed; the same members as an HTTP problem (RFC 9457)."""

    type: str
    title: str
    detail: str


class Progress(Resource):
    """How far a job is. ``total`` is 0 until it is known."""

    done: int = 0
    total: int = 0
    unit: str = "step"
    eta_seconds: float | None = None


class JobLinks(Resource):
    """Addresses that belong to a job, relative to the API's root."""

    self: str
    events: str
    cancel: str
    result: str | None = None


class Job(Resource):
    """A unit of work in the ledger."""

    id: str
    kind: str
    status: JobStatus
    input: dict[str, Any]
    output: dict[str, Any] | None = None
    error: Problem | None = None
    progress: Progress = Progress()
    attempts: int = 0
    #: Jobs that must succeed before this one begins, and jobs that wait for this one.
    parents: list[str] = Field(default_factory=list)
    children: list[str] = Field(default_factory=list)
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    links: JobLinks


class Estimate(Resource):
    """What ``?dry_run=true`` answers: the likely cost of a job. Nothing was made."""

    images: int
    bytes: int
    device_seconds: float
    based_on: str
