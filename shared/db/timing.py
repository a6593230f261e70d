"""How long PostgreSQL takes: of every statement, measured around the driver's call.

In the driver's cursor, not in SQLAlchemy's events: those cost each statement several times as much.
"""

import time
from typing import Any, Self

import psycopg
from sqlalchemy import Engine, event

from shared.observability import metrics, tracing

#: The first word of a statement, which is what it is counted by.
_OPERATIONS = {"SELECT": "select", "INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}
#: Whether a connection still lives is asked with less than a word.
_SHORTEST = 6


class TimedCursor(psycopg.Cursor[Any]):
    """A cursor that counts, times and traces what it sends."""

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Self:
        began_ns = time.perf_counter_ns()
        try:
            super().execute(query, *args, **kwargs)
        except psycopg.Error as error:
            _failed(error)
            raise
        _took(query, began_ns)
        return self

    def executemany(self, query: Any, *args: Any, **kwargs: Any) -> None:
        began_ns = time.perf_counter_ns()
        try:
            super().executemany(query, *args, **kwargs)
        except psycopg.Error as error:
            _failed(error)
            raise
        _took(query, began_ns)


def count_connections(engine: Engine) -> None:
    """Count those of this engine that are lent."""
    event.listen(engine, "checkout", _lent)
    event.listen(engine, "checkin", _returned)


def _took(query: Any, began_ns: int) -> None:
    if not isinstance(query, str) or len(query) < _SHORTEST:
        return
    took_ns = time.perf_counter_ns() - began_ns
    operation = _OPERATIONS.get(query[:6], "other")
    metrics.bound(metrics.DB_SECONDS, operation).observe(took_ns * 1e-9)
    if tracing.enabled():
        tracing.note(f"db {operation}", took_ns)


def _failed(error: psycopg.Error) -> None:
    metrics.bound(metrics.DB_ERRORS, type(error).__name__).inc()


def _lent(*_: Any) -> None:
    metrics.DB_IN_USE.inc()


def _returned(*_: Any) -> None:
    metrics.DB_IN_USE.dec()
