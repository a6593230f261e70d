"""What a person waits for: a small job whose result is one file, answered in the same request."""

from dataclasses import replace

from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from lesiongan.contracts.jobs import ENDED, Job
from shared.errors import BadInput, Conflict, LesionGanError
from shared.ids import new_id
from shared.jobs.submit import NewJob
from shared.web.submission import Submission, read_job, wait_for_job


class JobFailed(LesionGanError):
    """The job behind a request failed for a reason that the request did not give."""

    title = "Job failed"


async def answer_with_file(
    submission: Submission, new: NewJob, image: bytes, *, wait_seconds: float
) -> Response:
    """Stage ``image``, run the job on it, and answer with the file it makes.

    202 and the job when that takes longer than ``wait_seconds``. Raises :class:`BadInput` when the
    job finds the image or the options wrong, and :class:`JobFailed` when it fails otherwise.
    """
    if submission.dry_run:
        return await run_in_threadpool(submission.estimate, lambda _: new)
    state = submission.state
    job_id = new_id("job")
    key = f"interactive/{job_id}"
    await run_in_threadpool(state.store.put, key, image)
    staged = replace(new, id=job_id, input={**new.input, "image": key})
    made = False
    try:
        done = await run_in_threadpool(submission.submit, lambda _: staged)
        made = done.made
    finally:
        if not made:
            await run_in_threadpool(state.store.delete, key)
    job = await run_in_threadpool(read_job, state, done.job.id)
    if job.status not in ENDED:
        job = await wait_for_job(state, job, wait_seconds)
    if job.status == "succeeded":
        return await run_in_threadpool(_file, submission, job)
    if job.status in ENDED:
        raise _failure(job)
    return Response(
        job.model_dump_json(),
        status_code=202,
        media_type="application/json",
        headers={"Location": f"/jobs/{job.id}"},
    )


def _failure(job: Job) -> LesionGanError:
    if job.error is None:
        return Conflict(f"job {job.id} was cancelled")
    kind = BadInput if job.error.title == BadInput.title else JobFailed
    return kind(job.error.detail)


def _file(submission: Submission, job: Job) -> Response:
    assert job.output is not None, "a job that succeeded has an output"
    data = submission.state.store.get(job.output["object"])
    headers = {"X-Job-Id": job.id}
    return Response(data, media_type=job.output["content_type"], headers=headers)
