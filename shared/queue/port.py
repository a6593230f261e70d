"""The port to the queue: a doorbell, and nothing that cannot be lost."""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Protocol, get_args

QueueName = Literal[
    "preprocessing",
    "augmentation",
    "gan-train",
    "gan-sample",
    "classification",
    "interactive",
    "default",
]
QUEUES: tuple[QueueName, ...] = get_args(QueueName)

#: The one Celery task: a message is a job's id, everything else is in the ledger.
RUN_JOB = "lesiongan.run_job"


class Ring(NamedTuple):
    """A job that waits, and the queue that it waits in."""

    queue: str
    job_id: str


class Doorbell(Protocol):
    """Tells the workers of a queue that a job waits for them."""

    def ring(self, queue: str, job_id: str) -> bool:
        """Send a job's id. False when Redis is away: the sweeper rings again later."""

    def ring_all(self, rings: Iterable[Ring]) -> bool:
        """:meth:`ring` for many at once. False if Redis was away for one of them, or for all."""

    def depth(self, queue: str) -> int | None:
        """Messages that wait in the queue, or None when Redis is away."""
