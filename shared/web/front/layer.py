"""The outermost layer of every API, in plain ASGI: it costs each request microseconds."""

import math

from opentelemetry.trace import Span, SpanKind
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import TooManyRequests
from shared.observability import tracing
from shared.observability.current import about_request
from shared.web import problems
from shared.web.auth import known_caller
from shared.web.front.addresses import client_address
from shared.web.front.body import Body
from shared.web.front.request_ids import HEADER, request_id
from shared.web.front.state import FrontState
from shared.web.metering.requests import RequestMeter, method_of, route_of

#: Orchestrators ask them at any time, and they name nothing.
UNLIMITED = frozenset({"/health/live", "/health/ready", "/metrics"})


class Front:
    """Names each request, limits it, notes it for the audit and completes its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(scope, send)
        parent = visit.traceparent
        with about_request(visit.id), tracing.root("HTTP", parent, SpanKind.SERVER) as span:
            visit.span = span
            try:
                await self._answer(visit, scope, receive)
            finally:
                visit.meter.ended()

    async def _answer(self, visit: "_Visit", scope: Scope, receive: Receive) -> None:
        wait = visit.seconds_to_wait()
        if wait > 0:
            await visit.refuse(receive, wait)
            return
        try:
            await self._app(scope, Body(scope, receive, visit.state.web), visit.send)
        except Exception as error:
            if visit.answered:
                raise  # the connection breaks: nobody may take half an answer for a whole one
            await visit.fail(receive, error)


class _Visit:
    """One request, from its arrival to the start of its answer."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.state: FrontState = scope["app"].state.front
        self.id = request_id(scope)
        self.answered = False
        self.meter = RequestMeter(scope)
        self.span: Span | None = None
        self._scope = scope
        self._send = send
        self._address = client_address(scope, self.state.web.settings.trusted_proxies)
        self._authorization = next(
            (value for name, value in scope["headers"] if name == b"authorization"), None
        )
        scope.setdefault("state", {})["request_id"] = self.id

    @property
    def traceparent(self) -> str | None:
        """Where the client's own trace stands, if it says so."""
        if not tracing.enabled():
            return None
        headers = self._scope["headers"]
        found = next((value for name, value in headers if name == b"traceparent"), b"")
        return str(found, "latin-1") or None

    def seconds_to_wait(self) -> float:
        if self._scope["path"] in UNLIMITED:
            return 0.0
        return self.state.rates.seconds_to_wait(self._authorization, self._address)

    async def refuse(self, receive: Receive, wait: float) -> None:
        seconds = math.ceil(wait)
        error = TooManyRequests(f"too many requests: try again in {seconds} s", retry_after=seconds)
        answer = problems.rendered(Request(self._scope), error)
        await answer(self._scope, receive, self.send)

    async def fail(self, receive: Receive, error: Exception) -> None:
        answer = problems.unexpected(Request(self._scope), error)
        await answer(self._scope, receive, self.send)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._answer(message)
        await self._send(message)

    def _answer(self, message: Message) -> None:
        self.answered = True
        state, status = self.state, message["status"]
        self.meter.answered(status)
        if self.span is not None:
            self._name_span(self.span, status)
        caller = known_caller(self._scope)
        if caller is not None:
            state.rates.found_good(self._authorization, caller.key_id)
        elif status == 401:
            state.rates.refused(self._authorization, self._address)
        state.audit.note(self._scope, message, request_id=self.id, address=self._address)
        headers = state.headers.completed(message.get("headers", []))
        message["headers"] = [*headers, (HEADER, self.id.encode())]

    def _name_span(self, span: Span, status: int) -> None:
        """By the route's template: the address itself and its query stay out of the trace."""
        method, route = method_of(self._scope), route_of(self._scope)
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.route": route, "http.response.status_code": status})
        span.set_attribute("request.id", self.id)
        if status >= 500:
            tracing.failed(span, str(status))
