"""The three servers' clients, made of what `stack.json` says."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
import urllib3
from minio import Minio


@contextmanager
def object_store(s3: dict[str, str]) -> Iterator[Minio]:
    """The `minio` client, as the product makes it: with its region set."""
    with urllib3.PoolManager(timeout=10.0, retries=False) as pool:
        yield Minio(
            s3["endpoint"],
            access_key=s3["access_key"],
            secret_key=s3["secret_key"],
            region=s3["region"],
            secure=False,
            http_client=pool,
        )


@contextmanager
def queue(url: str) -> "Iterator[redis.Redis]":
    """A client of Valkey."""
    client: Any = redis.Redis.from_url(url, socket_timeout=5)
    try:
        yield client
    finally:
        client.close()
