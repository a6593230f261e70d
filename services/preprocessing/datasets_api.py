"""Routes that read and remove data sets, whoever made them."""

from typing import Annotated

from fastapi import Query, Response
from sqlalchemy import select

from lesiongan.contracts.base import Page
from lesiongan.contracts.categories import Category, Split
from lesiongan.contracts.datasets import Dataset, DatasetImage, DatasetReport
from shared.datasets import catalog, reading, removal
from shared.datasets.contact_sheet import contact_sheet, for_display
from shared.datasets.report import report
from shared.db.pages import newest_first
from shared.db.tables import DatasetRow
from shared.errors import BadInput
from shared.web.auth import Reader, Submitter
from shared.web.paging import PagingDep
from shared.web.responses import binary, header
from shared.web.routing import Router
from shared.web.state import SessionDep, StateDep, StoreDep

router = Router(prefix="/datasets", tags=["data sets"])

CategoryFilter = Annotated[Category | None, Query(description="only this category")]
SourceFilter = Annotated[
    str | None,
    Query(max_length=200, description="only what comes of this: an image's `source`"),
]
SplitFilter = Annotated[Split | None, Query(description="only this split")]


@router.get("", summary="List data sets", operation_id="list_datasets")
def list_datasets(_: Reader, session: SessionDep, paging: PagingDep) -> Page[Dataset]:
    page = newest_first(
        session, select(DatasetRow), DatasetRow, limit=paging.limit, cursor=paging.cursor
    )
    items = [catalog.dataset_view(row) for row in page.rows]
    return Page(items=items, next_cursor=page.next_cursor)


@router.get("/{dataset_id}", summary="Get a data set", operation_id="get_dataset")
def get_dataset(dataset_id: str, _: Reader, session: SessionDep) -> Dataset:
    return catalog.dataset_view(catalog.get(session, dataset_id))


@router.delete(
    "/{dataset_id}", summary="Delete a data set", operation_id="delete_dataset", status_code=204
)
def delete_dataset(
    dataset_id: str,
    _: Submitter,
    session: SessionDep,
    store: StoreDep,
    *,
    cascade: Annotated[bool, Query(description="delete what derives from it as well")] = False,
) -> Response:
    """409 names what derives from it, unless `cascade` is set: data sets, models, experiments.

    With `cascade` all of that is deleted too; 409 then names unfinished jobs that need any of it.
    """
    keys = removal.remove(session, dataset_id, cascade=cascade)
    session.commit()
    removal.delete_objects(store, keys)
    return Response(status_code=204)


@router.get("/{dataset_id}/images", summary="List images", operation_id="list_images")
def list_images(
    dataset_id: str,
    _: Reader,
    state: StateDep,
    paging: PagingDep,
    category: CategoryFilter = None,
    split: SplitFilter = None,
    source: SourceFilter = None,
) -> Page[DatasetImage]:
    dataset = reading.open_detached(state.sessions, state.store, dataset_id)
    rest = dataset.records[_index_cursor(paging.cursor) :]
    found = rest.where(category=category, split=split, source=source)
    items = [
        DatasetImage.model_validate({**r.as_json(), "bytes": r.size}) for r in found[: paging.limit]
    ]
    more = len(found) > paging.limit
    return Page(items=items, next_cursor=str(found[paging.limit].index) if more else None)


def _index_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal() or len(cursor) > 12:
        raise BadInput("cursor is not one that this server made")
    return int(cursor)


@router.get(
    "/{dataset_id}/images/{index}",
    summary="Get an image",
    operation_id="get_image",
    responses=binary(
        "image/png",
        "The image",
        headers={
            "ETag": header("SHA-256 of the image", required=True),
            "Cache-Control": header("an image never changes", required=True),
        },
    ),
    response_class=Response,
)
def get_image(dataset_id: str, index: int, _: Reader, state: StateDep) -> Response:
    """The PNG as it is stored: 16 bits for HU, 8 bits after preprocessing."""
    dataset = reading.open_detached(state.sessions, state.store, dataset_id)
    record = reading.record_at(dataset, index)
    headers = {"ETag": f'"{record.sha256}"', "Cache-Control": "private, max-age=86400"}
    png = reading.read_png(state.store, dataset, record)
    return Response(png, media_type="image/png", headers=headers)


@router.get(
    "/{dataset_id}/report",
    summary="Check a data set",
    operation_id="get_dataset_report",
)
def get_report(dataset_id: str, _: Reader, state: StateDep) -> DatasetReport:
    """Counts by split, category and patient, what was skipped, duplicates, overlapping splits."""
    return report(reading.open_detached(state.sessions, state.store, dataset_id))


@router.get(
    "/{dataset_id}/contact-sheet.png",
    summary="See many images at once",
    operation_id="get_contact_sheet",
    responses=binary("image/png", "A contact sheet"),
    response_class=Response,
)
def get_contact_sheet(
    dataset_id: str,
    _: Reader,
    state: StateDep,
    category: CategoryFilter = None,
    split: SplitFilter = None,
    n: Annotated[int, Query(ge=1, le=256, description="images on the sheet")] = 64,
) -> Response:
    """The first ``n`` images of the selection, 16-bit ones in their own window."""
    dataset = reading.open_detached(state.sessions, state.store, dataset_id)
    records = dataset.select(category=category, split=split)[:n]
    images = (
        for_display(png, record) for record, png in reading.iterate(state.store, dataset, records)
    )
    return Response(contact_sheet(images), media_type="image/png")
