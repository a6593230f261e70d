"""What every call that makes a job promises: ``Idempotency-Key``, ``Prefer: wait``, ``dry_run``."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from lesiongan.contracts.jobs import ENDED, Estimate, Job
from shared.errors import LesionGanError
from shared.jobs import estimates, ledger
from shared.jobs.limits import Limits
from shared.jobs.submit import Idempotency, Plan, Submitted, replay, submit
from shared.jobs.together import Asked
from shared.jobs.views import job_view, lone_job_view
from shared.observability import metrics, tracing
from shared.queue.port import Ring
from shared.web import preferences
from shared.web.auth import Caller, Submitter
from shared.web.query import refuse_unknown
from shared.web.state import StateDep, WebState

__all__ = [
    "Plan",
    "Submission",
    "SubmissionDep",
    "limits_of",
    "read_job",
    "replayed_header",
    "saying_that_it_is_replayed",
    "wait_for_job",
]


@dataclass(frozen=True)
class Submission:
    """One request that asks for a job."""

    state: WebState
    caller: Submitter
    idempotency: Idempotency | None
    #: How long the client would wait for the job's end; None where it does not say.
    wait_seconds: float | None
    dry_run: bool

    async def answer(self, plan: Plan, *, lone: bool = False) -> JSONResponse:
        """Submit the job and answer: 202 and the job, 200 if it has ended, 200 with an estimate.

        ``lone``: a job without others that it requires and rows beside it, of a plan that takes no
        time to speak of; such jobs are written many at once. Raises whatever ``plan`` raises, and
        nothing is written then.
        """
        if self.dry_run:
            return await run_in_threadpool(self.estimate, plan)
        done, job = await (self._among_others(plan) if lone else self._by_itself(plan))
        return await self._answered(done, job)

    async def replayed(self) -> JSONResponse | None:
        """The answer to an earlier request with this key, if there was one.

        For routes that look outside the database before they have a plan: nothing is judged anew.
        """
        earlier = await run_in_threadpool(self.earlier)
        return None if earlier is None else await self._answered(*earlier)

    async def _answered(self, done: Submitted, job: Job) -> JSONResponse:
        if self.wait_seconds and job.status not in ENDED:
            job = await wait_for_job(self.state, job, self.wait_seconds)
        status = 200 if self.wait_seconds and job.status in ENDED else 202
        headers = {"Location": f"/jobs/{job.id}", **replayed_header(done)}
        return JSONResponse(job.model_dump(mode="json"), status_code=status, headers=headers)

    async def _by_itself(self, plan: Plan) -> tuple[Submitted, Job]:
        return await run_in_threadpool(self.submit_and_view, plan)

    async def _among_others(self, plan: Plan) -> tuple[Submitted, Job]:
        limits = limits_of(self.caller, self.state)
        with tracing.span("submit"):
            asked = Asked(
                plan=plan,
                key_id=self.caller.key_id,
                idempotency=self.idempotency,
                limits=limits,
            )
            done = await self.state.batches.submit(asked)
        if done is None:
            return await self._by_itself(plan)
        metrics.bound(metrics.JOBS_SUBMITTED, done.job.kind).inc()
        return done, lone_job_view(done.job)

    def submit(self, plan: Plan) -> Submitted:
        """Write the job, commit, and ring. For callers in a thread of their own."""
        return self.submit_and_view(plan)[0]

    def submit_and_view(self, plan: Plan) -> tuple[Submitted, Job]:
        """:meth:`submit`, and the job as it was written: no second session reads it again."""
        with tracing.span("submit"), self.state.sessions() as session:
            done = self._written(session, plan)
            view = lone_job_view(done.job) if done.alone else job_view(session, done.job)
            session.commit()
        if done.made:
            metrics.bound(metrics.JOBS_SUBMITTED, done.job.kind).inc()
        with tracing.span("ring"):
            self.state.bell.ring_all(Ring(row.queue, row.id) for row in done.ready)
        return done, view

    def earlier(self) -> tuple[Submitted, Job] | None:
        """The job of an earlier request with this key. For callers in a thread of their own."""
        if self.idempotency is None or self.dry_run:
            return None
        with self.state.sessions() as session:
            known = replay(session, self.caller.key_id, self.idempotency)
            if known is None:
                return None
            return Submitted(known, made=False, replayed=True), job_view(session, known)

    def _written(self, session: Session, plan: Plan) -> Submitted:
        if self.idempotency is not None:
            known = replay(session, self.caller.key_id, self.idempotency)
            if known is not None:
                return Submitted(known, made=False, replayed=True)
        return submit(
            session,
            plan,
            key_id=self.caller.key_id,
            idempotency=self.idempotency,
            limits=limits_of(self.caller, self.state),
        )

    def waits(self, usual: float) -> float:
        """Seconds that the client waits where it waits for ``usual`` unless it says otherwise."""
        return usual if self.wait_seconds is None else self.wait_seconds

    def including(self, body_sha256: str) -> "Submission":
        """This request with the digest of a body that was streamed past, not held."""
        if self.idempotency is None:
            return self
        digest = hashlib.sha256(f"{self.idempotency.fingerprint}{body_sha256}".encode())
        return replace(self, idempotency=Idempotency(self.idempotency.key, digest.hexdigest()))

    def estimate(self, plan: Plan) -> JSONResponse:
        """The answer to a dry run. For callers in a thread of their own."""
        with self.state.sessions() as session:
            estimate: Estimate = estimates.estimate(session, plan(session))
        return JSONResponse(estimate.model_dump(mode="json"))


def replayed_header(done: Submitted) -> dict[str, str]:
    """What tells that an earlier request with this key made the job."""
    return {"Idempotency-Replayed": "true"} if done.replayed else {}


@contextmanager
def saying_that_it_is_replayed(done: Submitted) -> Iterator[None]:
    """An error is the answer to an earlier request too."""
    try:
        yield
    except LesionGanError as error:
        error.headers.update(replayed_header(done))
        raise


def limits_of(caller: Caller, state: WebState) -> Limits:
    """What applies to the jobs that a request makes."""
    return Limits(quota=caller.quota, queued_jobs=state.settings.max_queued_jobs)


def read_job(state: WebState, job_id: str) -> Job:
    """The job as it is now; raises :class:`shared.errors.NotFound`."""
    with state.sessions() as session:
        return job_view(session, ledger.get(session, job_id))


async def wait_for_job(state: WebState, job: Job, seconds: float) -> Job:
    """The job when it has ended, or as it is after ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            async for _ in state.watcher.changes(job.id):
                job = await run_in_threadpool(read_job, state, job.id)
                if job.status in ENDED:
                    return job
    except TimeoutError:
        pass
    return job


