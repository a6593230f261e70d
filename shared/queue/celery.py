"""The Celery adapter: one task, one queue a kind of work, Redis as the broker."""

import logging
from collections.abc import Iterable

from celery import Celery
from redis import Redis
from redis.exceptions import RedisError

from shared.observability import metrics
from shared.queue.envelope import envelope
from shared.queue.port import Ring
from shared.settings import Settings

log = logging.getLogger(__name__)


def make_celery(settings: Settings) -> Celery:
    """A Celery app whose messages are doorbells: no results, no late acks."""
    app = Celery("lesiongan", broker=settings.redis_url.get_secret_value(), set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=False,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_connect_timeout": 2,
            "socket_timeout": 10,
            "socket_keepalive": True,
            "max_retries": 1,
            "interval_start": 0,
        },
    )
    return app


class CeleryDoorbell:
    """Rings by leaving a job's id where Celery's workers look."""

    def __init__(self, settings: Settings) -> None:
        self._redis = Redis.from_url(
            settings.redis_url.get_secret_value(), socket_connect_timeout=2, socket_timeout=5
        )

    def ring(self, queue: str, job_id: str) -> bool:
        return self.ring_all([Ring(queue, job_id)])

    def ring_all(self, rings: Iterable[Ring]) -> bool:
        messages: dict[str, list[str]] = {}
        for ring in rings:
            messages.setdefault(ring.queue, []).append(envelope(ring.queue, ring.job_id))
        try:
            for queue, each in messages.items():
                self._redis.lpush(queue, *each)
        except RedisError as error:
            metrics.DOORBELL_FAILURES.inc()
            log.warning("doorbells of %s not rung: %s", ", ".join(messages), error)
            return False
        return True

    def depth(self, queue: str) -> int | None:
        try:
            length: int = self._redis.llen(queue)
        except RedisError as error:
            log.warning("queue %s cannot be read: %s", queue, error)
            return None
        return length

    def check(self) -> None:
        """Raise :class:`redis.exceptions.RedisError` unless Redis answers."""
        self._redis.ping()
