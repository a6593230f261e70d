"""Errors as ``application/problem+json`` (RFC 9457): one renderer for all of them."""

import json
import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from psycopg.errors import DiskFull
from pydantic import BaseModel
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from shared.errors import BadInput, LesionGanError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
#: A body of a megabyte may be wrong in a million places.
MAX_ERRORS = 100


class FieldError(BaseModel):
    """Where a request is wrong, and how."""

    loc: list[str | int]
    msg: str


class ProblemBody(BaseModel):
    """RFC 9457. ``errors`` is there for 422; ``request_id`` finds it in the server's log."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
    request_id: str | None = None


class Refused(HTTPException):
    """What was found wrong while a body was read: FastAPI lets no other error through there."""

    def __init__(self, error: Exception) -> None:
        status = error.status if isinstance(error, LesionGanError) else 500
        super().__init__(status)
        self.error = error


def problem(
    request: Request, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Response:
    """A problem response; ``status`` and the request's id are repeated in the body, which is ASCII.

    What the request said comes back in it, and may hold what UTF-8 cannot, such as half a pair of
    surrogates.
    """
    named = getattr(request.state, "request_id", None)
    content = json.dumps({**body, "status": status, "request_id": named})
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def install(app: FastAPI) -> None:
    """Render every error of ``app`` as a problem."""
    app.add_exception_handler(LesionGanError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(OperationalError, _database_away)
    app.add_exception_handler(InterfaceError, _database_away)
    app.add_exception_handler(PoolTimeout, _database_away)
    app.add_exception_handler(DataError, _not_storable)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, LesionGanError)
    return rendered(request, error)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    kinds = type(error.error).__mro__
    handlers = request.app.exception_handlers
    handler = next((handlers[kind] for kind in kinds if kind in handlers), None)
    if handler is None:
        return unexpected(request, error.error)
    response: Response = await handler(request, error.error)
    return response


def rendered(request: Request, error: LesionGanError) -> Response:
    """An error of ours as a problem."""
    body = {**error.problem(), **error.extra}
    headers = dict(error.headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status in (429, 503):
        headers["Retry-After"] = str(error.extra.get("retry_after", 2))
    if error.status == 422 and "errors" not in body:
        body["errors"] = [{"loc": [], "msg": error.detail}]
    return problem(request, error.status, body, headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{"loc": _place(fault["loc"]), "msg": str(fault["msg"])} for fault in error.errors()]
    first = errors[0]
    detail = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if len(errors) > 1:
        detail += f" (and {len(errors) - 1} more)"
    body = {
        "type": "/errors/invalid-input",
        "title": "Invalid input",
        "detail": detail,
        "errors": errors[:MAX_ERRORS],
    }
    return problem(request, 422, body)


def _place(loc: Sequence[Any]) -> list[str | int]:
    return [part if isinstance(part, int) else str(part) for part in loc]


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # FastAPI's word for a body that it cannot read
        return rendered(request, BadInput("the body is not JSON, or is nested too deeply"))
    title = {404: "Not found", 405: "Method not allowed"}.get(error.status_code, "Request refused")
    body = {
        "type": "/errors/" + title.lower().replace(" ", "-"),
        "title": title,
        "detail": str(error.detail),
    }
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request)) or headers.get("Allow", "")
    return problem(request, error.status_code, body, headers)


def _methods(request: Request) -> list[str]:
    """What the address takes: Starlette names the methods of one route, and a path has several."""
    paths: dict[str, dict[str, Any]] = request.app.openapi()["paths"]
    known = (each for each in paths if compile_path(each)[0].match(request.url.path))
    return sorted(method.upper() for path in known for method in paths[path])


async def _database_away(request: Request, error: Exception) -> Response:
    full = isinstance(getattr(error, "orig", None), DiskFull)
    detail = "the database's volume is full" if full else "the database does not answer; try again"
    log.warning("%s: %s", detail, error)
    body = {
        "type": "/errors/service-unavailable",
        "title": "Service unavailable",
        "detail": detail,
    }
    return problem(request, 503, body, {"Retry-After": "2"})


async def _not_storable(request: Request, error: Exception) -> Response:
    log.info("refused by the database: %s", error)
    detail = "the request holds a character, a number or a time that cannot be stored"
    return await _ours(request, BadInput(detail))


def unexpected(request: Request, error: Exception) -> Response:
    """What nobody foresaw: its reason goes to the log, not to the client."""
    log.error("unexpected error", exc_info=error)
    body = {
        "type": "/errors/internal-error",
        "title": "Internal error",
        "detail": "the server failed unexpectedly; its log has the reason",
    }
    return problem(request, 500, body)
