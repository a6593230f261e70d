"""SeaweedFS as the product uses it, through the `minio` client."""

import io
import os
from collections.abc import Iterator

import pytest
from minio import Minio

from deploy.local.servers import Servers
from tests.integration.local.clients import object_store

MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def store(servers: Servers) -> Iterator[Minio]:
    with object_store(servers.s3) as client:
        yield client


def _read(store: Minio, bucket: str, name: str, offset: int = 0, length: int = 0) -> bytes:
    response = store.get_object(bucket, name, offset=offset, length=length)
    try:
        return bytes(response.read())
    finally:
        response.close()


def test_an_object_comes_back(servers: Servers, store: Minio) -> None:
    store.put_object(servers.s3["bucket"], "a/b/c.bin", io.BytesIO(b"hello"), 5)

    assert _read(store, servers.s3["bucket"], "a/b/c.bin") == b"hello"


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (1000, 24), (2 * MEBIBYTE - 3, 3)])
def test_a_range_comes_back_alone(servers: Servers, store: Minio, offset: int, length: int) -> None:
    content = os.urandom(2 * MEBIBYTE)
    store.put_object(servers.s3["bucket"], "range.bin", io.BytesIO(content), len(content))

    part = _read(store, servers.s3["bucket"], "range.bin", offset, length)

    assert part == content[offset : offset + length]


def test_many_parts_become_one_object(servers: Servers, store: Minio) -> None:
    content = os.urandom(12 * MEBIBYTE + 17)
    store.put_object(
        servers.s3["bucket"], "parts.bin", io.BytesIO(content), -1, part_size=5 * MEBIBYTE
    )

    assert store.stat_object(servers.s3["bucket"], "parts.bin").size == len(content)
    assert _read(store, servers.s3["bucket"], "parts.bin") == content
    across = _read(store, servers.s3["bucket"], "parts.bin", 5 * MEBIBYTE - 10, 20)
    assert across == content[5 * MEBIBYTE - 10 : 5 * MEBIBYTE + 10]


def test_listing_and_removal(servers: Servers, store: Minio) -> None:
    bucket = servers.s3["bucket"]
    for index in range(3):
        store.put_object(bucket, f"list/{index}", io.BytesIO(b"x"), 1)

    store.remove_object(bucket, "list/1")

    names = [found.object_name for found in store.list_objects(bucket, prefix="list/")]
    assert names == ["list/0", "list/2"]


def test_it_takes_little_disk(servers: Servers) -> None:
    files = (servers.layout.data / "seaweedfs").rglob("*")
    allocated = sum(path.stat().st_blocks * 512 for path in files if path.is_file())

    # What the tests above stored, and a few megabytes: nothing is allocated ahead.
    assert allocated < 64 * MEBIBYTE
