"""``lesiongan datasets images``, ``image`` and ``contact-sheet``: looking at images."""

from pathlib import Path
from typing import Annotated

import typer

from lesiongan.cli.command import command
from lesiongan.cli.datasets import DatasetArgument, app
from lesiongan.cli.session import Session, show_file, table
from lesiongan.contracts.categories import Category, Split

__all__ = ["app"]


@command(app, "images")
def images(
    session: Session,
    dataset: DatasetArgument,
    category: Annotated[Category | None, typer.Option(help="only this category")] = None,
    split: Annotated[Split | None, typer.Option(help="only this split")] = None,
    source: Annotated[str | None, typer.Option(help="only what comes of this")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 50,
) -> None:
    """List a data set's images: category, split, patient's pseudonym."""
    with session.connect() as client:
        found = [
            *client.datasets.images(
                dataset, category=category, split=split, source=source, limit=limit
            )
        ]
    rows = [(i.index, i.category, i.split, i.patient, i.bytes) for i in found]
    columns = ("INDEX", "CATEGORY", "SPLIT", "PATIENT", "BYTES")
    session.show(found, lambda out: out.print(table(columns, rows)))


@command(app, "image")
def image(
    session: Session,
    dataset: DatasetArgument,
    index: Annotated[int, typer.Argument(min=0, help="as in `images`")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="default: DATASET-INDEX.png")
    ] = None,
) -> None:
    """Save one image as PNG."""
    path = output or Path(f"{dataset}-{index}.png")
    with session.connect() as client:
        path.write_bytes(client.datasets.image_png(dataset, index))
    show_file(session, path)


@command(app, "contact-sheet")
def contact_sheet(
    session: Session,
    dataset: DatasetArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="default: DATASET.png")
    ] = None,
    category: Annotated[Category | None, typer.Option(help="only this category")] = None,
    split: Annotated[Split | None, typer.Option(help="only this split")] = None,
    n: Annotated[int | None, typer.Option("-n", min=1, help="how many images")] = None,
) -> None:
    """Save a picture that shows many images of a data set."""
    path = output or Path(f"{dataset}.png")
    with session.connect() as client:
        path.write_bytes(
            client.datasets.contact_sheet_png(dataset, category=category, split=split, n=n)
        )
    show_file(session, path)
