"""What the tests of this folder may ask for."""

import httpx
import pytest

from shared.db.engine import Sessions
from shared.queue.celery import CeleryDoorbell
from shared.settings import Settings
from shared.storage.s3 import S3Store
from shared.worker.ports import Ports
from tests.integration.services.bench import Bench


@pytest.fixture
def ports(settings: Settings, sessions: Sessions, store: S3Store, bell: CeleryDoorbell) -> Ports:
    """What a worker is connected to, on empty tables."""
    return Ports(settings=settings, sessions=sessions, store=store, bell=bell)


@pytest.fixture
def bench(ports: Ports, client: httpx.Client) -> Bench:
    """Where a test makes jobs and runs them."""
    return Bench(ports, client)
