"""Routes that give their database connection back before anybody else has to run."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.routing import Match, Route
from starlette.types import Scope

from shared.web.state import SESSION


class Router(APIRouter):
    """An :class:`fastapi.APIRouter` whose plain functions close their session where they end.

    FastAPI needs a thread of its pool once more after a plain function, for the answer. A request
    that kept its connection until then could wait for a thread, while each of the threads waits
    for a connection: 200 clients were enough to stop a process for half a minute.
    """

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """As the parent's."""
        super().add_api_route(path, _closing(endpoint), **options)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As the parent's, which tries each route's pattern: seldom is the path one of ours."""
        ours = self._first_parts
        if ours and not scope.get("root_path") and _first_part(scope["path"]) not in ours:
            return Match.NONE, {}
        return super().matches(scope)

    @functools.cached_property
    def _first_parts(self) -> frozenset[str]:
        """With what all paths of its routes begin; none where one begins with anything.

        All routes are there when the first request comes.
        """
        paths = [route.path if isinstance(route, Route) else "/{any}" for route in self.routes]
        parts = frozenset(map(_first_part, paths))
        return frozenset() if any("{" in part for part in parts) else parts


def _first_part(path: str) -> str:
    return path.partition("/")[2].partition("/")[0]


def _closing(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    takes_session = SESSION in inspect.signature(endpoint).parameters
    if inspect.iscoroutinefunction(endpoint) or not takes_session:
        return endpoint

    @functools.wraps(endpoint)
    def closing(**given: Any) -> Any:
        session: Session = given[SESSION]
        try:
            return endpoint(**given)
        finally:
            session.close()

    return closing
