"""What keys used, and who did what."""

from datetime import datetime

from lesiongan.contracts.base import Resource, example
from lesiongan.contracts.jobs import JobStatus
from lesiongan.contracts.keys import KeyQuota


class JobUsage(Resource):
    """The jobs of one kind that are in one state."""

    kind: str
    status: JobStatus
    jobs: int
    device_seconds: float


class Usage(Resource):
    """What the jobs of one key used."""

    model_config = example(
        {
            "key": "key_2f4a6c8e0b1d0f3a5c7e9b1d",
            "name": "segmentation pipeline",
            "jobs": [
                {"kind": "train-gan", "status": "succeeded", "jobs": 2, "device_seconds": 3600.0}
            ],
            "device_seconds": 3600.0,
            "images": 4500,
            "stored_bytes": 73_400_320,
            "queued_jobs": 0,
            "quota_device_seconds_used": 1800.0,
            "quota": {"stored_bytes": None, "queued_jobs": 50, "device_seconds": 36_000.0},
        }
    )

    key: str
    name: str
    #: Submitted in the time that was asked for, as are those behind the next two.
    jobs: list[JobUsage]
    device_seconds: float
    #: Of the data sets that those jobs made, and that are there.
    images: int
    #: Now, whenever it was made: data sets, and weights of GANs and classifiers.
    stored_bytes: int
    queued_jobs: int
    #: Device-seconds of the last 30 days, which the quota is of.
    quota_device_seconds_used: float
    quota: KeyQuota


class AuditEntry(Resource):
    """One request that changed something, or was refused for its key."""

    model_config = example(
        {
            "id": "audit_8e0b1d0f3a5c7e9b1d2f4a6c",
            "at": "2026-03-02T10:30:00Z",
            "key": "key_2f4a6c8e0b1d0f3a5c7e9b1d",
            "action": "cancel_job",
            "target": "job_1d2f4a6c8e0b1d0f3a5c7e9b",
            "status": 200,
            "request_id": "req_0f3a5c7e9b1d2f4a6c8e0b1d",
            "address": "192.0.2.17",
        }
    )

    id: str
    at: datetime
    #: Null where no valid key was sent.
    key: str | None
    #: The operation's id in this document.
    action: str
    #: The id of what was made, or of what it was done to.
    target: str | None
    #: The answer's HTTP status.
    status: int
    request_id: str
    address: str
