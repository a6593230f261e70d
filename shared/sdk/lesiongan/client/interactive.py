"""Calls that carry one image and are answered in the same request, or by a job when that is busy.

The answer is the result itself: 200 at once, or 202 and the job, whose result has the same body.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from lesiongan.client.jobs import Jobs
from lesiongan.client.transport import Call, Transport, parsed
from lesiongan.contracts.base import Command
from lesiongan.contracts.jobs import Job

#: A PNG's bytes, or where it lies.
Image = bytes | Path | str


def image_call(path: str, image: Image, params: Mapping[str, Any], *, accept: str) -> Call:
    """``POST path?params`` with ``image`` as its body. Raises :class:`OSError` where it is not."""
    content = image if isinstance(image, bytes) else Path(image).read_bytes()
    headers = {"Content-Type": "image/png", "Accept": accept}
    return Call(method="POST", path=path, params=params, content=content, headers=headers)


def preview_call(path: str, image: Image, options: Command | None) -> Call:
    """An image and what was set of ``options``; the answer is a PNG."""
    params = {} if options is None else options.model_dump(exclude_unset=True)
    return image_call(path, image, params, accept="image/png")


def result_of(call: Call, transport: Transport, jobs: Jobs) -> httpx.Response:
    """The answer to ``call``, waited for where the worker is busy.

    Also raises :class:`lesiongan.errors.JobFailed`.
    """
    response = transport.send(call.with_idempotency_key())
    if response.status_code == httpx.codes.ACCEPTED:
        job = jobs.wait(parsed(response, Job))
        response = transport.send(
            Call(
                method="GET",
                path=f"/jobs/{job.id}/result",
                headers={"Accept": call.headers["Accept"]},
            )
        )
    return response
