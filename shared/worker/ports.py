"""What a worker process is connected to; made once, at its edge."""

from dataclasses import dataclass
from typing import Protocol

from shared.db.engine import Sessions, make_engine, make_sessions
from shared.jobs.context import JobContext, Outcome
from shared.queue.celery import CeleryDoorbell
from shared.queue.port import Doorbell
from shared.settings import Settings
from shared.storage.port import ObjectStore
from shared.storage.s3 import S3Store


@dataclass(frozen=True)
class Ports:
    """The three ports and the settings."""

    settings: Settings
    sessions: Sessions
    store: ObjectStore
    bell: Doorbell


class Task(Protocol):
    """Translates a claimed job into a call of its handler."""

    def __call__(self, job: JobContext, ports: Ports) -> Outcome: ...


def connect(settings: Settings) -> Ports:
    """Ports to the real servers. Connections are made when they are first used."""
    return Ports(
        settings=settings,
        sessions=make_sessions(make_engine(settings.database_url, pool_size=4)),
        store=S3Store(settings),
        bell=CeleryDoorbell(settings),
    )
