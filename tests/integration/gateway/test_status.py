"""``GET /status``: queues, workers, devices, the store and the disk."""

from pathlib import Path

import httpx
import pytest
from redis import Redis

from services.app import app
from shared.db.engine import Sessions
from shared.queue.celery import CeleryDoorbell
from shared.queue.presence import Presence, Worker
from shared.settings import Settings
from tests.integration.shared.builders import queued


def test_queues_workers_and_devices(
    client: httpx.Client, sessions: Sessions, settings: Settings, bell: CeleryDoorbell
) -> None:
    presence = Presence(settings)
    presence.beat(Worker("a", ["gan-train"], gpu="gpu-1", share=0.5))
    presence.beat(Worker("b", ["gan-sample"], gpu="gpu-1", share=0.25))
    presence.beat(Worker("c", ["gan-sample", "default"]))
    queued(sessions, queue="gan-sample")

    status = client.get("/status").json()

    queues = {each["queue"]: each for each in status["queues"]}
    assert queues["gan-sample"]["workers"] == 2
    assert queues["gan-sample"]["ready"] == 1
    assert queues["gan-train"] == {
        "queue": "gan-train",
        "ready": 0,
        "blocked": 0,
        "running": 0,
        "oldest_ready_seconds": 0.0,
        "workers": 1,
    }
    assert status["devices"] == [
        {"device": "gpu-1", "workers": ["a", "b"], "memory_share": 0.75, "trainings": []},
        {"device": "cpu", "workers": ["c"], "memory_share": None, "trainings": []},
    ]
    assert status["stored"] == {"datasets": 0, "dataset_bytes": 0, "models": 0, "model_bytes": 0}
    assert status["disk"] is None


def test_asking_again_connects_to_redis_no_second_time(
    client: httpx.Client, settings: Settings
) -> None:
    with Redis.from_url(settings.redis_url.get_secret_value()) as redis:

        def connections() -> int:
            client.get("/status")
            stats: dict[str, int] = redis.info("stats")
            return stats["total_connections_received"]

        assert connections() == connections()


def test_the_disk_of_the_data(
    client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = app.state.web
    for folder, known in ((tmp_path, True), (tmp_path / "gone", False)):
        settings = state.settings.model_copy(update={"data_folder": folder})
        monkeypatch.setitem(state.__dict__, "settings", settings)
        disk = client.get("/status").json()["disk"]
        assert (disk is not None) is known
        if disk is not None:
            assert 0 < disk["free_bytes"] < disk["total_bytes"]
