"""Data sets: upload, look, download, delete."""

from pathlib import Path
from typing import TYPE_CHECKING

from lesiongan.arrays import torch_dataset
from lesiongan.client.binding import Mode, Resource, items, operation
from lesiongan.client.call import Call
from lesiongan.client.downloads import OnBytes, download, unless_png
from lesiongan.client.flow import Flow, Stream
from lesiongan.client.loading import load_archive
from lesiongan.client.paging import every
from lesiongan.client.sending import OnSent, source_of
from lesiongan.client.submitting import post_command, submit
from lesiongan.contracts.categories import Category, Split
from lesiongan.contracts.datasets import (
    ArchiveLayout,
    Dataset,
    DatasetImage,
    DatasetReport,
    ImageFormat,
    IngestCommand,
    Layout,
)
from lesiongan.contracts.jobs import Job

if TYPE_CHECKING:
    from lesiongan.arrays.images import Images
    from lesiongan.arrays.torch_images import TorchImages

#: The server stores the archive's last part before it answers.
UPLOAD_ANSWER_SECONDS = 300.0
#: An archive's first bytes wait for its first shard.
ARCHIVE_SILENCE_SECONDS = 120.0


class Datasets(Resource[Mode]):
    """Data sets: ``client.datasets``."""

    @operation
    def upload(
        self,
        source: Path | str,
        *,
        name: str,
        layout: Layout | None = None,
        neighbours: bool = False,
        on_progress: OnSent | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[Job]:
        """Upload a .zip, .tar, .tar.gz or a folder, read from disk as it is sent.

        A folder needs no ``layout`` where it can be seen: ``DL_info.csv``, folders named after
        categories, or DICOM files. The same content again is the same data set, and its job has
        ended at once. ``neighbours`` keeps the slices beside each lesion's own, for images of 3
        channels.
        """
        found = source_of(Path(source), layout)
        fields = {"layout": found.layout, "name": name}
        call = Call(
            method="POST",
            path="/datasets",
            # httpx sends fields before files, as the server wants it.
            form=fields | ({"neighbours": "true"} if neighbours else {}),
            files=found.files(on_progress),
            read_seconds=UPLOAD_ANSWER_SECONDS,
        )
        return submit(self.exchange, call, idempotency_key)

    @operation
    def ingest(self, command: IngestCommand, *, idempotency_key: str | None = None) -> Flow[Job]:
        """Take in what already lies in the object store."""
        return submit(self.exchange, post_command("/datasets", command), idempotency_key)

    @operation
    def get(self, dataset: Dataset | str) -> Flow[Dataset]:
        """The data set with its counts, lineage and skipped files."""
        return self.exchange.read(Call(method="GET", path=_path(dataset)), Dataset)

    @items
    def list(self, *, limit: int | None = None) -> Stream[Dataset]:
        """Data sets, newest first."""
        return every(self.exchange, "/datasets", Dataset, limit=limit)

    @operation
    def delete(self, dataset: Dataset | str, *, cascade: bool = False) -> Flow[None]:
        """Delete the data set; ``cascade`` deletes what derives from it as well."""
        params = {"cascade": "true"} if cascade else {}
        yield from self.exchange.answer(Call(method="DELETE", path=_path(dataset), params=params))

    @items
    def images(
        self,
        dataset: Dataset | str,
        *,
        category: Category | None = None,
        split: Split | None = None,
        source: str | None = None,
        limit: int | None = None,
    ) -> Stream[DatasetImage]:
        """The manifest's rows, in order of their index; ``source`` is that of an image."""
        params = {"category": category, "split": split, "source": source}
        path = f"{_path(dataset)}/images"
        return every(self.exchange, path, DatasetImage, params=params, limit=limit)

    @operation
    def image_png(self, dataset: Dataset | str, index: int) -> Flow[bytes]:
        """One image as PNG."""
        call = Call(method="GET", path=f"{_path(dataset)}/images/{index}")
        return (yield from self.exchange.answer(call)).content

    @operation
    def report(self, dataset: Dataset | str) -> Flow[DatasetReport]:
        """Counts, what was skipped, duplicates, and whether the splits are apart."""
        return self.exchange.read(
            Call(method="GET", path=f"{_path(dataset)}/report"), DatasetReport
        )

    @operation
    def card(self, dataset: Dataset | str) -> Flow[str]:
        """The data set's card, in Markdown."""
        call = Call(method="GET", path=f"{_path(dataset)}/card", headers={"Accept": "text/*"})
        return (yield from self.exchange.answer(call)).text

    @operation
    def contact_sheet_png(
        self,
        dataset: Dataset | str,
        *,
        category: Category | None = None,
        split: Split | None = None,
        n: int | None = None,
    ) -> Flow[bytes]:
        """Many images in one PNG."""
        params = {"category": category, "split": split, "n": n}
        call = Call(method="GET", path=f"{_path(dataset)}/contact-sheet.png", params=params)
        return (yield from self.exchange.answer(call)).content

    @operation
    def download(
        self,
        dataset: Dataset | str,
        path: Path | str,
        *,
        image_format: ImageFormat = "png",
        layout: ArchiveLayout = "folders",
        on_progress: OnBytes | None = None,
    ) -> Flow[Path]:
        """Stream all images into a ZIP at ``path``; *folders* can be taken in again."""
        call = _archive_call(dataset, layout, image_format)
        return download(self.exchange, call, Path(path), on_progress)

    @operation
    def to_numpy(
        self,
        dataset: Dataset | str,
        *,
        split: Split | None = None,
        on_progress: OnBytes | None = None,
    ) -> Flow["Images"]:
        """The images of a split, or all, in memory: see :class:`lesiongan.arrays.Images`.

        Needs NumPy and Pillow: ``pip install 'lesiongan[arrays]'``. Raises
        :class:`lesiongan.errors.MissingExtra` without them.
        """
        return load_archive(
            self.exchange, _archive_call(dataset, "imagefolder"), split, on_progress
        )

    @operation
    def to_torch_dataset(
        self,
        dataset: Dataset | str,
        cache: Path | str,
        *,
        split: Split | None = None,
        on_progress: OnBytes | None = None,
    ) -> Flow["TorchImages"]:
        """A ``torch.utils.data.Dataset`` of a split, or of all.

        Its images are read from an archive in the folder ``cache``, which is downloaded once: data
        sets never change. Needs PyTorch, NumPy and Pillow, and raises
        :class:`lesiongan.errors.MissingExtra` without them.
        """
        archive = Path(cache) / f"{_id(dataset)}.zip"
        if not archive.exists():
            archive.parent.mkdir(parents=True, exist_ok=True)
            call = _archive_call(dataset, "imagefolder")
            yield from download(self.exchange, call, archive, on_progress)
        return torch_dataset(archive, split=split)


def _archive_call(
    dataset: Dataset | str, layout: ArchiveLayout, image_format: ImageFormat = "png"
) -> Call:
    return Call(
        method="GET",
        path=f"{_path(dataset)}/archive",
        params={
            "format": unless_png(image_format),
            "layout": None if layout == "folders" else layout,
        },
        headers={"Accept": "application/zip"},
        read_seconds=ARCHIVE_SILENCE_SECONDS,
    )


def _id(dataset: Dataset | str) -> str:
    return dataset if isinstance(dataset, str) else dataset.id


def _path(dataset: Dataset | str) -> str:
    return f"/datasets/{_id(dataset)}"
