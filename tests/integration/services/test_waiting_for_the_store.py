"""No route that reads a data set keeps a database connection while it waits for the store."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from services.app import app
from shared.datasets import reading
from shared.storage.s3 import S3Store
from tests.integration.services.bench import Bench, archive, pictures


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


@pytest.fixture
def holders(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Holders]:
    made = Holders()
    pool = app.state.web.engine.pool
    event.listen(pool, "checkout", made.took)
    event.listen(pool, "checkin", made.gave_back)

    def watched(name: str) -> None:
        original = getattr(S3Store, name)

        def reads(store: S3Store, key: str, *rest: Any) -> Any:
            made.read(key)
            return original(store, key, *rest)

        monkeypatch.setattr(S3Store, name, reads)

    for name in ("get", "get_range", "stream"):
        watched(name)
    yield made
    event.remove(pool, "checkout", made.took)
    event.remove(pool, "checkin", made.gave_back)


@pytest.fixture
def dataset(bench: Bench) -> str:
    return bench.made(bench.upload(archive(pictures(12)), "folders"))


@pytest.mark.parametrize(
    "route",
    [
        "images",
        "images/3",
        "report",
        "contact-sheet.png",
        "card",
        "archive",
        "archive?format=dicom",
    ],
)
def test_it_has_given_its_connection_back(
    bench: Bench, dataset: str, holders: Holders, route: str
) -> None:
    reading.forget_manifests()
    answer = bench.client.get(f"/datasets/{dataset}/{route}")
    assert answer.status_code == 200, answer.text
    assert holders.reads
    assert holders.guilty == []
