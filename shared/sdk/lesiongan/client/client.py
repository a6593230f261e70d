"""The clients themselves: one object a server."""

from types import TracebackType
from typing import Self

import httpx

from lesiongan.client.driving import SyncDriver
from lesiongan.client.driving_async import AsyncDriver
from lesiongan.client.exchange import MAX_RETRIES, Exchange
from lesiongan.client.operations import Operations
from lesiongan.client.server import find_server


class Client(Operations[SyncDriver]):
    """A LesionGAN server, by its HTTP API.

    >>> with Client("http://127.0.0.1:8000", "lg_…") as client:
    ...     job = client.datasets.upload("scans.zip", layout="deeplesion", name="our scans")
    ...     dataset = client.jobs.wait(job).output["dataset"]

    Requests that fail on the way are sent again where that is safe: calls that make a job carry an
    Idempotency-Key, so that one call makes one job. Every method may raise
    :class:`lesiongan.errors.ApiError` (the server refused) and
    :class:`lesiongan.errors.ConnectionFailed`. One client is for one thread.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        profile: str | None = None,
        max_retries: int = MAX_RETRIES,
        http_transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Without ``url``: see :func:`lesiongan.client.server.find_server`.

        Raises :class:`lesiongan.errors.NoServer` where no server is known.
        """
        server = find_server(url, key, profile=profile)
        driver = SyncDriver(server, http_transport)
        super().__init__(driver, Exchange(server, max_retries=max_retries))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.driver.close()


class AsyncClient(Operations[AsyncDriver]):
    """The same for asyncio: what :class:`Client` returns is awaited, its iterators are async.

    >>> async with AsyncClient() as client:
    ...     job = await client.generate("liver", 500)
    ...     async for event in client.jobs.events(job):
    ...         print(event.event, event.data)

    One client is for one event loop, and for any number of its tasks.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        profile: str | None = None,
        max_retries: int = MAX_RETRIES,
        http_transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """As :class:`Client`."""
        server = find_server(url, key, profile=profile)
        driver = AsyncDriver(server, http_transport)
        super().__init__(driver, Exchange(server, max_retries=max_retries))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self.driver.aclose()
