"""Routes by which a data set leaves: as an archive in several layouts, with a card for people."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeVar

from fastapi import Query, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from lesiongan.contracts.datasets import ArchiveLayout, ImageFormat
from shared.datasets import reading
from shared.datasets.archive import (
    SUFFIXES,
    Encode,
    Name,
    archive_batches,
    file_name,
    manifest_csv,
    place_in_image_folder,
    png_as_stored,
)
from shared.datasets.card import card
from shared.datasets.dicom import dicom_file
from shared.datasets.origins import is_synthetic, origin_of
from shared.datasets.reading import StoredDataset
from shared.datasets.report import report
from shared.datasets.sampled_manifest import FILE_NAME, sampled_manifest
from shared.errors import BadInput
from shared.storage.port import ObjectStore
from shared.web.auth import Reader
from shared.web.responses import binary, header
from shared.web.routing import Router
from shared.web.state import StateDep, WebState
from shared.web.zip_stream import Entry, LargeFile, zip_stream

router = Router(prefix="/datasets", tags=["data sets"])

Item = TypeVar("Item")
FormatQuery = Annotated[ImageFormat, Query(alias="format", description="of the images")]
LayoutQuery = Annotated[
    ArchiveLayout,
    Query(
        description="`folders` can be taken in again; `imagefolder` is a folder a split, for "
        "torchvision; `webdataset` holds the shards as they lie"
    ),
]


_EXAMPLE = """---
pretty_name: "liver and lung"
task_categories: [image-classification]
---

# liver and lung
"""


@dataclass(frozen=True)
class _Export:
    """A data set that is about to be sent."""

    store: ObjectStore
    dataset: StoredDataset
    encode: Encode
    suffix: str
    #: Asked for once it is sent: it looks for duplicates, which takes a moment.
    card: Callable[[], bytes]

    async def folders(self) -> AsyncIterator[Entry]:
        manifest = await run_in_threadpool(manifest_csv, self.dataset.records, self.suffix)
        yield [("manifest.csv", manifest)]
        yield await run_in_threadpool(self._sampled, file_name)
        batches = archive_batches(
            self.store, self.dataset, suffix=self.suffix, encode=self.encode, name=file_name
        )
        async for batch in _in_threads(batches):
            yield batch

    async def imagefolder(self) -> AsyncIterator[Entry]:
        yield [("README.md", await run_in_threadpool(self.card))]
        yield await run_in_threadpool(self._sampled, place_in_image_folder)
        batches = archive_batches(
            self.store,
            self.dataset,
            suffix=self.suffix,
            encode=self.encode,
            name=place_in_image_folder,
        )
        async for batch in _in_threads(batches):
            yield batch

    async def webdataset(self) -> AsyncIterator[Entry]:
        yield [("README.md", await run_in_threadpool(self.card))]
        key = self.dataset.row.manifest_key
        yield [("manifest.parquet", await run_in_threadpool(self.store.get, key))]
        for number, shard in sorted(self.dataset.shard_keys.items()):
            chunks = _in_threads(self.store.stream(shard))
            yield LargeFile(f"shards/{number:05d}.tar", chunks)

    def _sampled(self, name: Name) -> list[tuple[str, bytes]]:
        """What makes synthetic images again; it takes a moment, as the other manifests do."""
        if self.dataset.row.kind != "synthetic":
            return []
        row, records = self.dataset.row, self.dataset.records
        return [(FILE_NAME, sampled_manifest(row, records, lambda r: name(r, self.suffix)))]


@router.get(
    "/{dataset_id}/archive",
    summary="Download a data set",
    operation_id="download_dataset",
    responses=binary(
        "application/zip",
        "Images in one of the layouts, streamed",
        headers={"Content-Disposition": header("a file name", required=True)},
    ),
    response_class=Response,
)
async def get_archive(
    dataset_id: str,
    _: Reader,
    state: StateDep,
    image_format: FormatQuery = "png",
    layout: LayoutQuery = "folders",
) -> StreamingResponse:
    """A ZIP that streams: neither server nor client need hold it in memory.

    Shards hold PNGs, so `webdataset` has no other format.
    """
    if layout == "webdataset" and image_format != "png":
        raise BadInput("shards hold PNGs: layout=webdataset has no other format")

    export = await run_in_threadpool(_opened, state, dataset_id, image_format)
    entries = {
        "folders": export.folders,
        "imagefolder": export.imagefolder,
        "webdataset": export.webdataset,
    }
    return StreamingResponse(
        zip_stream(entries[layout]()),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{dataset_id}.zip"'},
    )


@router.get(
    "/{dataset_id}/card",
    summary="Read a data set's card",
    operation_id="get_dataset_card",
    responses={
        200: {
            "description": "Markdown with YAML front matter",
            "content": {"text/markdown": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        }
    },
    response_class=Response,
)
def get_card(dataset_id: str, _: Reader, state: StateDep) -> Response:
    """What the data set is, how it came about, what was checked, and what it is not for."""
    dataset = reading.open_detached(state.sessions, state.store, dataset_id)
    with state.sessions() as session:
        synthetic = is_synthetic(session, dataset.row)
    about = _card(dataset, synthetic=synthetic)
    return PlainTextResponse(about, media_type="text/markdown")


def _opened(state: WebState, dataset_id: str, image_format: ImageFormat) -> _Export:
    dataset = reading.open_detached(state.sessions, state.store, dataset_id)
    encode: Encode = png_as_stored
    with state.sessions() as session:
        if image_format == "dicom":
            encode = partial(dicom_file, origin_of(session, dataset.row))
        synthetic = is_synthetic(session, dataset.row)
    about = partial(_card, dataset, synthetic=synthetic)
    return _Export(state.store, dataset, encode, SUFFIXES[image_format], about)


def _card(dataset: StoredDataset, *, synthetic: bool) -> bytes:
    return card(dataset.row, report(dataset), synthetic=synthetic).encode()


async def _in_threads(items: Iterator[Item]) -> AsyncIterator[Item]:
    """The items of an iterator that waits for the store."""
    while (item := await run_in_threadpool(next, items, None)) is not None:
        yield item
