"""Routes of the GAN service: train and look at GANs."""

from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from lesiongan.contracts.base import Page
from lesiongan.contracts.categories import Category
from lesiongan.contracts.gans import IMAGE_SIZES, Gan, GanCommand, MetricSeries
from services.gan import store as rows
from services.gan.card import gan_card
from services.gan.generate_api import router as generate_router
from services.gan.previews_api import router as previews_router
from services.gan.regenerate_api import router as regenerate_router
from shared.datasets import catalog, reading
from shared.datasets.removal import delete_objects
from shared.db.gans import released
from shared.db.pages import newest_first
from shared.db.tables import DatasetRow, GanRow
from shared.errors import BadInput, NotFound
from shared.ids import new_id
from shared.jobs.submit import NewJob
from shared.plans.gans import GanData, train_gan_job
from shared.storage.port import ObjectStore
from shared.web.app import create_app
from shared.web.auth import Reader, Submitter
from shared.web.paging import PagingDep
from shared.web.responses import JOB_RESPONSES, binary, header
from shared.web.routing import Router
from shared.web.state import SessionDep, StoreDep
from shared.web.submission import SubmissionDep

router = Router(prefix="/gans", tags=["gan"])

_CARD = """---
pretty_name: "liver and lung"
library_name: lesiongan
pipeline_tag: unconditional-image-generation
---

# liver and lung
"""


@router.post(
    "",
    summary="Train a GAN",
    operation_id="train_gan",
    status_code=202,
    responses=JOB_RESPONSES,
)
async def train_gan(command: GanCommand, submission: SubmissionDep) -> JSONResponse:
    """Class-conditional WGAN-GP on the training split; each request trains anew."""
    store = submission.state.store

    def plan(session: Session) -> NewJob:
        return _plan(session, store, command)

    return await submission.answer(plan)


def _plan(session: Session, store: ObjectStore, command: GanCommand) -> NewJob:
    dataset = catalog.get(session, command.dataset)
    categories = _categories(dataset, command)
    size = reading.square_size(session, store, dataset, IMAGE_SIZES)
    channels = reading.channels(session, store, dataset)
    phantom = dataset.phantom
    if command.init_from is not None:
        parent = rows.to_begin_with(session, command, image_size=size, channels=channels)
        phantom = phantom or parent.phantom
    data = GanData(
        name=dataset.name,
        phantom=phantom,
        categories=categories,
        image_size=size,
        channels=channels,
    )
    return train_gan_job(command, data, gan_id=new_id("gan"), for_experiment=False)


def _categories(dataset: DatasetRow, command: GanCommand) -> list[Category]:
    """The ones asked for, each of which must have training images, or all that have any."""
    if dataset.kind == "raw":
        raise BadInput(f"data set {dataset.id} is raw: send it to POST /preprocess first")
    if command.categories is not None:
        catalog.require_train(dataset, command.categories)
        return command.categories
    found = catalog.labelled_categories(dataset, ["train"])
    if not found:
        raise BadInput(f"data set {dataset.id} has no labelled training images")
    return found


@router.get("", summary="List GANs", operation_id="list_gans")
def list_gans(_: Reader, session: SessionDep, paging: PagingDep) -> Page[Gan]:
    page = newest_first(session, select(GanRow), GanRow, limit=paging.limit, cursor=paging.cursor)
    return Page(items=rows.views(session, page.rows), next_cursor=page.next_cursor)


@router.get("/{gan_id}", summary="Get a GAN", operation_id="get_gan")
def get_gan(gan_id: str, _: Reader, session: SessionDep) -> Gan:
    return rows.views(session, [rows.get(session, gan_id)])[0]


@router.get("/{gan_id}/metrics", summary="Get training metrics", operation_id="get_gan_metrics")
def get_metrics(gan_id: str, _: Reader, session: SessionDep) -> MetricSeries:
    rows.get(session, gan_id)
    return MetricSeries(gan=gan_id, points=rows.metric_points(session, gan_id))


