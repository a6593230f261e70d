"""The client for asyncio: the same flows, carried out on an event loop."""

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from lesiongan.contracts.gans import GanCommand
from lesiongan.errors import ConnectionFailed, JobFailed, NotFound
from tests.unit.sdk.fake_server import (
    Pieces,
    Script,
    async_client_of,
    job,
    problem,
)
from tests.unit.sdk.made import DATASET
from tests.unit.sdk.test_files import zip_of
from tests.unit.sdk.test_jobs import DONE, events, sse


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of the event loop that took no time."""
    made: list[float] = []

    async def pause(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr("lesiongan.client.driving_async.asyncio.sleep", pause)
    return made


def test_attempts_share_an_idempotency_key(pauses: list[float]) -> None:
    busy = httpx.Response(429, headers={"retry-after": "7"})
    script = Script(httpx.ReadError("reset"), busy, httpx.Response(202, json=job()))

    async def train() -> str:
        async with async_client_of(script) as client:
            return (await client.gans.train(GanCommand(dataset=DATASET, steps=7))).id

    assert asyncio.run(train()) == "job_1"
    assert len({request.headers["idempotency-key"] for request in script.requests}) == 1
    assert json.loads(script.requests[2].read()) == {"dataset": DATASET, "steps": 7}
    assert pauses[1] == 7.0


def test_problems_are_the_same_exceptions() -> None:
    async def get() -> None:
        async with async_client_of(Script(problem(404, "Not found", "no job x"))) as client:
            await client.jobs.get("x")

    with pytest.raises(NotFound, match="no job x"):
        asyncio.run(get())


def test_lists_are_async_iterators() -> None:
    pages = (
        httpx.Response(200, json={"items": [job(), job()], "next_cursor": "c1"}),
        httpx.Response(200, json={"items": [job()], "next_cursor": None}),
    )
    script = Script(*pages)

    async def count() -> int:
        async with async_client_of(script) as client:
            return len([each async for each in client.jobs.list()])

    assert asyncio.run(count()) == 3
    assert script.requests[1].url.params["cursor"] == "c1"


def test_waiting_resumes_events(pauses: list[float]) -> None:
    script = Script(
        httpx.Response(200, json=job("running")),
        events(sse("metric", {"step": 1}, 41), error=httpx.ReadError("cut")),
        events(sse("metric", {"step": 2}, 42), DONE),
        httpx.Response(200, json=job("failed")),
    )
    heard: list[str | None] = []

    async def wait() -> None:
        async with async_client_of(script) as client:
            await client.jobs.wait("job_1", on_event=lambda event: heard.append(event.id))

    with pytest.raises(JobFailed):
        asyncio.run(wait())
    assert heard == ["41", "42", None]
    assert script.requests[2].headers["last-event-id"] == "41"


def test_an_upload_and_a_zip_are_streamed(tmp_path: Path) -> None:
    (tmp_path / "liver").mkdir()
    (tmp_path / "liver" / "a.png").write_bytes(b"one")
    content = zip_of(["a.png", "manifest.json"])
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            bodies.append(request.content)
            return httpx.Response(202, json=job())
        return httpx.Response(200, stream=Pieces([content[:50], content[50:]]))

    async def both() -> int:
        async with async_client_of(answer) as client:
            await client.datasets.upload(tmp_path, name="ours")
            made = await client.generate_zip("liver", 1, tmp_path / "out.zip")
            return made.images

    assert asyncio.run(both()) == 1
    assert b"images/liver/a.png" in bodies[0]
    assert (tmp_path / "out.zip").read_bytes() == content
    assert zipfile.is_zipfile(tmp_path / "out.zip")


def test_a_download_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    started = asyncio.Event()

    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"PK"
            started.set()
            await asyncio.Event().wait()

    script = Script(httpx.Response(200, stream=Endless()))

    async def leave() -> None:
        async with async_client_of(script) as client:
            task = asyncio.create_task(client.gans.weights("gan_1", tmp_path / "w"))
            await started.wait()
            task.cancel()
            await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(leave())
    assert list(tmp_path.iterdir()) == []


def test_who_stops_listening_lets_go() -> None:
    script = Script(events(sse("metric", {"step": 1}, 1), sse("metric", {"step": 2}, 2)))

    async def first() -> object:
        async with async_client_of(script) as client:
            stream = client.jobs.events("job_1")
            return (await anext(stream)).data

    assert asyncio.run(first()) == {"step": 1}
    assert len(script.requests) == 1


def test_nothing_answers() -> None:
    async def get() -> None:
        async with async_client_of(Script(httpx.ConnectError("no")), max_retries=0) as client:
            await client.datasets.get(DATASET)

    with pytest.raises(ConnectionFailed, match="nothing answers"):
        asyncio.run(get())