async def get_wait(
    request: Request,
    _prefer: Annotated[
        str | None,
        Header(
            alias="prefer",
            description="`wait=SECONDS` (at most 60): answer when the job has ended",
        ),
    ] = None,
) -> float | None:
    """Seconds that the client would wait, as all lines of the header say; None without any."""
    return preferences.wait_seconds(request.headers.getlist("prefer"))


async def get_submission(
    request: Request,
    state: StateDep,
    caller: Submitter,
    wait_seconds: Annotated[float | None, Depends(get_wait)],
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=255, description="the same key: the same job, once"),
    ] = None,
    *,
    dry_run: Annotated[bool, Query(description="only estimate what the job would cost")] = False,
) -> Submission:
    """The request's promises. A JSON body is hashed with the rest, so it is read here.

    Routes that take other bodies limit and hash them: see :meth:`Submission.including`.
    """
    refuse_unknown(request)
    idempotency = None
    if idempotency_key is not None:
        idempotency = Idempotency(idempotency_key, await _fingerprint(request))
    return Submission(state, caller, idempotency, wait_seconds, dry_run)


SubmissionDep = Annotated[Submission, Depends(get_submission)]


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


async def _fingerprint(request: Request) -> str:
    digest = hashlib.sha256()
    for part in (request.method, request.url.path, request.url.query):
        digest.update(part.encode() + b"\0")
    if _is_json(request):
        digest.update(await request.body())
    return digest.hexdigest()
