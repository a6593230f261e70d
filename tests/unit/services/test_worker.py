"""What a worker process is told by its queues."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch

from services.worker import PRELOADED, TASK_MODULES, find_device, find_gpu, find_task
from shared.queue.port import QUEUES
from shared.settings import get_settings
from tests.unit.services.imports import imported


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


@pytest.fixture
def _two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GAN", "CLASSIFICATION"):
        monkeypatch.delenv(f"LESIONGAN_{name}_DEVICE", raising=False)

    def properties(place: torch.device) -> SimpleNamespace:
        return SimpleNamespace(uuid=f"uuid-{place.index or 0}")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", properties)


@pytest.mark.usefixtures("_two_gpus")
@pytest.mark.parametrize(
    ("gan", "classification", "gpus"),
    [
        (None, "cuda", ("gpu-uuid-0", "gpu-uuid-0")),
        ("cuda:1", "cpu", ("gpu-uuid-1", None)),
        ("cpu", "cuda:1", (None, "gpu-uuid-1")),
    ],
)
def test_a_gpu_is_the_one_that_the_settings_name(
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    gan: str | None,
    classification: str,
    gpus: tuple[str | None, str | None],
) -> None:
    monkeypatch.setenv("LESIONGAN_DEVICE", "")
    get_settings.cache_clear()
    if gan is not None:
        monkeypatch.setenv("LESIONGAN_GAN_DEVICE", gan)
    monkeypatch.setenv("LESIONGAN_CLASSIFICATION_DEVICE", classification)
    assert (find_device(["gan-train"]), find_device(["classification"])) == gpus
    assert (find_gpu(["gan-sample"]), find_gpu(["interactive", "preprocessing"])) == gpus
    assert find_gpu(["preprocessing"]) is None
    assert find_device(QUEUES) == find_gpu(QUEUES) == next(filter(None, reversed(gpus)))


@pytest.mark.parametrize("kind", TASK_MODULES)
def test_every_kind_has_its_task(kind: str) -> None:
    assert callable(find_task(kind))


def test_what_is_preloaded_belongs_to_a_queue() -> None:
    assert set(PRELOADED) <= set(QUEUES)


def test_trainings_and_samplings_start_without_what_few_need() -> None:
    program = "from services.worker import find_task; "
    program += "find_task('train-gan'), find_task('train-classifier')"
    slow = ["sklearn", "scipy.stats", "torchvision", "torch._dynamo"]
    assert imported(program, slow) == []
