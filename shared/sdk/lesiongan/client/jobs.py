"""Jobs: look, follow, wait, cancel, retry."""

import time
from collections.abc import Callable, Iterator

from pydantic import ValidationError

from lesiongan.client.listening import SILENCE_SECONDS, listen
from lesiongan.client.paging import every
from lesiongan.client.sse import JobEvent
from lesiongan.client.transport import Call, Transport
from lesiongan.contracts.jobs import ENDED, Job, JobStatus, Progress
from lesiongan.errors import ApiError, ConnectionFailed, JobFailed, WaitTimeout

OnProgress = Callable[[Progress], None]
OnEvent = Callable[[JobEvent], None]

POLL_SECONDS = 1.0
#: How long a waiter outlasts a server that is away.
PATIENCE_SECONDS = 60.0


class Jobs:
    """The ledger: ``client.jobs``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(self, job: Job | str) -> Job:
        """The job as it is now."""
        return self._transport.read(Call(method="GET", path=_path(job)), Job)

    def list(
        self,
        *,
        kind: str | None = None,
        status: JobStatus | None = None,
        limit: int | None = None,
    ) -> Iterator[Job]:
        """Jobs, newest first."""
        params = {"kind": kind, "status": status}
        return every(self._transport, "/jobs", Job, params=params, limit=limit)

    def cancel(self, job: Job | str) -> Job:
        """Ask the job to stop; a running one stops at its next step."""
        return self._transport.read(Call(method="POST", path=f"{_path(job)}/cancel"), Job)

    def retry(self, job: Job | str) -> Job:
        """Queue a failed or cancelled job again."""
        call = Call(method="POST", path=f"{_path(job)}/retry", repeatable=False)
        return self._transport.read(call, Job)

    def events(self, job: Job | str, *, last_event_id: str | None = None) -> Iterator[JobEvent]:
        """What happens to the job, until it has ended.

        A stream that breaks is resumed after the last event that had an id.
        """
        return listen(self._transport, f"{_path(job)}/events", last_event_id=last_event_id)

    def wait(
        self,
        job: Job | str,
        *,
        on_progress: OnProgress | None = None,
        on_event: OnEvent | None = None,
        timeout_seconds: float | None = None,
    ) -> Job:
        """The job when it has succeeded.

        Follows the job's events, and asks again and again where a proxy lets no events through.
        Raises :class:`JobFailed` for a job that failed or was cancelled, and
        :class:`WaitTimeout` after ``timeout_seconds``; the job goes on then.
        """
        now = self.get(job)
        if now.status not in ENDED:
            now = self._follow(now, _Follower(now.id, on_progress, on_event, timeout_seconds))
        if on_progress is not None:
            on_progress(now.progress)
        if now.status != "succeeded":
            raise JobFailed(now)
        return now

    def _follow(self, job: Job, follower: "_Follower") -> Job:
        silence = min(SILENCE_SECONDS, follower.timeout_seconds or SILENCE_SECONDS)
        events = listen(
            self._transport,
            f"{_path(job)}/events",
            silence_seconds=silence,
            on_sign_of_life=follower.check,
        )
        try:
            for event in events:
                follower.take(event)
        except (ApiError, ConnectionFailed):
            follower.check()
        return self._poll(self._get_patiently(job), follower)

    def _poll(self, job: Job, follower: "_Follower") -> Job:
        while job.status not in ENDED:
            follower.show(job.progress)
            follower.check()
            time.sleep(POLL_SECONDS)
            job = self._get_patiently(job)
        return job

    def _get_patiently(self, job: Job) -> Job:
        """The job as it is now; a server that restarts is waited for."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.get(job)
            except ConnectionFailed:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(POLL_SECONDS)


class _Follower:
    """Passes on what one waiter wants to hear, and knows when it has waited long enough."""

    def __init__(
        self,
        job_id: str,
        on_progress: OnProgress | None,
        on_event: OnEvent | None,
        timeout_seconds: float | None,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self._job_id = job_id
        self._on_progress = on_progress
        self._on_event = on_event
        self._began_at = time.monotonic()

    def take(self, event: JobEvent) -> None:
        if self._on_event is not None:
            self._on_event(event)
        if event.event == "progress":
            try:
                self.show(Progress.model_validate(event.data))
            except ValidationError:
                return

    def show(self, progress: Progress) -> None:
        if self._on_progress is not None:
            self._on_progress(progress)

    def check(self) -> None:
        limit = self.timeout_seconds
        if limit is not None and time.monotonic() - self._began_at > limit:
            raise WaitTimeout(self._job_id, limit)


def _id(job: Job | str) -> str:
    return job if isinstance(job, str) else job.id


def _path(job: Job | str) -> str:
    return f"/jobs/{_id(job)}"
