"""Waiting for a job: by its events, and by asking where no events come through."""

import time
from collections.abc import Callable

from pydantic import ValidationError

from lesiongan.client.call import Call
from lesiongan.client.exchange import Exchange
from lesiongan.client.flow import Flow, consume, sleep
from lesiongan.client.listening import SILENCE_SECONDS, listen
from lesiongan.client.sse import JobEvent
from lesiongan.contracts.jobs import ENDED, Job, Progress
from lesiongan.errors import ApiError, ConnectionFailed, JobFailed, ServerFault, WaitTimeout

OnProgress = Callable[[Progress], None]
OnEvent = Callable[[JobEvent], None]

POLL_SECONDS = 1.0
#: How long a waiter outlasts a server that is away.
PATIENCE_SECONDS = 60.0
#: What a proxy, or a service, answers while what is behind it is away.
_AWAY = (502, 503, 504)


class Waiter:
    """Waits for one job, passes on what its caller wants to hear, and knows when it is too long."""

    def __init__(
        self,
        exchange: Exchange,
        job: Job | str,
        on_progress: OnProgress | None = None,
        on_event: OnEvent | None = None,
        timeout_seconds: float | None = None,
    ) -> None:
        self._exchange = exchange
        self._job_id = job if isinstance(job, str) else job.id
        self._path = f"/jobs/{self._job_id}"
        self._on_progress = on_progress
        self._on_event = on_event
        self._timeout_seconds = timeout_seconds
        self._began_at = time.monotonic()

    def ended(self) -> Flow[Job]:
        """The job when it has succeeded; see :meth:`lesiongan.client.jobs.Jobs.wait`."""
        now = yield from self._get()
        if now.status not in ENDED:
            yield from self._follow()
            now = yield from self._poll()
        self._show(now.progress)
        if now.status != "succeeded":
            raise JobFailed(now)
        return now

    def _follow(self) -> Flow[None]:
        """Take the job's events until they end, or do not come."""
        events = listen(
            self._exchange,
            f"{self._path}/events",
            silence_seconds=min(SILENCE_SECONDS, self._timeout_seconds or SILENCE_SECONDS),
            on_sign_of_life=self._check,
        )
        try:
            yield from consume(events, self._take)
        except (ApiError, ConnectionFailed):
            self._check()

    def _poll(self) -> Flow[Job]:
        job = yield from self._get_patiently()
        while job.status not in ENDED:
            self._show(job.progress)
            self._check()
            yield from sleep(POLL_SECONDS)
            job = yield from self._get_patiently()
        return job

    def _get_patiently(self) -> Flow[Job]:
        """The job as it is now; a server that restarts is waited for."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return (yield from self._get())
            except (ConnectionFailed, ServerFault) as failed:
                if not _is_away(failed) or time.monotonic() > give_up_at:
                    raise
            yield from sleep(POLL_SECONDS)

    def _get(self) -> Flow[Job]:
        return self._exchange.read(Call(method="GET", path=self._path), Job)

    def _take(self, event: JobEvent) -> None:
        if self._on_event is not None:
            self._on_event(event)
        if event.event == "progress":
            try:
                self._show(Progress.model_validate(event.data))
            except ValidationError:
                return

    def _show(self, progress: Progress) -> None:
        if self._on_progress is not None:
            self._on_progress(progress)

    def _check(self) -> None:
        limit = self._timeout_seconds
        if limit is not None and time.monotonic() - self._began_at > limit:
            raise WaitTimeout(self._job_id, limit)


def _is_away(failed: ConnectionFailed | ServerFault) -> bool:
    return isinstance(failed, ConnectionFailed) or failed.status in _AWAY
