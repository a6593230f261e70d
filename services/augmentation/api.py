"""Routes of the augmentation service."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict
from sqlalchemy.orm import Session

from lesiongan.contracts.augmentation import AugmentCommand, AugmentOptions
from services.augmentation.settings import AugmentationSettings
from shared.datasets import catalog
from shared.datasets.identity import dataset_id
from shared.db.tables import DatasetRow
from shared.errors import BadInput
from shared.ids import sha256_of
from shared.jobs.submit import NewJob
from shared.web.app import create_app
from shared.web.interactive import answer_with_file
from shared.web.responses import JOB_RESPONSES, binary
from shared.web.submission import SubmissionDep
from shared.web.uploads import receive_image

router = APIRouter(tags=["augmentation"])


class PreviewOptions(AugmentOptions):
    """The options as query parameters, beside those that every submission takes."""

    model_config = ConfigDict(extra="ignore", frozen=True)


@router.post(
    "/augment",
    summary="Augment a data set",
    operation_id="augment_dataset",
    status_code=202,
    responses=JOB_RESPONSES,
)
async def augment(command: AugmentCommand, submission: SubmissionDep) -> JSONResponse:
    """The originals and ``copies`` augmented ones of each training image."""
    given = command.model_dump(mode="json")
    target = dataset_id("augment", [command.dataset], given)

    def plan(session: Session) -> NewJob:
        parent = _augmentable(catalog.get(session, command.dataset))
        train = sum(parent.counts["train"].values())
        return NewJob(
            kind="augment",
            queue="augmentation",
            input=given,
            target=target,
            finished=catalog.finished_output(session, target),
            total=parent.images + command.copies * train,
            unit="image",
        )

    return await submission.answer(plan)


def _augmentable(row: DatasetRow) -> DatasetRow:
    if row.kind == "raw":
        raise BadInput(f"data set {row.id} is raw: send it to POST /preprocess first")
    if row.kind == "augmented":
        raise BadInput(f"data set {row.id} is augmented already: ask for more copies of its parent")
    if not row.counts["train"]:
        raise BadInput(f"data set {row.id} has no training images, and no others are augmented")
    return row


@router.post(
    "/augment/preview",
    summary="Augmented copies of one image",
    operation_id="preview_augmentation",
    responses={**binary("image/png", "The image and its copies"), 202: JOB_RESPONSES[202]},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    response_class=Response,
)
async def preview(
    request: Request, options: Annotated[PreviewOptions, Query()], submission: SubmissionDep
) -> Response:
    """Send a square 8-bit PNG as the body or as a form's ``file``; the original comes first."""
    settings = AugmentationSettings()
    image = await receive_image(request, max_bytes=settings.preview_max_bytes)
    new = NewJob(
        kind="augment-preview",
        queue="interactive",
        input={"options": options.model_dump(mode="json")},
        total=1,
        unit="image",
    )
    return await answer_with_file(
        submission.including(sha256_of(image)),
        new,
        image,
        wait_seconds=submission.wait_seconds or settings.preview_wait_seconds,
    )


routers = [router]
app = create_app("augmentation", routers)
