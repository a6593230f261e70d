"""What operations answer when all is well, for the document."""

from typing import Any

from lesiongan.contracts.jobs import Estimate, Job

Responses = dict[int | str, dict[str, Any]]


def header(description: str, *, required: bool = False, **schema: Any) -> dict[str, Any]:
    """A response header; it is text unless ``schema`` says otherwise."""
    return {
        "description": description,
        "required": required,
        "schema": {"type": "string", **schema},
    }


REPLAYED = header("`true` when an earlier request with this key made the job", enum=["true"])
LOCATION = header("the job's address", pattern="^/jobs/")
JOB_ID = header("the job that made the file")

JOB_RESPONSES: Responses = {
    200: {
        "description": "The job, ended in time (`Prefer: wait`), or an estimate (`dry_run`)",
        "model": Job | Estimate,
        "headers": {"Location": LOCATION, "Idempotency-Replayed": REPLAYED},
    },
    202: {
        "description": "The job, queued",
        "model": Job,
        "headers": {"Location": {**LOCATION, "required": True}, "Idempotency-Replayed": REPLAYED},
    },
}


def binary(
    media_type: str, description: str, *, headers: dict[str, dict[str, Any]] | None = None
) -> Responses:
    """A response that is a file."""
    schema = {"type": "string", "format": "binary"}
    content = {media_type: {"schema": schema}}
    return {200: {"description": description, "content": content, "headers": headers or {}}}


def file_of_a_job(media_type: str, description: str, **more: dict[str, Any]) -> Responses:
    """A file that a job made in time, or the estimate that ``dry_run`` asks for."""
    headers = {"X-Job-Id": JOB_ID, "Idempotency-Replayed": REPLAYED, **more}
    ok = binary(media_type, description, headers=headers)[200]
    return {200: {**ok, "model": Estimate}}
