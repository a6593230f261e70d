"""A ZIP that streams: whole, or no ZIP."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator

import pytest

from shared.web.zip_stream import zip_stream

BATCHES = [[("a/1.png", b"one"), ("a/2.png", b"")], [], [("manifest.json", bytes(100_000))]]


async def entries(*, broken: bool = False) -> AsyncIterator[list[tuple[str, bytes]]]:
    for batch in BATCHES:
        yield batch
    if broken:
        raise RuntimeError("the job failed")


async def pieces(*, broken: bool = False) -> list[bytes]:
    return [piece async for piece in zip_stream(entries(broken=broken))]


def test_it_opens_and_holds_what_was_given() -> None:
    data = b"".join(asyncio.run(pieces()))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    assert found == dict(entry for batch in BATCHES for entry in batch)


def test_it_streams_batch_by_batch() -> None:
    found = asyncio.run(pieces())
    assert len(found) == len(BATCHES) + 1
    assert b"one" in found[0]


def test_the_same_content_has_the_same_bytes() -> None:
    assert asyncio.run(pieces()) == asyncio.run(pieces())


def test_what_broke_off_is_no_archive() -> None:
    sink = io.BytesIO()

    async def take() -> None:
        async for piece in zip_stream(entries(broken=True)):
            sink.write(piece)

    with pytest.raises(RuntimeError, match="the job failed"):
        asyncio.run(take())
    assert sink.tell() > 100_000
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(sink)
