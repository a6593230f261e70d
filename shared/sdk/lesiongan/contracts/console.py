"""The console: how a browser is let in, and what the system does now."""

from datetime import datetime

from lesiongan.contracts.base import Resource, example


class SignInLink(Resource):
    """An address that signs a browser in, once."""

    model_config = example(
        {
            "url": "http://127.0.0.1:8000/console/sign-in#lgl_4f1c…",
            "expires_at": "2026-03-01T09:15:00Z",
        }
    )

    url: str
    expires_at: datetime


class QueueStatus(Resource):
    """One queue: jobs by what they wait for, and who serves it."""

    queue: str
    #: Could begin now; wait for other jobs or for their time; run.
    ready: int
    blocked: int
    running: int
    oldest_ready_seconds: float
    #: None while Redis is away, where workers say that they are there.
    workers: int | None


class DeviceStatus(Resource):
    """A device that workers compute on: ``cpu``, or a GPU by its UUID."""

    device: str
    workers: list[str]
    #: Of a GPU's memory, what its workers may take together; None where nothing limits them.
    memory_share: float | None
    #: Jobs that hold it alone: trainings.
    trainings: list[str]


class StoredStatus(Resource):
    """What the store holds, by the ledger."""

    datasets: int
    dataset_bytes: int
    models: int
    model_bytes: int


class DiskStatus(Resource):
    """The disk of the servers' data."""

    total_bytes: int
    free_bytes: int


class Status(Resource):
    """What the system does now, and with what."""

    model_config = example(
        {
            "queues": [
                {
                    "queue": "gan-sample",
                    "ready": 2,
                    "blocked": 0,
                    "running": 1,
                    "oldest_ready_seconds": 1.5,
                    "workers": 1,
                }
            ],
            "devices": [
                {"device": "cpu", "workers": ["worker-cpu"], "memory_share": None, "trainings": []}
            ],
            "stored": {
                "datasets": 4,
                "dataset_bytes": 1_310_000_000,
                "models": 3,
                "model_bytes": 51_000_000,
            },
            "disk": {"total_bytes": 2_000_000_000_000, "free_bytes": 900_000_000_000},
        }
    )

    queues: list[QueueStatus]
    devices: list[DeviceStatus]
    stored: StoredStatus
    #: None where the gateway does not see that disk.
    disk: DiskStatus | None
