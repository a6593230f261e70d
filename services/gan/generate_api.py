"""``/generate``: synthetic images as a job, or as a ZIP that streams while they are made."""

import secrets
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from lesiongan.contracts.categories import Category
from lesiongan.contracts.datasets import ImageFormat
from lesiongan.contracts.gans import (
    MAX_IMAGES,
    MAX_STREAMED_IMAGES,
    TRUNCATION_HELP,
    GanId,
    GenerateCommand,
    Seed,
    Truncation,
)
from lesiongan.contracts.jobs import ENDED
from services.gan import store as rows
from services.gan.image_stream import ImageStream
from shared.datasets import catalog
from shared.errors import BadInput, TooLarge
from shared.jobs.submit import NewJob, Submitted
from shared.jobs.views import lone_job_view
from shared.plans.datasets import generate_job
from shared.web.interactive import failure_of
from shared.web.responses import JOB_RESPONSES, file_of_a_job, header
from shared.web.routing import Router
from shared.web.state import WebState
from shared.web.submission import (
    Plan,
    Submission,
    SubmissionDep,
    replayed_header,
    saying_that_it_is_replayed,
)
from shared.web.zip_stream import zip_stream

router = Router(prefix="/generate", tags=["gan"])

CategoryQuery = Annotated[Category, Query(description="which lesions", examples=["liver"])]
CountQuery = Annotated[
    int,
    Query(
        ge=1,
        description="how many images",
        examples=[500],
        json_schema_extra={"maximum": MAX_IMAGES},
    ),
]
StreamedCountQuery = Annotated[
    int,
    Query(
        ge=1,
        description="how many images; `POST /generate` makes more",
        examples=[500],
        json_schema_extra={"maximum": MAX_STREAMED_IMAGES},
    ),
]
GanQuery = Annotated[GanId | None, Query(description="which GAN; the default one if not given")]
SeedQuery = Annotated[Seed | None, Query(description="the same seed, the same images")]
TruncationQuery = Annotated[Truncation | None, Query(description=TRUNCATION_HELP)]
FormatQuery = Annotated[
    ImageFormat,
    Query(alias="format", description="of the files in a stream; the data set is the same"),
]


@router.post(
    "",
    summary="Make a synthetic data set",
    operation_id="generate_dataset",
    status_code=202,
    responses=JOB_RESPONSES,
)
async def post_generate(
    submission: SubmissionDep,
    category: CategoryQuery,
    n: CountQuery,
    gan: GanQuery = None,
    seed: SeedQuery = None,
    truncation: TruncationQuery = None,
    _format: FormatQuery = "png",
) -> JSONResponse:
    """The same category, n, GAN and seed name the same data set, which is made once.

    Its images are fetched in either format: `GET /datasets/{id}/archive?format=dicom`.
    """
    if n > MAX_IMAGES:
        raise BadInput(f"n is at most {MAX_IMAGES}: send several requests with seeds of their own")
    return await submission.answer(_plan(category, n, gan, _seed(seed), truncation), lone=True)


@router.get(
    "",
    summary="Stream synthetic images",
    operation_id="stream_images",
    responses={
        **file_of_a_job(
            "application/zip",
            "PNGs and `manifest.json`, streamed while they are made",
            **{
                "X-Gan-Id": header("the GAN that is sampled"),
                "X-Seed": header("makes the same images again", pattern=r"^\d+$"),
                "Content-Disposition": header("a file name"),
            },
        ),
        413: {"description": "More images than one stream carries: use `POST /generate`"},
    },
    response_class=StreamingResponse,
)
async def get_generate(
    submission: SubmissionDep,
    category: CategoryQuery,
    n: StreamedCountQuery,
    gan: GanQuery = None,
    seed: SeedQuery = None,
    truncation: TruncationQuery = None,
    image_format: FormatQuery = "png",
) -> Response:
    """A failure in the middle breaks the connection: a ZIP that opens is complete.

    A client that leaves cancels the job, if this request made it and nobody else waits for it; not
    with an `Idempotency-Key`: the same request again gets the images of the first.
    """
    if n > MAX_STREAMED_IMAGES:
        raise TooLarge(
            f"a stream carries at most {MAX_STREAMED_IMAGES} images: send "
            f"POST /generate?category={category}&n={n} and fetch the data set's archive"
        )
    plan = _plan(category, n, gan, _seed(seed), truncation)
    if submission.dry_run:
        return await submission.answer(plan)
    done = await run_in_threadpool(submission.submit, plan)
    await run_in_threadpool(_require_images, submission.state, done)
    stream = _stream(submission, done, image_format)
    headers = {
        "X-Job-Id": stream.job_id,
        "X-Gan-Id": stream.gan_id,
        "X-Seed": str(stream.seed),
        "Content-Disposition": f'attachment; filename="{category}-{n}.zip"',
        **replayed_header(done),
    }
    return StreamingResponse(_zip(stream), media_type="application/zip", headers=headers)


def _require_images(state: WebState, done: Submitted) -> None:
    """Raises why there are none, where that is known before the first byte is sent."""
    job = done.job
    if job.status not in ENDED:
        return
    with saying_that_it_is_replayed(done):
        if job.status != "succeeded":
            raise failure_of(state, lone_job_view(job))
        with state.sessions() as session:
            catalog.get(session, str(job.target))


def _stream(submission: Submission, done: Submitted, image_format: ImageFormat) -> ImageStream:
    assert done.job.target is not None, "the plan names the data set"
    command = GenerateCommand.model_validate(done.job.input)
    return ImageStream(
        submission.state,
        done.job.id,
        done.job.target,
        command,
        image_format=image_format,
        cancels=done.made and submission.idempotency is None,
    )


async def _zip(stream: ImageStream) -> AsyncIterator[bytes]:
    async with stream.watching():
        async for piece in zip_stream(stream.entries()):
            yield piece


def _seed(seed: int | None) -> int:
    return secrets.randbelow(2**53) if seed is None else seed


def _plan(category: Category, n: int, gan: str | None, seed: int, truncation: float | None) -> Plan:
    def plan(session: Session) -> NewJob:
        row = rows.for_category(session, gan, category)
        command = GenerateCommand(
            category=category, n=n, gan=row.id, seed=seed, truncation=truncation
        )
        return generate_job(command, image_size=row.image_size)

    return plan
