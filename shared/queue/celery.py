"""The Celery adapter: one task, one queue a kind of work, Redis as the broker."""

import logging

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from shared.observability import metrics
from shared.queue.port import RUN_JOB
from shared.settings import Settings

log = logging.getLogger(__name__)


def make_celery(settings: Settings) -> Celery:
    """A Celery app that only rings: no results, no late acks, fast failure when Redis is away."""
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
    """Rings by sending the job's id through Celery."""

    def __init__(self, settings: Settings) -> None:
        self._celery = make_celery(settings)
        self._redis = Redis.from_url(
            settings.redis_url.get_secret_value(), socket_connect_timeout=2, socket_timeout=5
        )

    def ring(self, queue: str, job_id: str) -> bool:
        try:
            self._celery.send_task(RUN_JOB, args=[job_id], queue=queue, retry=False)
        except (OperationalError, RedisError, OSError) as error:
            metrics.DOORBELL_FAILURES.inc()
            log.warning("doorbell for %s not rung: %s", job_id, error)
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
