"""``lesiongan datasets``."""

from pathlib import Path
from typing import Annotated

import typer

from lesiongan.cli.command import command
from lesiongan.cli.progress import display, megabytes
from lesiongan.cli.session import Session, facts, show_file, table
from lesiongan.cli.submitting import NoWaitOption
from lesiongan.cli.waiting import wait_for
from lesiongan.client import Client
from lesiongan.contracts.categories import CATEGORIES, SPLITS, UNLABELLED
from lesiongan.contracts.datasets import (
    ArchiveLayout,
    Dataset,
    ImageFormat,
    IngestCommand,
    Layout,
    S3Source,
)
from lesiongan.contracts.jobs import Job

app = typer.Typer(help="Data sets: upload, look, download, delete.", no_args_is_help=True)

DatasetArgument = Annotated[str, typer.Argument(metavar="DATASET", help="an id: ds_…")]
LayoutOption = Annotated[Layout, typer.Option(help="how the files lie")]
FormatOption = Annotated[ImageFormat, typer.Option("--format", help="of the images in the ZIP")]
NeighboursOption = Annotated[
    bool, typer.Option("--neighbours", help="keep the slices beside each lesion's: not in folders")
]


@command(app, "list")
def list_datasets(
    session: Session,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 50,
) -> None:
    """List data sets, newest first."""
    with session.connect() as client:
        found = [*client.datasets.list(limit=limit)]
    rows = [(d.id, d.kind, d.images, d.name, f"{d.created_at:%Y-%m-%d %H:%M}") for d in found]
    session.show(
        found, lambda out: out.print(table(("ID", "KIND", "IMAGES", "NAME", "MADE"), rows))
    )


@command(app, "show")
def show(session: Session, dataset: DatasetArgument) -> None:
    """Show one data set: counts, lineage, what was left out."""
    with session.connect() as client:
        found = client.datasets.get(dataset)
    show_dataset(session, found)


@command(app, "upload")
def upload(
    session: Session,
    *,
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help=".zip, .tar, .tar.gz, or a folder")
    ],
    layout: Annotated[
        Layout | None, typer.Option(help="how the files lie; default: what a folder shows")
    ] = None,
    name: Annotated[str | None, typer.Option(help="default: the file's name")] = None,
    neighbours: NeighboursOption = False,
    no_wait: NoWaitOption = False,
) -> None:
    """Upload an archive or a folder of images and take it in.

    A folder with DL_info.csv has the layout deeplesion, one with folders named after categories
    the layout folders, one with DICOM files the layout dicom.
    """
    with session.connect() as client:
        with display(quiet=session.terse) as shown, shown.step(f"upload {source.name}") as step:

            def show_sent(sent: int, total: int) -> None:
                step.update(sent, total, megabytes(sent, total))

            job = client.datasets.upload(
                source,
                layout=layout,
                name=name or source.resolve().name,
                neighbours=neighbours,
                on_progress=show_sent,
            )
        finish_with_dataset(session, client, job, no_wait=no_wait)


@command(app, "ingest")
def ingest(
    session: Session,
    *,
    source: Annotated[str, typer.Argument(metavar="BUCKET/PREFIX", help="in the object store")],
    layout: LayoutOption,
    name: Annotated[str | None, typer.Option(help="default: the prefix")] = None,
    neighbours: NeighboursOption = False,
    no_wait: NoWaitOption = False,
) -> None:
    """Take in images that already lie in the server's object store."""
    options = {"name": name or source, "layout": layout, "source": S3Source(s3=source)}
    asked = IngestCommand.model_validate(options | ({"neighbours": True} if neighbours else {}))
    with session.connect() as client:
        job = client.datasets.ingest(asked)
        finish_with_dataset(session, client, job, no_wait=no_wait)


@command(app, "delete")
def delete(
    session: Session,
    *,
    dataset: DatasetArgument,
    cascade: Annotated[
        bool, typer.Option("--cascade", help="and all that derives from it")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Delete a data set."""
    if not yes:
        what = f"{dataset} and all that derives from it" if cascade else dataset
        typer.confirm(f"Delete {what}?", abort=True, err=True)
    with session.connect() as client:
        client.datasets.delete(dataset, cascade=cascade)
    session.show({"deleted": dataset}, lambda out: out.print(f"deleted {dataset}", markup=False))


@command(app, "download")
def download(
    session: Session,
    dataset: DatasetArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="default: DATASET.zip")
    ] = None,
    image_format: FormatOption = "png",
    layout: Annotated[ArchiveLayout, typer.Option(help="how the files lie")] = "folders",
) -> None:
    """Download a data set's images as a ZIP."""
    path = output or Path(f"{dataset}.zip")
    with session.connect() as client:
        download_archive(session, client, dataset, path, image_format, layout)
    show_file(session, path)


@command(app, "report")
def report(session: Session, dataset: DatasetArgument) -> None:
    """Show a data set's card: counts, patients, duplicates, what was left out."""
    with session.connect() as client:
        found, card = client.datasets.report(dataset), client.datasets.card(dataset)
    session.show(found, lambda out: out.print(card, markup=False, highlight=False))


def finish_with_dataset(session: Session, client: Client, job: Job, *, no_wait: bool) -> None:
    """Wait for a job that makes a data set and show it; with ``--json``, print the job."""
    if not no_wait:
        job = wait_for(session, client, job)
    if session.json or no_wait:
        session.show(job, lambda out: out.print(f"{job.id} {job.status}"))
        return
    show_dataset(session, client.datasets.get(str((job.output or {})["dataset"])))


def download_archive(
    session: Session,
    client: Client,
    dataset: str,
    path: Path,
    image_format: ImageFormat,
    layout: ArchiveLayout = "folders",
) -> None:
    """Stream a data set's archive into a file, with progress."""
    with display(quiet=session.terse) as shown, shown.step(f"download {dataset}") as step:

        def show_received(received: int, total: int | None) -> None:
            step.update(received, total, megabytes(received, total))

        client.datasets.download(
            dataset, path, image_format=image_format, layout=layout, on_progress=show_received
        )


def show_dataset(session: Session, dataset: Dataset) -> None:
    """A data set as facts and a table of counts."""
    labels = [
        label
        for label in (*CATEGORIES, UNLABELLED)
        if any(label in counts for counts in dataset.counts.values())
    ]
    splits = [split for split in (*SPLITS, *dataset.counts) if split in dataset.counts]
    rows = [
        (label, *(dataset.counts[split].get(label, 0) for split in dict.fromkeys(splits)))
        for label in labels
    ]
    about = facts(
        [
            ("data set", dataset.id),
            ("name", dataset.name),
            ("kind", f"{dataset.kind}{' (phantom)' if dataset.phantom else ''}"),
            ("images", f"{dataset.images} ({megabytes(dataset.bytes, None)})"),
            ("made from", ", ".join(dataset.parents) or None),
            ("left out", dataset.skipped_total or None),
            *(("note", note) for note in dataset.notes),
        ]
    )
    session.show(
        dataset,
        lambda out: out.print(about, table(("CATEGORY", *dict.fromkeys(splits)), rows)),
    )
