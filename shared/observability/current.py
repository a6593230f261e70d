"""What this thread or task works on now: a request, a job. Logs, metrics and traces ask it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_request: ContextVar[str | None] = ContextVar("request", default=None)


@dataclass(frozen=True)
class CurrentJob:
    """One attempt at a job."""

    id: str
    kind: str


_job: ContextVar[CurrentJob | None] = ContextVar("job", default=None)


def request_id() -> str | None:
    """The id of the request that this is done for, also in the worker that does it."""
    return _request.get()


def job() -> CurrentJob | None:
    """The job that this is a part of."""
    return _job.get()


@contextmanager
def about_request(request_id: str) -> Iterator[None]:
    """What happens in here, and in threads that it starts work in, is of this request."""
    token = _request.set(request_id)
    try:
        yield
    finally:
        _request.reset(token)


@contextmanager
def about_job(job_id: str, kind: str, *, request_id: str | None) -> Iterator[None]:
    """What happens in here is of this job, which that request asked for."""
    job_token = _job.set(CurrentJob(job_id, kind))
    request_token = _request.set(request_id)
    try:
        yield
    finally:
        _request.reset(request_token)
        _job.reset(job_token)
