"""What operations that make jobs may answer, for the document."""

from typing import Any

from lesiongan.contracts.jobs import Estimate, Job

JOB_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The job, ended in time (`Prefer: wait`), or an estimate (`dry_run`)",
        "model": Job | Estimate,
    },
    202: {"description": "The job, queued", "model": Job},
}


def binary(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """A response that is a file."""
    schema = {"type": "string", "format": "binary"}
    return {200: {"description": description, "content": {media_type: {"schema": schema}}}}
