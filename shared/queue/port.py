"""The port to the queue: a doorbell, and nothing that cannot be lost."""

from typing import Literal, Protocol, get_args

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


class Doorbell(Protocol):
    """Tells the workers of a queue that a job waits for them."""

    def ring(self, queue: str, job_id: str) -> bool:
        """Send a job's id. False when Redis is away: the sweeper rings again later."""

    def depth(self, queue: str) -> int | None:
        """Messages that wait in the queue, or None when Redis is away."""
