"""Counting and timing requests. It costs each of them a few microseconds."""

import time

from starlette.types import Scope

from shared.observability import metrics

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
#: What no route of ours answers: its address is a stranger's to choose, and no label.
UNMATCHED = "unmatched"


class RequestMeter:
    """One request, from its arrival to the end of its answer."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._began = time.perf_counter()
        metrics.HTTP_IN_PROGRESS.inc()

    def answered(self, status: int) -> None:
        """The answer begins. The route is known by now."""
        method, route = method_of(self._scope), route_of(self._scope)
        metrics.bound(metrics.HTTP_REQUESTS, method, route, str(status)).inc()
        if not self._waits():
            took = time.perf_counter() - self._began
            metrics.bound(metrics.HTTP_SECONDS, method, route).observe(took)

    def ended(self) -> None:
        """Nothing more is sent."""
        metrics.HTTP_IN_PROGRESS.dec()

    def _waits(self) -> bool:
        return any(
            name == b"prefer" and b"wait=" in value for name, value in self._scope["headers"]
        )


def method_of(scope: Scope) -> str:
    """The method, as far as it is one of HTTP's."""
    return scope["method"] if scope["method"] in _METHODS else "other"


def route_of(scope: Scope) -> str:
    """The template of the route, such as ``/jobs/{job_id}``."""
    return getattr(scope.get("route"), "path", UNMATCHED)
