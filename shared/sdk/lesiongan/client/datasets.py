"""Data sets: upload, look, download, delete."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lesiongan.client.downloads import OnBytes, download, unless_png
from lesiongan.client.paging import every
from lesiongan.client.submitting import post_command, submit
from lesiongan.client.transport import Call, Transport
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
from lesiongan.errors import ClientError

#: Called with the bytes sent so far and the total.
OnSent = Callable[[int, int], None]
#: The server stores the archive's last part before it answers.
UPLOAD_ANSWER_SECONDS = 300.0
#: An archive's first bytes wait for its first shard.
ARCHIVE_SILENCE_SECONDS = 120.0


class Datasets:
    """Data sets: ``client.datasets``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(
        self,
        archive: Path | str,
        *,
        layout: Layout,
        name: str,
        neighbours: bool = False,
        on_progress: OnSent | None = None,
    ) -> Job:
        """Upload a .zip, .tar or .tar.gz, read from disk as it is sent; the job takes it in.

        The same content again is the same data set, and its job has ended at once. ``neighbours``
        keeps the slices beside each lesion's own, for images of 3 channels.
        """
        path = Path(archive)
        if not path.is_file():
            raise ClientError(f"there is no file {path}", hint="give a .zip, .tar or .tar.gz")

        def open_archive(opened: ExitStack) -> dict[str, Any]:
            file = opened.enter_context(_CountedFile(path, on_progress))
            return {"file": (path.name, file, "application/octet-stream")}

        call = Call(
            method="POST",
            path="/datasets",
            # httpx sends fields before files, as the server wants it.
            form={"layout": layout, "name": name} | ({"neighbours": "true"} if neighbours else {}),
            files=open_archive,
            read_seconds=UPLOAD_ANSWER_SECONDS,
        )
        return submit(call, self._transport)

    def ingest(self, command: IngestCommand) -> Job:
        """Take in what already lies in the object store."""
        return submit(post_command("/datasets", command), self._transport)

    def get(self, dataset: Dataset | str) -> Dataset:
        """The data set with its counts, lineage and skipped files."""
        return self._transport.read(Call(method="GET", path=_path(dataset)), Dataset)

    def list(self, *, limit: int | None = None) -> Iterator[Dataset]:
        """Data sets, newest first."""
        return every(self._transport, "/datasets", Dataset, limit=limit)

    def delete(self, dataset: Dataset | str, *, cascade: bool = False) -> None:
        """Delete the data set; ``cascade`` deletes what derives from it as well."""
        params = {"cascade": "true"} if cascade else {}
        self._transport.send(Call(method="DELETE", path=_path(dataset), params=params))

    def images(
        self,
        dataset: Dataset | str,
        *,
        category: Category | None = None,
        split: Split | None = None,
        limit: int | None = None,
    ) -> Iterator[DatasetImage]:
        """The manifest's rows, in order of their index."""
        params = {"category": category, "split": split}
        path = f"{_path(dataset)}/images"
        return every(self._transport, path, DatasetImage, params=params, limit=limit)

    def image_png(self, dataset: Dataset | str, index: int) -> bytes:
        """One image as PNG."""
        call = Call(method="GET", path=f"{_path(dataset)}/images/{index}")
        return self._transport.send(call).content

    def report(self, dataset: Dataset | str) -> DatasetReport:
        """Counts, what was skipped, duplicates, and whether the splits are apart."""
        return self._transport.read(
            Call(method="GET", path=f"{_path(dataset)}/report"), DatasetReport
        )

    def card(self, dataset: Dataset | str) -> str:
        """The data set's card, in Markdown."""
        return self._transport.send(Call(method="GET", path=f"{_path(dataset)}/card")).text

    def contact_sheet_png(
        self,
        dataset: Dataset | str,
        *,
        category: Category | None = None,
        split: Split | None = None,
        n: int | None = None,
    ) -> bytes:
        """Many images in one PNG."""
        params = {"category": category, "split": split, "n": n}
        call = Call(method="GET", path=f"{_path(dataset)}/contact-sheet.png", params=params)
        return self._transport.send(call).content

    def download(
        self,
        dataset: Dataset | str,
        path: Path | str,
        *,
        image_format: ImageFormat = "png",
        layout: ArchiveLayout = "folders",
        on_progress: OnBytes | None = None,
    ) -> Path:
        """Stream all images into a ZIP at ``path``; *folders* can be taken in again."""
        call = Call(
            method="GET",
            path=f"{_path(dataset)}/archive",
            params={
                "format": unless_png(image_format),
                "layout": None if layout == "folders" else layout,
            },
            read_seconds=ARCHIVE_SILENCE_SECONDS,
        )
        return download(self._transport, call, Path(path), on_progress)


class _CountedFile(io.FileIO):
    """A file that says how much of it was read."""

    def __init__(self, path: Path, on_progress: OnSent | None) -> None:
        super().__init__(path)
        self._total = path.stat().st_size
        self._on_progress = on_progress

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(-1 if size is None else size)
        if self._on_progress is not None and data:
            self._on_progress(self.tell(), self._total)
        return data


def _path(dataset: Dataset | str) -> str:
    return f"/datasets/{dataset if isinstance(dataset, str) else dataset.id}"