@router.get(
    "/{gan_id}/preview.png",
    summary="See a grid of samples",
    operation_id="get_gan_preview",
    responses=binary(
        "image/png",
        "A row of samples a category",
        headers={"X-Step": header("the step of the training", required=True, pattern=r"^\d+$")},
    ),
    response_class=Response,
)
def get_preview(
    gan_id: str,
    _: Reader,
    session: SessionDep,
    store: StoreDep,
    step: Annotated[int | None, Query(ge=0, description="the newest up to this step")] = None,
) -> Response:
    """The same latents at every step, one row a category."""
    rows.get(session, gan_id)
    row = rows.preview_at(session, gan_id, step)
    session.close()  # the store may be slow: nothing of the database waits for it, here and below
    return Response(store.get(row.key), media_type="image/png", headers={"X-Step": str(row.step)})


@router.get(
    "/{gan_id}/pairs.png",
    summary="See the closest pairs",
    operation_id="get_gan_pairs",
    responses=binary("image/png", "Samples, each to the left of its nearest training image"),
    response_class=Response,
)
def get_pairs(gan_id: str, _: Reader, session: SessionDep, store: StoreDep) -> Response:
    """The samples that come closest to training images: copies, if the GAN makes any, first.

    It shows real images, and is deleted with the GAN.
    """
    rows.get(session, gan_id)
    row = rows.file_of(session, gan_id, "pairs")
    if row is None:
        raise NotFound(f"{gan_id} has no pairs: they are made when its training has succeeded")
    session.close()
    return Response(store.get(row.key), media_type="image/png")


@router.get(
    "/{gan_id}/weights",
    summary="Download weights",
    operation_id="download_gan_weights",
    responses=binary(
        "application/octet-stream",
        "safetensors of the averaged generator",
        headers={
            "ETag": header("SHA-256 of the weights", required=True),
            "Content-Disposition": header("a file name", required=True),
        },
    ),
    response_class=Response,
)
def get_weights(gan_id: str, _: Reader, session: SessionDep, store: StoreDep) -> Response:
    """safetensors of the averaged (EMA) generator; its metadata is the model card.

    409 for a GAN that gives back its training images.
    """
    row = released(session, gan_id)
    assert row.weights_key is not None, "published"
    headers = {
        "Content-Disposition": f'attachment; filename="{gan_id}.safetensors"',
        "ETag": f'"{row.weights_sha256}"',
    }
    session.close()
    data = store.get(row.weights_key)
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.get(
    "/{gan_id}/card",
    summary="Read a GAN's card",
    operation_id="get_gan_card",
    responses={
        200: {
            "description": "Markdown with YAML front matter",
            "content": {"text/markdown": {"schema": {"type": "string"}, "example": _CARD}},
        }
    },
    response_class=Response,
)
def get_card(gan_id: str, _: Reader, session: SessionDep) -> Response:
    """What the GAN is, what it was trained on, its scores, and what it is not for.

    The weights carry as much of it as two equal trainings have in common.
    """
    row = rows.get(session, gan_id)
    about = gan_card(row, catalog.get(session, row.dataset_id))
    return PlainTextResponse(about, media_type="text/markdown")


@router.put("/{gan_id}/default", summary="Choose the default", operation_id="set_default_gan")
def put_default(gan_id: str, _: Submitter, session: SessionDep) -> Gan:
    """The GAN that `/generate` samples when none is named."""
    row = rows.choose_default(session, gan_id)
    view = rows.views(session, [row])[0]
    session.commit()
    return view


@router.delete("/{gan_id}", summary="Delete a GAN", operation_id="delete_gan", status_code=204)
def delete_gan(gan_id: str, _: Submitter, session: SessionDep, store: StoreDep) -> Response:
    """Its images stay; 409 while it trains."""
    keys = rows.remove(session, gan_id)
    session.commit()
    delete_objects(store, keys)
    return Response(status_code=204)


routers = [router, previews_router, generate_router, regenerate_router]
app = create_app("gan", routers)
