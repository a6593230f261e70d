"""A bucket of its own, an installation that is a year old, and a collection of it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, insert

from shared.db.engine import Sessions
from shared.db.tables import KeyRow
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.s3 import S3Store
from shared.worker.ports import Ports
from tests.integration.retention.builders import ago
from tests.integration.shared.builders import committed


@pytest.fixture(scope="session")
def bucket(settings: Settings) -> Settings:
    """The servers' settings, with a bucket that no other test fills."""
    return settings.model_copy(update={"s3_bucket": "retention"})


@pytest.fixture
def store(bucket: Settings) -> Iterator[S3Store]:
    """The bucket, empty before the test and after it."""
    made = S3Store(bucket)
    made.ensure_bucket()
    yield made
    for listed in list(made.list("")):
        made.delete(listed.key)


@pytest.fixture
def ports(bucket: Settings, sessions: Sessions, store: S3Store, bell: CeleryDoorbell) -> Ports:
    """What a worker is connected to; the first row is a year old."""
    born = func.clock_timestamp() - ago(days=365)
    first = insert(KeyRow).values(id="key", name="", sha256="", scopes=[], created_at=born)
    committed(sessions, lambda session: session.execute(first))
    return Ports(settings=bucket, sessions=sessions, store=store, bell=bell)
