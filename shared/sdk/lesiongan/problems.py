"""Problems (RFC 9457) that a server answers with, as exceptions: one class a status."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ClientError(Exception):
    """Base of every error that the client raises on purpose. ``hint`` is what to try next."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ApiError(ClientError):
    """The server refused: an RFC 9457 problem.

    ``errors`` holds ``{"loc": […], "msg": "…"}`` for 422; ``extra`` every further member.
    """

    #: What to try next, where the status alone says it.
    usual_hint: ClassVar[str | None] = None

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
        super().__init__(detail or title, hint=self.usual_hint)
        if retry_after_seconds is not None:
            self.hint = f"try again in {retry_after_seconds:g} s"
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


class Unauthorized(ApiError):
    """401: no key, or none that is valid."""

    usual_hint = "give a key: lesiongan login, --key, LESIONGAN_KEY, or Client(key=…)"


class Forbidden(ApiError):
    """403: the key has not the scope."""

    usual_hint = "ask an admin for a key with that scope"


class NotFound(ApiError):
    """404: there is no such thing."""


class Conflict(ApiError):
    """409: not in this state of things; the detail says what to do first."""


class Gone(ApiError):
    """410: it was there, and was removed for good."""


class TooLarge(ApiError):
    """413: more than one call takes."""


class UnsupportedMedia(ApiError):
    """415: a body of a kind that this call does not take."""


class InvalidInput(ApiError):
    """422: ``errors`` says where."""


class TooManyRequests(ApiError):
    """429: over a rate, a quota or a queue's length."""


class ServerFault(ApiError):
    """5xx: the server, or one between."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    415: UnsupportedMedia,
    422: InvalidInput,
    429: TooManyRequests,
}


def problem_class(status: int) -> type[ApiError]:
    """The exception of a status; a base class where the status has none of its own."""
    return _BY_STATUS.get(status, ServerFault if status >= 500 else ApiError)
