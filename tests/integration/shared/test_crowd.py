"""More clients at once than threads, and more threads than connections: nobody waits for ever."""

import asyncio

import httpx

from tests.integration.conftest import KeyMaker

#: Anyio lends 40 threads, the pool 20 connections.
CLIENTS = 120
REQUESTS = 6


def test_a_crowd_is_answered_and_the_process_lives(base_url: str, make_headers: KeyMaker) -> None:
    headers = make_headers("admin")

    async def crowd() -> list[int]:
        limits = httpx.Limits(max_connections=CLIENTS + 1)
        async with httpx.AsyncClient(
            base_url=base_url, headers=headers, timeout=20, trust_env=False, limits=limits
        ) as client:

            async def visit() -> list[int]:
                answers = [await client.get("/jobs") for _ in range(REQUESTS)]
                return [answer.status_code for answer in answers]

            async def look() -> list[int]:
                answers = [await client.get("/health/live") for _ in range(REQUESTS)]
                return [answer.status_code for answer in answers]

            seen = await asyncio.gather(look(), *(visit() for _ in range(CLIENTS)))
            return [status for statuses in seen for status in statuses]

    statuses = asyncio.run(crowd())
    assert set(statuses) <= {200, 429}, "429: the rate of one key"
    assert statuses.count(200) >= CLIENTS
