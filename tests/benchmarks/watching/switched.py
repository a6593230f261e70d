"""All services in one process, watched or not as signals say: two processes are never quite alike.

SIGUSR1: nothing is counted, timed or traced. SIGUSR2: metrics. SIGHUP: metrics and traces.
"""

import signal
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

import psycopg
from sqlalchemy import event

from services.app import app
from shared.db import after_commit, timing
from shared.observability import metrics, tracing
from shared.storage import s3
from shared.web.front import layer
from shared.web.metering.requests import RequestMeter

__all__ = ["app"]

_POOL: dict[str, Any] = {"checkout": timing._lent, "checkin": timing._returned}
_SESSIONS: dict[str, Any] = {
    "after_commit": after_commit._call,
    "after_rollback": after_commit._forget,
}


class _NoMeter:
    """In place of a request's meter."""

    def __init__(self, scope: object) -> None:
        """Nothing is begun."""

    def answered(self, status: int) -> None:
        """Nothing is counted."""

    def ended(self) -> None:
        """Nothing is counted."""


class _NoCount:
    """In place of a counter or a histogram."""

    def inc(self) -> None:
        """Nothing is counted."""

    def observe(self, seconds: float) -> None:
        """Nothing is timed."""


def _unmeasured(_: str | None, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """In place of what asks S3 and times it."""
    return s3._translated(call, *args, **kwargs)


#: Where something is measured, what does it, and what stands in its place.
_MEASURED: tuple[tuple[ModuleType | type, str, Any, Any], ...] = (
    (layer, "RequestMeter", RequestMeter, _NoMeter),
    (metrics, "bound", metrics.bound, lambda *_: _NoCount()),
    (s3, "_ask", s3._ask, _unmeasured),
    (timing.TimedCursor, "execute", timing.TimedCursor.execute, psycopg.Cursor.execute),
    (timing.TimedCursor, "executemany", timing.TimedCursor.executemany, psycopg.Cursor.executemany),
)


class _Switch:
    """What is on."""

    counting = True
    tracer: Any = None

    @classmethod
    def turn(cls, number: int, _: FrameType | None) -> None:
        cls.tracer = cls.tracer or tracing._Tracing.tracer
        counting = number != signal.SIGUSR1
        if counting != cls.counting:
            cls._count(counting=counting)
        tracing._Tracing.tracer = cls.tracer if number == signal.SIGHUP else None

    @classmethod
    def _count(cls, *, counting: bool) -> None:
        listen: Any = event.listen if counting else event.remove
        for name, call in _POOL.items():
            listen(app.state.web.engine, name, call)
        for name, call in _SESSIONS.items():
            listen(app.state.web.sessions, name, call)
        for module, name, real, nothing in _MEASURED:
            setattr(module, name, real if counting else nothing)
        cls.counting = counting


for each in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
    signal.signal(each, _Switch.turn)
