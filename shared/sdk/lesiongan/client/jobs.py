"""Jobs: look, follow, wait, cancel, retry."""

from lesiongan.client.binding import Mode, Resource, items, operation
from lesiongan.client.call import Call
from lesiongan.client.exchange import Exchange
from lesiongan.client.flow import Flow, Stream
from lesiongan.client.listening import listen
from lesiongan.client.paging import every
from lesiongan.client.sse import JobEvent
from lesiongan.client.waiting import OnEvent, OnProgress, Waiter
from lesiongan.contracts.jobs import Job, JobStatus


class Jobs(Resource[Mode]):
    """The ledger: ``client.jobs``."""

    @operation
    def get(self, job: Job | str) -> Flow[Job]:
        """The job as it is now."""
        return get_job(self.exchange, job)

    @items
    def list(
        self,
        *,
        kind: str | None = None,
        status: JobStatus | None = None,
        graph: Job | str | None = None,
        limit: int | None = None,
    ) -> Stream[Job]:
        """Jobs, newest first; with ``graph``, that job and all that it waits for."""
        params = {"kind": kind, "status": status, "graph": graph and job_id(graph)}
        return every(self.exchange, "/jobs", Job, params=params, limit=limit)

    @operation
    def cancel(self, job: Job | str) -> Flow[Job]:
        """Ask the job to stop; a running one stops at its next step."""
        return self.exchange.read(Call(method="POST", path=f"{job_path(job)}/cancel"), Job)

    @operation
    def retry(self, job: Job | str) -> Flow[Job]:
        """Queue a failed or cancelled job again."""
        call = Call(method="POST", path=f"{job_path(job)}/retry", repeatable=False)
        return self.exchange.read(call, Job)

    @operation
    def result(self, job: Job | str) -> Flow[bytes]:
        """What a preview or a classification that took longer made: a PNG, or JSON."""
        call = Call(method="GET", path=f"{job_path(job)}/result", headers={"Accept": "*/*"})
        return (yield from self.exchange.answer(call)).content

    @items
    def events(self, job: Job | str, *, last_event_id: str | None = None) -> Stream[JobEvent]:
        """What happens to the job, until it has ended.

        A stream that breaks is resumed after the last event that had an id.
        """
        path = f"{job_path(job)}/events"
        return listen(self.exchange, path, last_event_id=last_event_id)

    @operation
    def wait(
        self,
        job: Job | str,
        *,
        on_progress: OnProgress | None = None,
        on_event: OnEvent | None = None,
        timeout_seconds: float | None = None,
    ) -> Flow[Job]:
        """The job when it has succeeded.

        Follows the job's events, and asks again and again where a proxy lets no events through.
        Raises :class:`JobFailed` for a job that failed or was cancelled, and
        :class:`WaitTimeout` after ``timeout_seconds``; the job goes on then.
        """
        waiter = Waiter(self.exchange, job, on_progress, on_event, timeout_seconds)
        return waiter.ended()


def get_job(exchange: Exchange, job: Job | str) -> Flow[Job]:
    """The job as it is now."""
    return exchange.read(Call(method="GET", path=job_path(job)), Job)


def job_id(job: Job | str) -> str:
    """The id of a job that is named by it, or by itself."""
    return job if isinstance(job, str) else job.id


def job_path(job: Job | str) -> str:
    """Where a job lies."""
    return f"/jobs/{job_id(job)}"
