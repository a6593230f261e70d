"""What a worker process is told by its queues."""

from collections.abc import Iterator

import pytest

from services.worker import PRELOADED, TASK_MODULES, find_device, find_task
from shared.queue.port import QUEUES
from shared.settings import get_settings


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    values = {
        "DATABASE_URL": "postgresql+psycopg://u:p@127.0.0.1/d",
        "REDIS_URL": "redis://127.0.0.1",
        "S3_ENDPOINT": "127.0.0.1:1",
        "S3_ACCESS_KEY": "a",
        "S3_SECRET_KEY": "s",
        "SECRET": "0123456789abcdef",
        "DEVICE": "the-one",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"LESIONGAN_{name}", value)
    get_settings.cache_clear()
    yield "the-one"
    get_settings.cache_clear()


@pytest.mark.parametrize("queue", QUEUES)
def test_only_trainings_take_a_device(device: str, queue: str) -> None:
    expected = device if queue in ("gan-train", "classification") else None
    assert find_device([queue]) == expected


def test_a_worker_of_all_queues_takes_it_as_well(device: str) -> None:
    assert find_device(QUEUES) == device


@pytest.mark.parametrize("kind", TASK_MODULES)
def test_every_kind_has_its_task(kind: str) -> None:
    assert callable(find_task(kind))


def test_what_is_preloaded_belongs_to_a_queue() -> None:
    assert set(PRELOADED) <= set(QUEUES)
