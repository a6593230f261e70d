"""Routes of the gateway: the ledger and its events; others stand in files of their own."""

from pathlib import Path
from typing import Annotated

from fastapi import Header, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import or_, select
from starlette.concurrency import run_in_threadpool

from lesiongan.contracts.base import Page
from lesiongan.contracts.classifiers import Classification
from lesiongan.contracts.jobs import Job, JobStatus
from services.gateway.audit_api import router as audit_router
from services.gateway.console.pages_api import router as pages_router
from services.gateway.console.sessions_api import router as sessions_router
from services.gateway.event_stream import event_stream
from services.gateway.keys_api import router as keys_router
from services.gateway.status_api import router as status_router
from services.gateway.usage_api import router as usage_router
from services.gateway.webhooks_api import router as webhooks_router
from services.gateway.withdrawals_api import router as withdrawals_router
from shared.db.pages import newest_first
from shared.db.tables import JobRow
from shared.db.tombstones import refuse_withdrawn
from shared.errors import NotFound
from shared.jobs import graphs, ledger, limits
from shared.jobs.views import job_view, job_views
from shared.web.app import create_app
from shared.web.auth import Reader, Submitter
from shared.web.interactive import read_result, require_pictures
from shared.web.paging import PagingDep
from shared.web.responses import Responses, binary, header
from shared.web.routing import Router
from shared.web.state import SessionDep, StateDep, StoreDep
from shared.web.submission import limits_of, read_job

router = Router(tags=["jobs"])

RESULT_RESPONSES: Responses = {
    200: {
        **binary("image/png", "The PNG of a preview, or what `/classify` says")[200],
        "model": Classification,
    }
}


@router.get("/jobs", summary="List jobs", operation_id="list_jobs")
def list_jobs(
    _: Reader,
    session: SessionDep,
    paging: PagingDep,
    kind: Annotated[str | None, Query(max_length=50, description="only this kind")] = None,
    status: Annotated[JobStatus | None, Query(description="only this status")] = None,
    graph: Annotated[
        str | None, Query(max_length=50, description="only what this job waits for, and itself")
    ] = None,
) -> Page[Job]:
    query = select(JobRow)
    if graph is not None:
        members = select(graphs.ancestors(graph).c.id)
        query = query.where(or_(JobRow.id == graph, JobRow.id.in_(members)))
    if kind is not None:
        query = query.where(JobRow.kind == kind)
    if status is not None:
        query = query.where(JobRow.status == status)
    page = newest_first(session, query, JobRow, limit=paging.limit, cursor=paging.cursor)
    return Page(items=job_views(session, page.rows), next_cursor=page.next_cursor)


@router.get("/jobs/{job_id}", summary="Get a job", operation_id="get_job")
def get_job(job_id: str, _: Reader, session: SessionDep) -> Job:
    return job_view(session, ledger.get(session, job_id))


@router.post("/jobs/{job_id}/cancel", summary="Cancel a job", operation_id="cancel_job")
def cancel_job(job_id: str, _: Submitter, session: SessionDep) -> Job:
    """A queued job ends at once, a running one at its next step. An ended job stays as it is.

    What was made for the job alone, such as the parts of an experiment, is cancelled with it.
    """
    row = graphs.cancel(session, job_id)
    session.commit()
    session.refresh(row)
    return job_view(session, row)


@router.post("/jobs/{job_id}/retry", summary="Retry a job", operation_id="retry_job")
def retry_job(job_id: str, caller: Submitter, session: SessionDep, state: StateDep) -> Job:
    """Queue a failed or cancelled job again, with the parents that ended so; 409 for any other.

    410 where what it would read is not kept: a picture goes with the answer that it failed.
    """
    require_pictures(state, job_id)
    rows = graphs.retry(session, job_id)
    limits.enforce(session, caller.key_id, limits_of(caller, state))
    session.commit()
    for row in rows:
        state.bell.ring(row.queue, row.id)
    return job_view(session, ledger.get(session, job_id))


@router.get(
    "/jobs/{job_id}/result",
    summary="Get a job's file",
    operation_id="get_job_result",
    responses=RESULT_RESPONSES,
    response_class=Response,
)
def get_result(job_id: str, _: Reader, session: SessionDep, store: StoreDep) -> Response:
    """What a preview or `/classify` that took longer than its request waited would have answered:
    410 once it is collected.
    """
    row = ledger.get(session, job_id)
    refuse_withdrawn(session, [job_id])
    output = row.output
    if output is None or "object" not in output:
        raise NotFound(f"job {job_id} has made no file")
    session.close()  # the store may be slow: nothing of the database waits for it
    data = read_result(store, job_id, output)
    return Response(data, media_type=output["content_type"])


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job",
    operation_id="stream_job_events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: progress, metric, log, completed",
            "content": {
                "text/event-stream": {
                    "example": 'event: progress\ndata: {"status": "running", "done": 120}\n\n',
                }
            },
            "headers": {
                "Cache-Control": header("`no-store`", required=True),
                "X-Accel-Buffering": header("`no`: proxies pass events on at once", required=True),
            },
        }
    },
)
async def get_events(
    job_id: str,
    _: Reader,
    state: StateDep,
    last_event_id: Annotated[
        str | None, Header(pattern=r"^\d{1,18}$", description="resume after this event")
    ] = None,
) -> StreamingResponse:
    """Ends after ``completed``. ``Last-Event-ID`` resumes where a connection broke."""
    await run_in_threadpool(read_job, state, job_id)
    events = event_stream(state, job_id, after=int(last_event_id or 0))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


#: All services in one document, which ``make openapi`` writes: theirs is one address.
OPENAPI_DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"

routers = [
    router,
    keys_router,
    usage_router,
    audit_router,
    webhooks_router,
    withdrawals_router,
    status_router,
    sessions_router,
    pages_router,
]
app = create_app("gateway", routers, document=OPENAPI_DOCUMENT, watches_ledger=True)
