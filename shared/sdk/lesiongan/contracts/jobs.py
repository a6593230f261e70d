"""Jobs: what every call that starts work answers with."""

from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import Field

from lesiongan.contracts.base import Resource, example

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

    model_config = example(
        {
            "id": "job_3f2a9c1e7b5d4f60a1b2c3d4",
            "kind": "preprocess",
            "status": "succeeded",
            "input": {"dataset": "ds_0f3a5c7e9b1d2f4a6c8e0b1d", "size": 64},
            "output": {"dataset": "ds_1d2f4a6c8e0b1d0f3a5c7e9b"},
            "error": None,
            "progress": {"done": 500, "total": 500, "unit": "image", "eta_seconds": None},
            "attempts": 1,
            "parents": [],
            "children": [],
            "created_at": "2026-03-01T09:00:00Z",
            "started_at": "2026-03-01T09:00:02Z",
            "finished_at": "2026-03-01T09:04:11Z",
            "links": {
                "self": "/jobs/job_3f2a9c1e7b5d4f60a1b2c3d4",
                "events": "/jobs/job_3f2a9c1e7b5d4f60a1b2c3d4/events",
                "cancel": "/jobs/job_3f2a9c1e7b5d4f60a1b2c3d4/cancel",
                "result": "/datasets/ds_1d2f4a6c8e0b1d0f3a5c7e9b",
            },
        }
    )

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

    model_config = example(
        {
            "images": 500,
            "bytes": 2_100_000,
            "device_seconds": 12.5,
            "based_on": "the last 3 jobs of this kind",
        }
    )

    images: int
    bytes: int
    device_seconds: float
    based_on: str
