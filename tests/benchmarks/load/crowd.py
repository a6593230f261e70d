"""Clients of one event loop, in a process of their own: what they cost is not the API's."""

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvloop

from tests.benchmarks.load.wire import Wire

#: How often each kind of request comes among the mixed ones.
MIX = {"read": 60, "submit": 25, "events": 10, "stream": 5}


@dataclass
class Tally:
    """What clients saw: seconds of each kind of request, answers by status, and failures."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MIX})
    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    elapsed: float = 0.0


class Crowd:
    """Clients that share connections to one API."""

    def __init__(self, url: str, key: str, raw: str, preprocessed: str, *, clients: int) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}"}
        self._raw = raw
        self._preprocessed = preprocessed
        self._clients = clients
        self._tally = Tally()
        self._random = random.Random(0)
        #: No two crowds ask for the same work: that would be made once.
        self._seeds = itertools.count(random.SystemRandom().getrandbits(48))
        self._jobs: list[str] = []

    def mixed(self, seconds: float) -> Tally:
        """Reads, submits, event streams and archives, as :data:`MIX` says."""
        return asyncio.run(self._run(seconds, self._any))

    def submits(self, seconds: float) -> Tally:
        """Nothing but submits, by clients that cost next to nothing."""
        return uvloop.run(self._submit_by_wire(seconds))

    async def _submit_by_wire(self, seconds: float) -> Tally:
        wires = [await Wire.open(self._url, self._headers) for _ in range(self._clients)]
        self._tally = Tally()
        started = time.perf_counter()
        await asyncio.gather(*(self._go_on_by(wire, started + seconds) for wire in wires))
        self._tally.elapsed = time.perf_counter() - started
        for wire in wires:
            wire.close()
        return self._tally

    async def _go_on_by(self, wire: Wire, until: float) -> None:
        while (started := time.perf_counter()) < until:
            status, _ = await wire.post("/preprocess", self._new_work())
            self._tally.statuses[status] += 1
            self._tally.seconds["submit"].append(time.perf_counter() - started)

    def _new_work(self) -> dict[str, Any]:
        return {"dataset": self._raw, "split": {"seed": next(self._seeds)}}

    async def _run(
        self, seconds: float, act: Callable[[httpx.AsyncClient], Awaitable[str]]
    ) -> Tally:
        started = time.perf_counter()
        async with self._client() as client:
            await self._submit(client)
            self._tally = Tally()
            turns = [self._go_on(client, act, started + seconds) for _ in range(self._clients)]
            await asyncio.gather(*turns)
        self._tally.elapsed = time.perf_counter() - started
        return self._tally

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[httpx.AsyncClient]:
        limits = httpx.Limits(max_connections=self._clients)
        async with httpx.AsyncClient(
            base_url=self._url,
            headers=self._headers,
            timeout=60,
            trust_env=False,
            limits=limits,
        ) as client:
            yield client

    async def _go_on(
        self,
        client: httpx.AsyncClient,
        act: Callable[[httpx.AsyncClient], Awaitable[str]],
        until: float,
    ) -> None:
        while time.perf_counter() < until:
            started = time.perf_counter()
            try:
                kind = await act(client)
            except httpx.TransportError as error:
                name = f"{type(error).__name__} {error.request.method} {error.request.url.path[:9]}"
                self._tally.failures[name] += 1
            else:
                self._tally.seconds[kind].append(time.perf_counter() - started)

    async def _any(self, client: httpx.AsyncClient) -> str:
        kinds = {
            "read": self._read,
            "submit": self._submit,
            "events": self._events,
            "stream": self._stream,
        }
        chosen = self._random.choices(list(MIX), list(MIX.values()))[0]
        return await kinds[chosen](client)

    async def _read(self, client: httpx.AsyncClient) -> str:
        job = self._random.choice(self._jobs)
        path = self._random.choice(("/jobs?limit=20", "/datasets", f"/jobs/{job}"))
        self._note(await client.get(path))
        return "read"

    async def _submit(self, client: httpx.AsyncClient) -> str:
        answer = await client.post("/preprocess", json=self._new_work())
        self._note(answer)
        if answer.status_code == 202:
            self._jobs = [*self._jobs[-200:], answer.json()["id"]]
        return "submit"

    async def _events(self, client: httpx.AsyncClient) -> str:
        """Until the first event has come; the job waits, and its stream would too."""
        job = self._random.choice(self._jobs)
        async with client.stream("GET", f"/jobs/{job}/events") as answer:
            self._note(answer)
            async for _ in answer.aiter_lines():
                break
        return "events"

    async def _stream(self, client: httpx.AsyncClient) -> str:
        async with client.stream("GET", f"/datasets/{self._preprocessed}/archive") as answer:
            self._note(answer)
            async for _ in answer.aiter_bytes():
                pass
        return "stream"

    def _note(self, answer: httpx.Response) -> None:
        self._tally.statuses[answer.status_code] += 1


async def hold_open(
    url: str, key: str, raw: str, *, streams: int, waits: int, seconds: float
) -> Counter[str]:
    """Event streams of jobs that nobody works on, and submits that wait, all at once."""
    seen: Counter[str] = Counter()
    async with httpx.AsyncClient(
        base_url=url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=seconds + 60,
        trust_env=False,
        limits=httpx.Limits(max_connections=None),
    ) as client:
        made = await client.post("/preprocess", json={"dataset": raw, "split": {"seed": 2**62}})
        job = made.json()["id"]

        async def listen() -> None:
            try:
                async with (
                    asyncio.timeout(seconds),
                    client.stream("GET", f"/jobs/{job}/events") as s,
                ):
                    async for _ in s.aiter_lines():
                        seen["lines of streams"] += 1
            except TimeoutError:
                seen["streams held"] += 1

        async def wait(number: int) -> None:
            body = {"dataset": raw, "split": {"seed": 2**62 + 1 + number}}
            prefer = {"Prefer": f"wait={int(seconds)}"}
            answer = await client.post("/preprocess", json=body, headers=prefer)
            seen[f"waits answered {answer.status_code}"] += 1

        await asyncio.gather(
            *(listen() for _ in range(streams)), *(wait(number) for number in range(waits))
        )
    return seen
