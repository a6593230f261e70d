"""Workers say in Redis that they are there. Whoever is silent is forgotten, and nothing is lost."""

import json
import logging
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from redis import Redis
from redis.exceptions import RedisError

from shared.settings import Settings

log = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
#: Three beats may be missed.
KEPT_SECONDS = 20
_PREFIX = "lesiongan:worker:"


@dataclass(frozen=True)
class Worker:
    """A worker process: what it serves and, where it uses a GPU, which and how much of it."""

    name: str
    queues: Sequence[str]
    gpu: str | None = None
    #: Of the GPU's memory, the most that it takes; None where nothing limits it.
    share: float | None = None


class Presence:
    """Who serves which queue."""

    def __init__(self, settings: Settings) -> None:
        self._redis = Redis.from_url(
            settings.redis_url.get_secret_value(), socket_connect_timeout=2, socket_timeout=5
        )

    def close(self) -> None:
        """Give its connections back."""
        self._redis.close()

    def announce(self, worker: Worker) -> None:
        """Have it be there from now on, in a thread."""
        threading.Thread(
            target=self._beat_for_ever, args=(worker,), name="presence", daemon=True
        ).start()

    def beat(self, worker: Worker) -> None:
        """Say it once; a Redis that is away hears it the next time."""
        try:
            self._redis.set(_PREFIX + worker.name, json.dumps(asdict(worker)), ex=KEPT_SECONDS)
        except RedisError as error:
            log.debug("not announced: %s", error)

    def workers(self) -> list[Worker] | None:
        """Who is there; None when Redis is away."""
        try:
            keys = list(self._redis.scan_iter(f"{_PREFIX}*", count=1000))
            said: list[bytes | None] = self._redis.mget(keys) if keys else []  # type: ignore[assignment]
        except RedisError as error:
            log.warning("workers cannot be counted: %s", error)
            return None
        return [Worker(**json.loads(each)) for each in said if each is not None]

    def by_queue(self) -> dict[str, int] | None:
        """How many workers serve each queue; None when Redis is away."""
        workers = self.workers()
        if workers is None:
            return None
        return dict(Counter(queue for worker in workers for queue in worker.queues))

    def _beat_for_ever(self, worker: Worker) -> None:
        pause = threading.Event()
        while True:
            self.beat(worker)
            pause.wait(BEAT_SECONDS)
