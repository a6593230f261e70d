"""Errors as ``application/problem+json`` (RFC 9457): one renderer for all of them."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException

from shared.errors import LesionGanError

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


def problem(
    status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem response; ``status`` is repeated in the body."""
    return JSONResponse(
        {**body, "status": status}, status_code=status, media_type=MEDIA_TYPE, headers=headers
    )


def install(app: FastAPI) -> None:
    """Render every error of ``app`` as a problem."""
    app.add_exception_handler(LesionGanError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _database_away)
    app.add_exception_handler(InterfaceError, _database_away)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LesionGanError)
    body = {**error.problem(), **error.extra}
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if error.status in (429, 503):
        headers["Retry-After"] = str(error.extra.get("retry_after", 2))
    if error.status == 422 and "errors" not in body:
        body["errors"] = [{"loc": [], "msg": error.detail}]
    return problem(error.status, body, headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
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


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    title = {404: "Not found", 405: "Method not allowed"}.get(error.status_code, "Request refused")
    body = {
        "type": "/errors/" + title.lower().replace(" ", "-"),
        "title": title,
        "detail": str(error.detail),
    }
    return problem(error.status_code, body, dict(error.headers or {}))


async def _database_away(_: Request, error: Exception) -> JSONResponse:
    log.warning("the database does not answer: %s", error)
    body = {
        "type": "/errors/service-unavailable",
        "title": "Service unavailable",
        "detail": "the database does not answer; try again",
    }
    return problem(503, body, {"Retry-After": "2"})


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    log.error("unexpected error", exc_info=error)
    body = {
        "type": "/errors/internal-error",
        "title": "Internal error",
        "detail": "the server failed unexpectedly; its log has the reason",
    }
    return problem(500, body)
