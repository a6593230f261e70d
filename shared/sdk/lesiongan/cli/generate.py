"""``lesiongan generate`` and ``lesiongan gans sample``."""

from pathlib import Path
from typing import Annotated, Any, TypedDict, get_args

import typer

from lesiongan.cli.command import command
from lesiongan.cli.datasets import FormatOption, download_archive
from lesiongan.cli.exits import INTERRUPTED
from lesiongan.cli.gans import GanArgument
from lesiongan.cli.gans import app as gans_app
from lesiongan.cli.jobs import show_job
from lesiongan.cli.progress import display, megabytes
from lesiongan.cli.session import Session, facts
from lesiongan.cli.submitting import DryRunOption, NoWaitOption, show_estimate
from lesiongan.cli.waiting import wait_for
from lesiongan.client import Client, GeneratedZip, StreamProgress
from lesiongan.contracts.categories import Category
from lesiongan.contracts.datasets import ImageFormat
from lesiongan.contracts.gans import MAX_STREAMED_IMAGES
from lesiongan.contracts.jobs import Job

app = typer.Typer()


class _Drawn(TypedDict):
    """What decides which images there will be."""

    gan: str | None
    seed: int | None
    truncation: float | None


OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="default: CATEGORY-N.zip")
]
SeedOption = Annotated[int | None, typer.Option(min=0, help="the same seed, the same images")]
TruncationOption = Annotated[
    float | None, typer.Option(help="cut latents off at so many standard deviations: 0.1 to 8")
]


@command(app, "generate")
def generate(  # noqa: PLR0913 - each is an option of the command
    session: Session,
    category: Annotated[Category, typer.Argument(help=", ".join(get_args(Category)))],
    n: Annotated[int, typer.Argument(min=1, help="how many images")],
    *,
    output: OutputOption = None,
    gan: Annotated[str | None, typer.Option(help="default: the server's default")] = None,
    seed: SeedOption = None,
    truncation: TruncationOption = None,
    image_format: FormatOption = "png",
    no_wait: NoWaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Make synthetic images and save them as a ZIP, which arrives while they are made."""
    path = output or Path(f"{category}-{n}.zip")
    drawn: _Drawn = {"gan": gan, "seed": seed, "truncation": truncation}
    with session.connect() as client:
        if dry_run:
            show_estimate(session, client.estimate_generate(category, n, gan=gan))
        elif no_wait:
            show_job(session, client.generate(category, n, **drawn))
        elif n > MAX_STREAMED_IMAGES:
            job = wait_for(session, client, client.generate(category, n, **drawn))
            _download(session, client, job, n, path, image_format)
        else:
            query = {**drawn, "image_format": image_format}
            _show_zip(session, _stream(session, client, category, n, path, query))


@command(gans_app, "sample")
def sample(
    session: Session,
    gan: GanArgument,
    category: Annotated[Category, typer.Argument(help=", ".join(get_args(Category)))],
    n: Annotated[int, typer.Argument(min=1, help="how many images")],
    *,
    output: OutputOption = None,
    seed: SeedOption = None,
    truncation: TruncationOption = None,
    image_format: FormatOption = "png",
) -> None:
    """Make synthetic images with one GAN: what `generate --gan` does."""
    generate(
        session,
        category,
        n,
        output=output,
        gan=gan,
        seed=seed,
        truncation=truncation,
        image_format=image_format,
    )


def _stream(
    session: Session,
    client: Client,
    category: Category,
    n: int,
    path: Path,
    query: dict[str, Any],
) -> GeneratedZip:
    with display(quiet=session.terse) as shown, shown.step(f"generate {category}") as step:

        def show(progress: StreamProgress) -> None:
            words = f"{progress.images} of {n} images, {megabytes(progress.bytes, None)}"
            step.update(progress.images, n, words)

        try:
            return client.generate_zip(category, n, path, on_progress=show, **query)
        except KeyboardInterrupt:
            session.tell(f"\nstopped; the server cancels the job, and {path} was not written")
            raise typer.Exit(INTERRUPTED) from None


def _download(
    session: Session, client: Client, job: Job, n: int, path: Path, image_format: ImageFormat
) -> None:
    dataset = str((job.output or {})["dataset"])
    download_archive(session, client, dataset, path, image_format)
    result = {"path": str(path), "images": n, "job": job.id, "dataset": dataset}
    session.show(result, lambda out: out.print(facts([*result.items()])))


def _show_zip(session: Session, made: GeneratedZip) -> None:
    about = facts(
        [
            ("file", made.path),
            ("images", f"{made.images} ({megabytes(made.bytes, None)})"),
            ("first byte", f"{made.first_byte_seconds:.2f} s"),
            ("took", f"{made.seconds:.2f} s"),
            ("gan", made.gan),
            ("seed", made.seed),
        ]
    )
    session.show(made, lambda out: out.print(about))
