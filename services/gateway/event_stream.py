"""A job's events as server-sent events."""

import json
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from lesiongan.contracts.jobs import ENDED, Job
from shared.db.tables import JobEventRow
from shared.jobs import ledger
from shared.jobs.views import job_view
from shared.web.state import WebState

#: Events are read in batches, so that a long history is not held in memory.
BATCH = 500


async def event_stream(state: WebState, job_id: str, *, after: int) -> AsyncIterator[str]:
    """``metric`` and ``log`` with their ids, ``progress`` as it changes, ``completed`` last."""
    last_progress: dict[str, Any] | None = None
    async for _ in state.watcher.changes(job_id):
        job, events = await run_in_threadpool(_look, state, job_id, after)
        for event in events:
            after = event.id
            yield _event(event.event, event.data, event_id=event.id)
        if len(events) == BATCH:
            state.watcher.wake(job_id)
            continue
        progress = {"status": job.status, **job.progress.model_dump(mode="json")}
        if progress != last_progress:
            last_progress = progress
            yield _event("progress", progress)
        elif not events:
            yield ": still here\n\n"
        if job.status in ENDED:
            yield _event("completed", job.model_dump(mode="json"))
            return


def _look(state: WebState, job_id: str, after: int) -> tuple[Job, list[JobEventRow]]:
    query = (
        select(JobEventRow)
        .where(JobEventRow.job_id == job_id, JobEventRow.id > after)
        .order_by(JobEventRow.id)
        .limit(BATCH)
    )
    with state.sessions() as session:
        job = job_view(session, ledger.get(session, job_id))
        return job, list(session.scalars(query))


def _event(name: str, data: dict[str, Any], *, event_id: int | None = None) -> str:
    head = "" if event_id is None else f"id: {event_id}\n"
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"
