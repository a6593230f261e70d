"""Which errors an operation may answer, by rule: a new route has them all without naming one."""

from dataclasses import dataclass, field
from typing import Any

from shared.web.responses import REPLAYED

#: Named by the header ``Idempotency-Key``: operations that make a job.
_IDEMPOTENCY_KEY = "idempotency-key"
_CHANGING = frozenset({"post", "put", "patch", "delete"})
_RETRY_AFTER = {
    "Retry-After": {
        "description": "seconds until it is worth another try",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }
}
_WWW_AUTHENTICATE = {
    "WWW-Authenticate": {
        "description": "`Bearer`",
        "required": True,
        "schema": {"type": "string"},
    }
}
_REPLAYED = {"Idempotency-Replayed": REPLAYED}


@dataclass(frozen=True)
class ErrorResponse:
    """One status of RFC 9457, as the document describes it."""

    name: str
    title: str
    description: str
    detail: str
    headers: dict[str, Any] = field(default_factory=dict)

    def example(self, status: int) -> dict[str, Any]:
        """A problem as a server sends it."""
        kind = "/errors/" + self.title.lower().replace(" ", "-")
        body = {"type": kind, "title": self.title, "status": status, "detail": self.detail}
        if status == 422:
            body["errors"] = [{"loc": ["body", "size"], "msg": self.detail.partition(": ")[2]}]
        return body


ERRORS: dict[int, ErrorResponse] = {
    401: ErrorResponse(
        "Unauthorized",
        "Unauthorized",
        "No key or token, or one that is not valid",
        "send a key: Authorization: Bearer lg_…",
        _WWW_AUTHENTICATE,
    ),
    403: ErrorResponse(
        "Forbidden",
        "Forbidden",
        "The key or token lacks the scope",
        "this key or token lacks the scope submit",
    ),
    404: ErrorResponse(
        "NotFound",
        "Not found",
        "There is no such thing",
        "there is no data set ds_0f3a5c7e9b1d2f4a6c8e0b1d",
        _REPLAYED,
    ),
    409: ErrorResponse(
        "Conflict",
        "Conflict",
        "The state of things does not allow it",
        "ds_0f3a5c7e9b1d2f4a6c8e0b1d is used by 2 data sets: delete them first, or use cascade",
        _REPLAYED,
    ),
    410: ErrorResponse(
        "Gone",
        "Gone",
        "It was there, and was removed for good",
        "ds_0f3a5c7e9b1d2f4a6c8e0b1d was withdrawn",
        _REPLAYED,
    ),
    413: ErrorResponse(
        "TooLarge",
        "Content too large",
        "More than this server takes in one request",
        "an image has at most 16777216 bytes",
    ),
    415: ErrorResponse(
        "UnsupportedMedia",
        "Unsupported media type",
        "A body of a kind that this operation does not take",
        "send multipart/form-data with a file, or application/json",
    ),
    422: ErrorResponse(
        "InvalidInput",
        "Invalid input",
        "The request is not valid; `errors` says where",
        "body.size: Input should be 32, 64, 128 or 256",
        _REPLAYED,
    ),
    429: ErrorResponse(
        "TooManyRequests",
        "Too many requests",
        "Over the key's rate or quota, or too many jobs wait",
        "this key has sent too many requests: try again in 3 seconds",
        _RETRY_AFTER,
    ),
    503: ErrorResponse(
        "Unavailable",
        "Service unavailable",
        "A server behind this one is away; try again",
        "the database does not answer; try again",
        _RETRY_AFTER,
    ),
}


def statuses_of(path: str, method: str, operation: dict[str, Any]) -> set[int]:
    """The errors that ``operation`` may answer, besides those that its route names."""
    found: set[int] = set()
    parameters = operation.get("parameters", [])
    if operation.get("security"):
        found |= {401, 403, 429, 503}
    if parameters or "requestBody" in operation:
        found.add(422)
    if "requestBody" in operation:
        found.add(413)
    if method in _CHANGING:
        found.add(409)
    if "{" in path or _makes_a_job(parameters):
        found |= {404, 409, 410}
    return found


def _makes_a_job(parameters: list[dict[str, Any]]) -> bool:
    return any(each["name"].lower() == _IDEMPOTENCY_KEY for each in parameters)
