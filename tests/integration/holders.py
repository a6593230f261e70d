"""Who holds a connection of the API's database while it reads from the object store."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from services.app import app
from shared.storage.s3 import S3Store


class Holders:
    """The threads that have a connection of the API's pool, and what they read meanwhile."""

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.reads = 0
        self.guilty: list[str] = []

    def took(self, *_: Any) -> None:
        self.threads.add(threading.get_ident())

    def gave_back(self, *_: Any) -> None:
        self.threads.discard(threading.get_ident())

    def read(self, key: str) -> None:
        self.reads += 1
        if threading.get_ident() in self.threads:
            self.guilty.append(key)


@contextmanager
def watched_holders(patch: pytest.MonkeyPatch) -> Iterator[Holders]:
    """Of the API in this process, which has started."""
    made = Holders()
    pool = app.state.web.engine.pool
    event.listen(pool, "checkout", made.took)
    event.listen(pool, "checkin", made.gave_back)

    def watched(name: str) -> None:
        original = getattr(S3Store, name)

        def reads(store: S3Store, key: str, *rest: Any) -> Any:
            made.read(key)
            return original(store, key, *rest)

        patch.setattr(S3Store, name, reads)

    for name in ("get", "get_range", "stream"):
        watched(name)
    yield made
    event.remove(pool, "checkout", made.took)
    event.remove(pool, "checkin", made.gave_back)
