"""What a route may read of its request: nothing before the key was checked, and not too much."""

from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.security.utils import get_authorization_scheme_param
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Message, Receive, Scope

from shared.errors import LesionGanError, TooLarge
from shared.web.auth import Needs, checked_caller
from shared.web.problems import Refused
from shared.web.state import WebState

#: Where a request's body is found, to raise its limit.
_BODY = "lesiongan.body"


class Body:
    """The ``receive`` of a request."""

    def __init__(self, scope: Scope, receive: Receive, state: WebState) -> None:
        self.max_bytes = state.settings.json_max_bytes
        self._scope = scope
        self._receive = receive
        self._state = state
        self._bytes = 0
        self._begun = False
        scope[_BODY] = self

    async def __call__(self) -> Message:
        """The next message; raises :class:`Refused`, which FastAPI passes on as it is."""
        try:
            if not self._begun:
                self._begun = True
                await self._check_key()
                self._check(_stated_bytes(self._scope))
            message = await self._receive()
            self._bytes += len(message.get("body", b""))
            self._check(self._bytes)
        except (LesionGanError, SQLAlchemyError) as error:
            raise Refused(error) from error
        return message

    async def _check_key(self) -> None:
        """FastAPI reads a JSON body before it asks the route's dependencies."""
        needs = _needs(self._scope)
        if needs is not None:
            secret = _bearer(self._scope)
            needs.checked(await checked_caller(self._scope, self._state, secret))

    def _check(self, size: int) -> None:
        if size > self.max_bytes:
            raise TooLarge(f"the body of this request has at most {self.max_bytes} bytes")


def allow_body(scope: Scope, max_bytes: int) -> None:
    """Let the route read so much: for files, whose readers hold little of them at a time."""
    body: Body | None = scope.get(_BODY)
    if body is not None:
        body.max_bytes = max_bytes


def _needs(scope: Scope) -> Needs | None:
    """The scope that the request's route asks for, if it asks for a key."""
    route: Any = scope.get("route")
    dependant: Dependant | None = getattr(route, "dependant", None)
    return None if dependant is None else _found(dependant)


def _found(dependant: Dependant) -> Needs | None:
    for each in dependant.dependencies:
        found = each.call if isinstance(each.call, Needs) else _found(each)
        if found is not None:
            return found
    return None


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for given, value in scope["headers"] if given == name), None)


def _bearer(scope: Scope) -> str | None:
    value = _header(scope, b"authorization")
    scheme, secret = get_authorization_scheme_param((value or b"").decode("latin-1"))
    return secret if scheme.lower() == "bearer" else None


def _stated_bytes(scope: Scope) -> int:
    value = _header(scope, b"content-length") or b"0"
    return int(value) if value.isdigit() else 0
