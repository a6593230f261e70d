"""What the ledger says of queues and trainings, asked when Prometheus asks.

One process says it, the gateway: it is the same for all. The answer is kept for some seconds, so
that many who ask cost the database no more than one.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from shared.db.engine import Sessions
from shared.jobs import depths
from shared.queue.port import QUEUES

log = logging.getLogger(__name__)

KEPT_SECONDS = 5.0

#: Workers that are there, by queue; None where Redis is away and nobody knows.
Present = Callable[[], dict[str, int] | None]


#: What is said, and by which labels.
_SAID: dict[str, tuple[str, list[str]]] = {
    "lesiongan_ledger_up": ("Whether PostgreSQL answered.", []),
    "lesiongan_workers": ("Worker processes that said so within 20 s.", ["queue"]),
    "lesiongan_queue_jobs": (
        "Jobs that have not ended: ready to be claimed, blocked by others, or running.",
        ["queue", "state"],
    ),
    "lesiongan_queue_oldest_ready_seconds": (
        "How long the oldest job that could be claimed has waited; 0 where none does.",
        ["queue"],
    ),
    "lesiongan_webhook_deliveries_pending": ("Messages that are not delivered.", []),
    "lesiongan_webhook_overdue_seconds": (
        "How long the next attempt of the oldest message has been due.",
        [],
    ),
    "lesiongan_gan_training_value": (
        "The newest metrics of trainings that run, as GET /gans/{id}/metrics names them.",
        ["gan", "name"],
    ),
}


class LedgerCollector(Collector):
    """Queues, workers, webhooks and running trainings."""

    def __init__(self, sessions: Sessions, present: Present) -> None:
        self._sessions = sessions
        self._present = present
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._known: list[Metric] = []

    def describe(self) -> Iterable[Metric]:
        return [_family(name) for name in _SAID]

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._asked_at > KEPT_SECONDS:
                self._known = self._measured()
                self._asked_at = time.monotonic()
            yield from self._known

    def _measured(self) -> list[Metric]:
        found = _workers(self._present())
        try:
            with self._sessions() as session:
                found += [*_queues(session), *_webhooks(session), _trainings(session)]
        except SQLAlchemyError as error:
            log.warning("queues cannot be counted: %s", type(error).__name__)
            return [_single("lesiongan_ledger_up", 0), *found]
        return [_single("lesiongan_ledger_up", 1), *found]


def _family(name: str) -> GaugeMetricFamily:
    documentation, labels = _SAID[name]
    return GaugeMetricFamily(name, documentation, labels=labels)


def _single(name: str, value: float) -> Metric:
    family = _family(name)
    family.add_metric([], value)
    return family


def _workers(present: dict[str, int] | None) -> list[Metric]:
    if present is None:
        return []
    workers = _family("lesiongan_workers")
    for queue in QUEUES:
        workers.add_metric([queue], present.get(queue, 0))
    return [workers]


def _queues(session: Session) -> Iterator[Metric]:
    jobs = _family("lesiongan_queue_jobs")
    oldest = _family("lesiongan_queue_oldest_ready_seconds")
    known = depths.by_queue(session)
    for queue in QUEUES:
        depth = known.get(queue, depths.Depth())
        for state, count in depth.counts.items():
            jobs.add_metric([queue, state], count)
        oldest.add_metric([queue], depth.oldest_seconds)
    yield jobs
    yield oldest


def _webhooks(session: Session) -> Iterator[Metric]:
    pending, overdue_seconds = depths.deliveries(session)
    yield _single("lesiongan_webhook_deliveries_pending", pending)
    yield _single("lesiongan_webhook_overdue_seconds", overdue_seconds)


def _trainings(session: Session) -> Metric:
    values = _family("lesiongan_gan_training_value")
    for gan, newest in depths.trainings(session).items():
        for name, value in newest.items():
            values.add_metric([gan, name], value)
    return values
