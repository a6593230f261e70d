"""``lesiongan preview``: what a step would make of one image."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lesiongan.cli.command import command
from lesiongan.cli.session import Session, show_file
from lesiongan.cli.submitting import given
from lesiongan.contracts.augmentation import AugmentOptions
from lesiongan.contracts.datasets import Contrast, NamedWindow, PreprocessOptions

app = typer.Typer(
    help="What preprocessing or augmentation would make of one image.", no_args_is_help=True
)

ImageArgument = Annotated[Path, typer.Argument(metavar="IMAGE", help="a PNG file")]
OutputOption = Annotated[Path, typer.Option("--output", "-o", help="where the PNG is saved")]


@command(app, "preprocess")
def preprocess(
    session: Session,
    image: ImageArgument,
    *,
    output: OutputOption = Path("preview.png"),
    contrast: Annotated[Contrast | None, typer.Option(help="default: window")] = None,
    window: Annotated[NamedWindow | None, typer.Option(help="for a raw image of HU")] = None,
    crop: Annotated[Literal["lesion", "slice"] | None, typer.Option(help="default: lesion")] = None,
    size: Annotated[int | None, typer.Option(help="32, 64 (default), 128 or 256 pixels")] = None,
) -> None:
    """Save one image before and after preprocessing, side by side."""
    options = {"contrast": contrast, "window": window, "crop": crop, "size": size}
    asked = PreprocessOptions.model_validate(given(options))
    with session.connect() as client:
        output.write_bytes(client.preprocess_preview(image, asked))
    show_file(session, output)


@command(app, "augment")
def augment(
    session: Session,
    image: ImageArgument,
    *,
    output: OutputOption = Path("preview.png"),
    copies: Annotated[int | None, typer.Option(help="default: 3")] = None,
    operation: Annotated[list[str] | None, typer.Option(help="repeat it")] = None,
    seed: Annotated[int | None, typer.Option(help="the same seed makes the same copies")] = None,
) -> None:
    """Save one square 8-bit image and its augmented copies."""
    options = {"copies": copies, "operations": operation or None, "seed": seed}
    asked = AugmentOptions.model_validate(given(options))
    with session.connect() as client:
        output.write_bytes(client.augment_preview(image, asked))
    show_file(session, output)
