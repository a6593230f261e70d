"""Errors that carry their HTTP status, so that one handler renders them all (RFC 9457).

Raised in a worker it becomes the ``error`` of its job: ``type``, ``title`` and ``detail``.
"""

from typing import Any, ClassVar


class LesionGanError(Exception):
    """Base of every error that this project raises on purpose.

    ``detail`` is one sentence for the person who sent the request: what is wrong and what to do.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = _storable(detail)
        self.extra = extra
        #: Of the answer over HTTP, beside those that its status asks for.
        self.headers: dict[str, str] = {}

    @property
    def type(self) -> str:
        """A stable, relative identifier of the kind of error, such as ``/errors/not-found``."""
        return "/errors/" + self.title.lower().replace(" ", "-")

    def problem(self) -> dict[str, Any]:
        """The members that HTTP problems and failed jobs share."""
        return {"type": self.type, "title": self.title, "detail": self.detail}


def _storable(text: str) -> str:
    """``text`` without what neither PostgreSQL nor UTF-8 can hold: it may quote a file."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


class BadInput(LesionGanError):
    status = 422
    title = "Invalid input"


class Unauthorized(LesionGanError):
    status = 401
    title = "Unauthorized"


class Forbidden(LesionGanError):
    status = 403
    title = "Forbidden"


class NotFound(LesionGanError):
    status = 404
    title = "Not found"


class Conflict(LesionGanError):
    status = 409
    title = "Conflict"


class Gone(LesionGanError):
    """It was there, and was removed for good."""

    status = 410
    title = "Gone"


class AlreadyMade(Conflict):
    """What a job would make is there: another job was quicker. ``output`` is what it answered."""

    def __init__(self, detail: str, output: dict[str, Any]) -> None:
        super().__init__(detail)
        self.output = output


class TooLarge(LesionGanError):
    status = 413
    title = "Content too large"


class UnsupportedMedia(LesionGanError):
    status = 415
    title = "Unsupported media type"


class Diverged(LesionGanError):
    """A training ran away: its losses are no numbers any more."""

    status = 422
    title = "Training diverged"


class TooManyRequests(LesionGanError):
    """``retry_after``: seconds until it is worth another try."""

    status = 429
    title = "Too many requests"


class QueueFull(TooManyRequests):
    title = "Queue full"


class QuotaExceeded(TooManyRequests):
    """``quota``, ``limit`` and ``used`` say which one of the key, and by how much."""

    title = "Quota exceeded"


class Unavailable(LesionGanError):
    status = 503
    title = "Service unavailable"
