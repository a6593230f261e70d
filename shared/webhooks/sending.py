"""One request to a receiver: signed, to exactly the address that was checked, and never further.

The checks stand where the connection is made, below HTTP: whatever name a request carries is
resolved once, every address that it has is judged, and the socket goes to one of these. Redirects
are not followed, and proxies of the environment are not used.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterable, Iterable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpcore

from shared.errors import LesionGanError
from shared.webhooks.deliveries import Attempt, Message
from shared.webhooks.signing import signed_headers
from shared.webhooks.target import (
    Resolver,
    Rules,
    Target,
    checked_addresses,
    parse_target,
    system_resolver,
)

TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
#: What is read of an answer's body, for politeness: nothing of it is kept.
_BODY_BYTES = 16 * 1024
_BODY_SECONDS = 1.0
_USER_AGENT = "LesionGAN-Webhooks/1"


class Sender:
    """Sends messages. For the event loop in which it is used first."""

    def __init__(
        self,
        rules: Rules,
        *,
        resolvers: Executor,
        tls: ssl.SSLContext,
        resolve: Resolver = system_resolver,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        """``resolvers``: threads for names alone, as many as there may be messages at once."""
        self._rules = rules
        self._timeout_seconds = timeout_seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=None,
            max_keepalive_connections=0,
            network_backend=_CheckedNetwork(rules, resolvers, resolve),
        )

    async def send(self, message: Message, body: bytes) -> Attempt:
        """Make one attempt. Whatever goes wrong is in the answer."""
        at, began = datetime.now(UTC), time.monotonic()
        status, error, retry_after = None, None, None
        try:
            status, retry_after = await self._post(message, body, int(at.timestamp()))
        except TimeoutError:
            error = f"no answer within {self._timeout_seconds:.0f} s"
        except LesionGanError as refused:
            error = refused.detail
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as broken:
            error = _in_words(broken)
        if status is not None and not 200 <= status < 300:
            error = f"the receiver answered {status}"
        seconds = time.monotonic() - began
        return Attempt(at, seconds, status=status, error=error, retry_after=retry_after)

    async def _post(
        self, message: Message, body: bytes, timestamp: int
    ) -> tuple[int, timedelta | None]:
        target = parse_target(message.url, self._rules)
        url = httpcore.URL(
            scheme=target.scheme, host=target.host, port=target.port, target=target.path
        )
        async with (
            asyncio.timeout(self._timeout_seconds) as limit,
            self._pool.stream(
                "POST",
                url,
                headers=_headers(message, target, timestamp, body),
                content=body,
                extensions={"timeout": {"connect": CONNECT_SECONDS}},
            ) as response,
        ):
            # It has answered: how long its body takes does not matter.
            limit.reschedule(None)
            await _read_on(response.aiter_stream())
            return response.status, _retry_after(response.headers)


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were judged, and to no others."""

    def __init__(self, rules: Rules, resolvers: Executor, resolve: Resolver) -> None:
        self._rules = rules
        self._resolvers = resolvers
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await asyncio.get_running_loop().run_in_executor(
            self._resolvers, checked_addresses, host, port, self._rules, self._resolve
        )
        connect = partial(
            self._inner.connect_tcp,
            port=port,
            timeout=timeout,
            local_address=local_address,
            socket_options=socket_options,
        )
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await connect(address)
        return await connect(addresses[-1])

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _headers(
    message: Message, target: Target, timestamp: int, body: bytes
) -> list[tuple[str, str]]:
    own = {
        "Host": target.authority,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "User-Agent": _USER_AGENT,
    }
    signed = signed_headers(
        message.secrets, message_id=message.delivery_id, timestamp=timestamp, body=body
    )
    return [*own.items(), *signed.items()]


async def _read_on(stream: AsyncIterable[bytes]) -> None:
    """Take what comes of a body for a moment: the answer was its status."""
    read = 0
    with contextlib.suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in stream:
                read += len(chunk)
                if read > _BODY_BYTES:
                    return


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> timedelta | None:
    """``Retry-After`` in its usual form, seconds."""
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) <= 9:
            return timedelta(seconds=int(value))
    return None


def _in_words(error: Exception) -> str:
    if isinstance(error, httpcore.TimeoutException):
        return f"no connection within {CONNECT_SECONDS:.0f} s"
    if isinstance(error.__cause__, ssl.SSLError) or isinstance(error.__context__, ssl.SSLError):
        return f"TLS failed: {str(error)[:200]}"
    if isinstance(error, httpcore.ConnectError):
        return "the receiver refused the connection, or cannot be reached"
    return "the connection broke before there was an answer"
