"""What can go wrong on a client's side. Every error says in one line what, and often what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

from lesiongan.contracts.jobs import Job


class ClientError(Exception):
    """Base of every error that the client raises on purpose. ``hint`` is what to try next."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class NoServer(ClientError):
    """No address or key is known, or one that cannot be right."""


class ConnectionFailed(ClientError):
    """The server did not answer, or the connection broke before its answer was complete."""


class UnexpectedAnswer(ClientError):
    """Something answered, but not in the form of the LesionGAN API."""


class ApiError(ClientError):
    """The server refused: an RFC 9457 problem.

    ``errors`` holds ``{"loc": […], "msg": "…"}`` for 422; ``extra`` every further member.
    """

    def __init__(
        self,
        *,
        status: int,
        type: str,  # noqa: A002 - the name that RFC 9457 gives it
        title: str,
        detail: str,
        errors: Sequence[Mapping[str, Any]] = (),
        extra: Mapping[str, Any] | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(detail or title, hint=_hint(status, retry_after_seconds))
        self.status = status
        self.type = type
        self.title = title
        self.detail = detail
        self.errors = [dict(error) for error in errors]
        self.extra = dict(extra or {})
        self.retry_after_seconds = retry_after_seconds

    def problem(self) -> dict[str, Any]:
        """The members as the server sent them."""
        known = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return known | ({"errors": self.errors} if self.errors else {}) | self.extra


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


def _hint(status: int, retry_after_seconds: float | None) -> str | None:
    if status == 401:
        return "give a key: --key, LESIONGAN_KEY, or Client(key=…)"
    if status == 429 and retry_after_seconds is not None:
        return f"try again in {retry_after_seconds:g} s"
    return None
