"""What can go wrong on a client's side. Every error says in one line what, and often what to do."""

from lesiongan.contracts.jobs import Job
from lesiongan.problems import (
    ApiError,
    ClientError,
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    NotFound,
    ServerFault,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    UnsupportedMedia,
)

__all__ = [
    "ApiError",
    "ClientError",
    "Conflict",
    "ConnectionFailed",
    "Forbidden",
    "Gone",
    "InvalidInput",
    "JobFailed",
    "MissingExtra",
    "NoServer",
    "NotFound",
    "ServerFault",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "UnexpectedAnswer",
    "UnsupportedMedia",
    "WaitTimeout",
]


class NoServer(ClientError):
    """No address or key is known, or one that cannot be right."""


class ConnectionFailed(ClientError):
    """The server did not answer, or the connection broke before its answer was complete."""


class UnexpectedAnswer(ClientError):
    """Something answered, but not in the form of the LesionGAN API, or not what it announced."""


class MissingExtra(ClientError, ImportError):
    """A package is not installed that the core install does without."""


class JobFailed(ClientError):
    """The job that was waited for failed or was cancelled; ``job`` has the reason."""

    def __init__(self, job: Job) -> None:
        reason = f": {job.error.detail}" if job.error is not None else ""
        super().__init__(f"job {job.id} ({job.kind}) {_ended(job)}{reason}")
        self.job = job


class WaitTimeout(ClientError):
    """The job did not end in time. It goes on; wait again to go on waiting."""

    def __init__(self, job_id: str, seconds: float) -> None:
        super().__init__(
            f"job {job_id} has not ended after {seconds:g} s", hint="it goes on; wait again"
        )
        self.job_id = job_id


def _ended(job: Job) -> str:
    return "was cancelled" if job.status == "cancelled" else job.status
