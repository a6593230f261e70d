"""Routes of the augmentation service."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ConfigDict
from sqlalchemy.orm import Session

from lesiongan.contracts.augmentation import AugmentCommand, AugmentOptions
from services.augmentation.settings import AugmentationSettings
from shared.datasets import catalog
from shared.db.tables import DatasetRow
from shared.errors import BadInput
from shared.jobs.submit import NewJob
from shared.plans.datasets import augment_job
from shared.web.app import create_app
from shared.web.interactive import IMAGE_BODY, answer_preview
from shared.web.responses import JOB_RESPONSES, file_of_a_job
from shared.web.routing import Router
from shared.web.submission import SubmissionDep

router = Router(tags=["augmentation"])


class PreviewOptions(AugmentOptions):
    """The options as query parameters, beside those that every submission takes."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=False)


@router.post(
    "/augment",
    summary="Augment a data set",
    operation_id="augment_dataset",
    status_code=202,
    responses=JOB_RESPONSES,
)
async def augment(command: AugmentCommand, submission: SubmissionDep) -> JSONResponse:
    """The originals and ``copies`` augmented ones of each training image."""

    def plan(session: Session) -> NewJob:
        parent = _augmentable(catalog.get(session, command.dataset))
        train = sum(parent.counts["train"].values())
        images = parent.images + command.copies * train
        return augment_job(command, images=images, likely_bytes=_bytes_an_image(parent))

    return await submission.answer(plan, lone=True)


def _bytes_an_image(row: DatasetRow) -> float:
    return row.bytes / row.images


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
    responses={
        **file_of_a_job("image/png", "The image and its copies"),
        202: JOB_RESPONSES[202],
    },
    openapi_extra=IMAGE_BODY,
    response_class=Response,
)
async def preview(
    request: Request, options: Annotated[PreviewOptions, Query()], submission: SubmissionDep
) -> Response:
    """Send a square 8-bit PNG as the body or as a form's ``file``; the original comes first."""
    return await answer_preview(
        request,
        submission,
        kind="augment-preview",
        options=options,
        settings=AugmentationSettings(),
    )


routers = [router]
app = create_app("augmentation", routers)
