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

from shared.errors import BadInput, LesionGanError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """Where a request is wrong, and how."""

    loc: list[str | int]
    msg: str


class ProblemBody(BaseModel):
    """RFC 9457. ``errors`` is there for 422."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None


def problem(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """A problem response; ``status`` is repeated in the body, which is ASCII.

    What the request said comes back in it, and may hold what UTF-8 cannot, such as half a pair of
    surrogates.
    """
    content = json.dumps({**body, "status": status})
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def install(app: FastAPI) -> None:
    """Render every error of ``app`` as a problem."""
    app.add_exception_handler(LesionGanError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _database_away)
    app.add_exception_handler(InterfaceError, _database_away)
    app.add_exception_handler(PoolTimeout, _database_away)
    app.add_exception_handler(DataError, _not_storable)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(_: Request, error: Exception) -> Response:
    assert isinstance(error, LesionGanError)
    body = {**error.problem(), **error.extra}
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if error.status in (429, 503):
        headers["Retry-After"] = str(error.extra.get("retry_after", 2))
    if error.status == 422 and "errors" not in body:
        body["errors"] = [{"loc": [], "msg": error.detail}]
    return problem(error.status, body, headers)


async def _invalid(_: Request, error: Exception) -> Response:
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
        "errors": errors,
    }
    return problem(422, body)


def _place(loc: Sequence[Any]) -> list[str | int]:
    return [part if isinstance(part, int) else str(part) for part in loc]


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = {404: "Not found", 405: "Method not allowed"}.get(error.status_code, "Request refused")
    body = {
        "type": "/errors/" + title.lower().replace(" ", "-"),
        "title": title,
        "detail": str(error.detail),
    }
    return problem(error.status_code, body, dict(error.headers or {}))


async def _database_away(_: Request, error: Exception) -> Response:
    full = isinstance(getattr(error, "orig", None), DiskFull)
    detail = "the database's volume is full" if full else "the database does not answer; try again"
    log.warning("%s: %s", detail, error)
    body = {
        "type": "/errors/service-unavailable",
        "title": "Service unavailable",
        "detail": detail,
    }
    return problem(503, body, {"Retry-After": "2"})


async def _not_storable(_: Request, error: Exception) -> Response:
    log.info("refused by the database: %s", error)
    detail = "the request holds a character, a number or a time that cannot be stored"
    return await _ours(_, BadInput(detail))


async def _unexpected(_: Request, error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    body = {
        "type": "/errors/internal-error",
        "title": "Internal error",
        "detail": "the server failed unexpectedly; its log has the reason",
    }
    return problem(500, body)
