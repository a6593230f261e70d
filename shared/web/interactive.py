"""What a person waits for: a small job whose result is one file, answered in the same request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from lesiongan.contracts.jobs import ENDED, Job
from shared.datasets.removal import delete_objects
from shared.db.tables import JobParentRow, JobRow
from shared.errors import BadInput, Conflict, Gone, LesionGanError
from shared.ids import new_id, sha256_of
from shared.jobs.submit import NewJob, Submitted
from shared.storage.port import ObjectMissing, ObjectStore
from shared.web.state import WebState
from shared.web.submission import (
    Submission,
    read_job,
    replayed_header,
    saying_that_it_is_replayed,
    wait_for_job,
)
from shared.web.uploads import receive_image


class JobFailed(LesionGanError):
    """The job behind a request failed for a reason that the request did not give."""

    title = "Job failed"


_FILE: dict[str, Any] = {"type": "string", "format": "binary"}
#: Of a form, whose options are query parameters all the same.
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": _FILE},
    "additionalProperties": False,
}


def _image_body(*kinds: str) -> dict[str, Any]:
    content: dict[str, Any] = {kind: {"schema": _FILE} for kind in kinds}
    form = {"schema": _FORM, "example": {"file": "(the bytes of an image)"}}
    content["multipart/form-data"] = form
    return {"requestBody": {"required": True, "content": content}}


#: The body of a preview, for the document.
IMAGE_BODY = _image_body("image/png")
#: Of a route that takes DICOM files too.
PNG_OR_DICOM_BODY = _image_body("image/png", "application/dicom")


class PreviewSettings(Protocol):
    """The knobs of a service's preview."""

    preview_max_bytes: int
    preview_wait_seconds: float


async def answer_preview(
    request: Request,
    submission: Submission,
    *,
    kind: str,
    options: BaseModel,
    settings: PreviewSettings,
) -> Response:
    """Run ``kind`` with ``options`` on the image that the request carries; the answer is a PNG.

    Raises what :func:`answer_with_file` and :func:`shared.web.uploads.receive_image` raise.
    """
    image = await receive_image(request, max_bytes=settings.preview_max_bytes)
    new = NewJob(
        kind=kind,
        queue="interactive",
        input={"options": options.model_dump(mode="json")},
        total=1,
        unit="image",
    )
    return await answer_with_file(
        submission.including(sha256_of(image)),
        new,
        image,
        wait_seconds=submission.waits(settings.preview_wait_seconds),
    )


async def answer_with_file(
    submission: Submission,
    new: NewJob,
    image: bytes,
    *,
    wait_seconds: float,
    before: NewJob | None = None,
) -> Response:
    """Stage ``image``, run the job on it, and answer with the file it makes.

    The job ``before`` takes the image first, and makes of it the one that the job takes. 202 and
    the job when that takes longer than ``wait_seconds``. Raises :class:`BadInput` when a job finds
    the image or the options wrong, and :class:`JobFailed` when it fails otherwise: the image is
    deleted then, as a job that succeeds deletes it.
    """
    staged, key = _staged_after(new, before)
    if submission.dry_run:
        return await run_in_threadpool(submission.estimate, lambda _: staged)
    state = submission.state
    await run_in_threadpool(state.store.put, key, image)
    made = False
    try:
        done, job = await run_in_threadpool(submission.submit_and_view, lambda _: staged)
        made = done.made
    finally:
        if not made:
            await run_in_threadpool(delete_objects, state.store, [key])
    job = await _ended_or_late(state, job, wait_seconds)
    if done.made and job.status == "failed":
        pictures = {key, str(staged.input["image"])}  # one, where no job came before
        await run_in_threadpool(delete_objects, state.store, pictures)
    return await run_in_threadpool(_answer, state, done, job)


async def replayed_file(submission: Submission, *, wait_seconds: float) -> Response | None:
    """The answer to an earlier request with this key, if there was one: nothing is judged anew."""
    earlier = await run_in_threadpool(submission.earlier)
    if earlier is None:
        return None
    done, job = earlier
    job = await _ended_or_late(submission.state, job, wait_seconds)
    return await run_in_threadpool(_answer, submission.state, done, job)


async def _ended_or_late(state: WebState, job: Job, wait_seconds: float) -> Job:
    return job if job.status in ENDED else await wait_for_job(state, job, wait_seconds)


def _answer(state: WebState, done: Submitted, job: Job) -> Response:
    """The job's file, or the job where that has not ended; raises why there will be no file."""
    if job.status in ENDED:
        with saying_that_it_is_replayed(done):
            return _file(state, done, job)
    return Response(
        job.model_dump_json(),
        status_code=202,
        media_type="application/json",
        headers={"Location": f"/jobs/{job.id}", **replayed_header(done)},
    )


def _staged_after(new: NewJob, before: NewJob | None) -> tuple[NewJob, str]:
    """The job with the one before it, and the key of the image that the first of them takes."""
    staged = _staged(new)
    key = str(staged.input["image"])
    if before is None:
        return staged, key
    first = _staged(before)
    prepared = {**first.input, "prepared": key}
    first = replace(first, input=prepared, target=f"prepared_{staged.id}")
    return staged.after([first]), str(first.input["image"])


def _staged(new: NewJob) -> NewJob:
    """With its id, and the key of the image that it takes."""
    job_id = new_id("job")
    return replace(new, id=job_id, input={**new.input, "image": f"interactive/{job_id}"})


def failure_of(state: WebState, job: Job) -> LesionGanError:
    """Why a job has ended badly; of one that never began, why the job before it did."""
    while job.error is not None and job.started_at is None and job.parents:
        job = read_job(state, job.parents[0])
    if job.error is None:
        return Conflict(f"job {job.id} was cancelled")
    kind = BadInput if job.error.title == BadInput.title else JobFailed
    return kind(job.error.detail)


def _file(state: WebState, done: Submitted, job: Job) -> Response:
    if job.output is None:
        raise failure_of(state, job)
    another = " with another Idempotency-Key" if done.replayed else ""
    data = read_result(state.store, job.id, job.output, another)
    headers = {"X-Job-Id": job.id, **replayed_header(done)}
    return Response(data, media_type=job.output["content_type"], headers=headers)


def read_result(store: ObjectStore, job_id: str, output: Mapping[str, Any], how: str = "") -> bytes:
    """The file that an interactive job made; raises :class:`Gone` once it is collected.

    ``how``: the request must be sent to get it made again.
    """
    try:
        return store.get(output["object"])
    except ObjectMissing:
        raise Gone(
            f"the file of job {job_id} is not kept any more: send the request again{how}"
        ) from None


def require_pictures(state: WebState, job_id: str) -> None:
    """Raises :class:`Gone` where a retry could only fail, because what it would read was deleted.

    That is so once the answer to a request was why its job failed, and once a result expires.
    """
    with state.sessions() as session:
        again = [row for row in _with_parents(session, job_id) if row.queue == "interactive"]
        ended = [row.input for row in again if row.status in ("failed", "cancelled")]
    made = {given.get("prepared") for given in ended}
    for key in {str(given["image"]) for given in ended if "image" in given} - made:
        try:
            state.store.get_range(key, 0, 1)
        except ObjectMissing:
            raise Gone(
                f"the picture of job {job_id} is not kept any more, so that a retry would fail: "
                "send it again"
            ) from None


def _with_parents(session: Session, job_id: str) -> Sequence[JobRow]:
    parents = select(JobParentRow.parent_id).where(JobParentRow.job_id == job_id)
    return session.scalars(
        select(JobRow).where(or_(JobRow.id == job_id, JobRow.id.in_(parents)))
    ).all()
