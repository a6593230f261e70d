"""Logs: one line an event, to standard error. A request's lines carry its id."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request: ContextVar[str] = ContextVar("request")


@contextmanager
def about_request(request_id: str) -> Iterator[None]:
    """What is logged in here, and in threads that it starts work in, is of this request."""
    token = _request.set(f"[{request_id}] ")
    try:
        yield
    finally:
        _request.reset(token)


def configure_logging(level: int = logging.INFO) -> None:
    """Send every logger to standard error. Call it once, at a process's edge."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_name_request)
    handler.setFormatter(
        logging.Formatter(
            "%(asctime)s %(levelname)s %(name)s %(request)s%(message)s", "%Y-%m-%dT%H:%M:%S%z"
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("celery", "kombu", "urllib3", "alembic", "amqp", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _name_request(record: logging.LogRecord) -> bool:
    record.request = _request.get("")
    return True
