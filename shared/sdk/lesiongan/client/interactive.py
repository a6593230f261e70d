"""Calls that carry one image and are answered in the same request, or by a job when that is busy.

The answer is the result itself: 200 at once, or 202 and the job, whose result has the same body.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from lesiongan.client.call import Call
from lesiongan.client.exchange import Exchange, parsed
from lesiongan.client.flow import Flow, block
from lesiongan.client.waiting import Waiter
from lesiongan.contracts.base import Command
from lesiongan.contracts.jobs import Job

#: A PNG's bytes, or where it lies.
Image = bytes | Path | str


def image_call(path: str, params: Mapping[str, Any], *, accept: str) -> Call:
    """``POST path?params``, whose body will be an image."""
    headers = {"Content-Type": "image/png", "Accept": accept}
    return Call(method="POST", path=path, params=params, headers=headers)


def preview_call(path: str, options: Command | None) -> Call:
    """What was set of ``options``, for an image; the answer is a PNG."""
    params = {} if options is None else options.model_dump(exclude_unset=True)
    return image_call(path, params, accept="image/png")


def answer_to(exchange: Exchange, call: Call, image: Image) -> Flow[httpx.Response]:
    """The answer to ``call`` with ``image``, waited for where the worker is busy.

    Also raises :class:`lesiongan.errors.JobFailed`, and :class:`OSError` where there is no file.
    """
    content = image if isinstance(image, bytes) else (yield from block(Path(image).read_bytes))
    if content.startswith(b"DICM", 128):
        call = replace(call, headers={**call.headers, "Content-Type": "application/dicom"})
    response = yield from exchange.answer(replace(call, content=content).with_idempotency_key())
    if response.status_code == httpx.codes.ACCEPTED:
        job = yield from Waiter(exchange, parsed(response, Job)).ended()
        headers = {"Accept": call.headers["Accept"]}
        result = Call(method="GET", path=f"/jobs/{job.id}/result", headers=headers)
        response = yield from exchange.answer(result)
    return response
