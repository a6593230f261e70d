"""Routes of the preprocessing service: data sets in, and preprocessed."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from lesiongan.contracts.datasets import (
    IngestCommand,
    IngestOptions,
    PreprocessCommand,
    PreprocessOptions,
)
from services.preprocessing.datasets_api import router as datasets_router
from services.preprocessing.exports_api import router as exports_router
from services.preprocessing.settings import PreprocessingSettings
from shared.datasets import catalog
from shared.db.after_commit import after_commit
from shared.db.tables import JobRow
from shared.errors import BadInput, NotFound, UnsupportedMedia
from shared.ids import fingerprint
from shared.jobs.submit import NewJob
from shared.plans.datasets import ingest_id, preprocess_job
from shared.storage.listing import Content, listing_of
from shared.storage.port import ObjectMissing, ObjectStore
from shared.web.app import create_app
from shared.web.bodies import parsed_json, validated
from shared.web.document import schema_of
from shared.web.interactive import IMAGE_BODY, answer_preview
from shared.web.responses import JOB_RESPONSES, file_of_a_job
from shared.web.routing import Router
from shared.web.submission import Plan, Submission, SubmissionDep
from shared.web.uploads import discard, receive

router = Router(tags=["preprocessing"])


class IngestForm(IngestOptions):
    """The fields beside an uploaded file."""


_FORM = schema_of(IngestForm)
INGEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    **_FORM,
                    "required": [*_FORM["required"], "file"],
                    "properties": {
                        **_FORM["properties"],
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "a .zip, .tar or .tar.gz archive",
                        },
                    },
                },
                "example": {
                    "name": "DeepLesion",
                    "layout": "deeplesion",
                    "file": "(the bytes of an archive)",
                },
            },
            "application/json": {"schema": schema_of(IngestCommand)},
        },
    }
}


class PreviewOptions(PreprocessOptions):
    """The options as query parameters, beside those that every submission takes."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=False)


@router.post(
    "/datasets",
    summary="Take in a data set",
    operation_id="create_dataset",
    status_code=202,
    responses={**JOB_RESPONSES, 415: {"description": "Neither a form nor JSON"}},
    openapi_extra=INGEST_BODY,
)
async def create_dataset(request: Request, submission: SubmissionDep) -> JSONResponse:
    """From an archive (multipart), or from where it lies in the object store (JSON)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _ingest_upload(request, submission)
    if kind == "application/json":
        return await _ingest_prefix(request, submission)
    raise UnsupportedMedia("send multipart/form-data with a file, or application/json")


async def _ingest_upload(request: Request, submission: Submission) -> JSONResponse:
    state = submission.state
    form = await receive(request, state.store, max_bytes=state.settings.upload_max_bytes)
    if form.upload is None:
        raise BadInput("the form has no field `file`")
    upload = form.upload
    kept = False

    def committed() -> None:
        nonlocal kept
        kept = True

    def keep(session: Session, _: JobRow) -> None:
        session.add(upload)
        after_commit(session, committed)

    try:
        fields = validated(IngestForm, form.fields)
        given = {**fields.model_dump(), "upload": upload.id}
        plan = _ingest_plan(fields, Content(upload.sha256, upload.bytes), given, keep)
        body = fingerprint([fields.model_dump(), upload.sha256])
        return await submission.including(body).answer(plan)
    except DBAPIError:
        # The answer to the commit may be what was lost. What no row names, the collection deletes.
        kept = True
        raise
    finally:
        if not kept:
            await run_in_threadpool(discard, state.store, upload)


async def _ingest_prefix(request: Request, submission: Submission) -> JSONResponse:
    command = validated(IngestCommand, parsed_json(await request.body()))
    replayed = await submission.replayed()
    if replayed is not None:
        return replayed
    state = submission.state
    address = command.source.s3
    if address.partition("/")[0] == state.settings.s3_bucket:
        raise BadInput("the service's own bucket is not a source: use a bucket of yours")
    content = await run_in_threadpool(_content, state.store, address)
    given = {**command.model_dump(exclude={"source"}), "s3": address, "listing": content.sha256}
    return await submission.answer(_ingest_plan(command, content, given, None))


def _content(store: ObjectStore, address: str) -> Content:
    try:
        found = listing_of(store, address)
    except ObjectMissing:
        raise NotFound(f"there is no bucket {address.partition('/')[0]}") from None
    if found is None:
        raise NotFound(f"nothing lies below {address}")
    return found


def _ingest_plan(
    options: IngestOptions,
    content: Content,
    given: dict[str, Any],
    also: Callable[[Session, JobRow], None] | None,
) -> Plan:
    def plan(session: Session) -> NewJob:
        target = ingest_id(session, content.sha256, options.layout, neighbours=options.neighbours)
        return NewJob(
            kind="ingest",
            queue="preprocessing",
            input=given,
            target=target,
            finished=catalog.finished_outputs,
            unit="image",
            work=content.bytes,
            like={"layout": options.layout},
            also=also,
        )

    return plan


@router.post(
    "/preprocess",
    summary="Preprocess a data set",
    operation_id="preprocess_dataset",
    status_code=202,
    responses=JOB_RESPONSES,
)
async def preprocess(command: PreprocessCommand, submission: SubmissionDep) -> JSONResponse:
    """Split by patient, then HU → contrast → crop for each image."""

    def plan(session: Session) -> NewJob:
        parent = catalog.get(session, command.dataset)
        if parent.kind != "raw":
            raise BadInput(f"data set {parent.id} is {parent.kind}: only raw ones are preprocessed")
        if command.neighbours:
            catalog.require_neighbours(parent)
        return preprocess_job(command, images=parent.images)

    return await submission.answer(plan, lone=True)


@router.post(
    "/preprocess/preview",
    summary="Before and after of one image",
    operation_id="preview_preprocessing",
    responses={
        **file_of_a_job("image/png", "Before and after, side by side"),
        202: JOB_RESPONSES[202],
    },
    openapi_extra=IMAGE_BODY,
    response_class=Response,
)
async def preview(
    request: Request, options: Annotated[PreviewOptions, Query()], submission: SubmissionDep
) -> Response:
    """Send a grey PNG, of 8 bits or of DeepLesion's 16, as the body or as a form's ``file``."""
    return await answer_preview(
        request,
        submission,
        kind="preprocess-preview",
        options=options,
        settings=PreprocessingSettings(),
    )


routers = [router, datasets_router, exports_router]
app = create_app("preprocessing", routers)
