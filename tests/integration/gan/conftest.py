"""What the tests of this folder may ask for."""

import pytest

from shared.db.engine import Sessions
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.s3 import S3Store
from shared.worker.ports import Ports


@pytest.fixture
def ports(settings: Settings, sessions: Sessions, store: S3Store, bell: CeleryDoorbell) -> Ports:
    """What a worker is connected to, on empty tables."""
    return Ports(settings=settings, sessions=sessions, store=store, bell=bell)
