"""``lesiongan preprocess``, ``augment`` and ``train``."""

from typing import Annotated, Literal

import typer

from lesiongan.cli.command import command
from lesiongan.cli.datasets import (
    DatasetArgument,
    finish_with_dataset,
)
from lesiongan.cli.gans import app as gans_app
from lesiongan.cli.gans import show_gan
from lesiongan.cli.session import Session
from lesiongan.cli.submitting import DryRunOption, NoWaitOption, finish, given, show_estimate
from lesiongan.contracts.augmentation import AugmentCommand, Interpolation
from lesiongan.contracts.datasets import Contrast, NamedWindow, PreprocessCommand
from lesiongan.contracts.gans import GanCommand

app = typer.Typer()

_KEEP: dict[str, bool | str] = {"own": "always", "new": False}


@command(app, "preprocess")
def preprocess(  # noqa: PLR0913 - one argument an option
    session: Session,
    dataset: DatasetArgument,
    *,
    name: Annotated[str | None, typer.Option(help="of the new data set")] = None,
    contrast: Annotated[
        Contrast | None, typer.Option(help="how HU become grey; default: window")
    ] = None,
    window: Annotated[
        NamedWindow | None, typer.Option(help="for every image; default: each lesion's own")
    ] = None,
    crop: Annotated[Literal["lesion", "slice"] | None, typer.Option(help="default: lesion")] = None,
    size: Annotated[int | None, typer.Option(help="32, 64 (default), 128 or 256 pixels")] = None,
    context_mm: Annotated[float | None, typer.Option(help="tissue around the lesion")] = None,
    spacing_mm: Annotated[float | None, typer.Option(help="millimetres a pixel")] = None,
    split_seed: Annotated[int | None, typer.Option(help="which patients go where")] = None,
    split: Annotated[
        Literal["own", "new"] | None,
        typer.Option(help="the source's own, or anew; default: its own where it is complete"),
    ] = None,
    neighbours: Annotated[
        bool, typer.Option("--neighbours", help="3 channels: the slice before, its own, after")
    ] = False,
    no_wait: NoWaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Split a raw data set by patient and turn it into images to train on."""
    options = {
        "dataset": dataset,
        "name": name,
        "contrast": contrast,
        "window": window,
        "crop": crop,
        "size": size,
        "context_mm": context_mm,
        "spacing_mm": spacing_mm,
        "split": given({"seed": split_seed, "keep": None if split is None else _KEEP[split]})
        or None,
        "neighbours": neighbours or None,
    }
    asked = PreprocessCommand.model_validate(given(options))
    with session.connect() as client:
        if dry_run:
            show_estimate(session, client.estimate_preprocess(asked))
            return
        finish_with_dataset(session, client, client.preprocess(asked), no_wait=no_wait)


@command(app, "augment")
def augment(  # noqa: PLR0913 - one argument an option
    session: Session,
    dataset: DatasetArgument,
    *,
    name: Annotated[str | None, typer.Option(help="of the new data set")] = None,
    copies: Annotated[int | None, typer.Option(help="of each training image; default: 3")] = None,
    operation: Annotated[
        list[str] | None, typer.Option(help="repeat it; default: all but flip, trim and blur")
    ] = None,
    interpolation: Annotated[Interpolation | None, typer.Option(help="default: nearest")] = None,
    rotation_degrees: Annotated[
        float | None, typer.Option(help="how far rotate goes; default: 15")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="the same seed makes the same copies")] = None,
    no_wait: NoWaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Add augmented copies of each training image of a preprocessed data set."""
    options = {
        "dataset": dataset,
        "name": name,
        "copies": copies,
        "operations": operation or None,
        "interpolation": interpolation,
        "rotation_degrees": rotation_degrees,
        "seed": seed,
    }
    asked = AugmentCommand.model_validate(given(options))
    with session.connect() as client:
        if dry_run:
            show_estimate(session, client.estimate_augment(asked))
            return
        finish_with_dataset(session, client, client.augment(asked), no_wait=no_wait)


@command(gans_app, "train")
@command(app, "train")
def train(  # noqa: PLR0913 - one argument an option
    session: Session,
    dataset: DatasetArgument,
    *,
    name: Annotated[str | None, typer.Option(help="of the GAN")] = None,
    steps: Annotated[int | None, typer.Option(help="generator steps")] = None,
    batch_size: Annotated[int | None, typer.Option(help="images a step")] = None,
    n_critic: Annotated[int | None, typer.Option(help="critic steps a generator step")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="of Adam, for both networks")] = None,
    width: Annotated[int | None, typer.Option(help="channels of the narrowest layers")] = None,
    seed: Annotated[int | None, typer.Option(help="the same seed trains the same GAN")] = None,
    checkpoint_every: Annotated[int | None, typer.Option(help="steps")] = None,
    preview_every: Annotated[int | None, typer.Option(help="steps")] = None,
    category: Annotated[
        list[str] | None, typer.Option(help="repeat it; default: all the data set has")
    ] = None,
    no_wait: NoWaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Train a class-conditional WGAN-GP on a data set's training images."""
    options = {
        "dataset": dataset,
        "name": name,
        "steps": steps,
        "batch_size": batch_size,
        "n_critic": n_critic,
        "learning_rate": learning_rate,
        "width": width,
        "seed": seed,
        "checkpoint_every": checkpoint_every,
        "preview_every": preview_every,
        "categories": category or None,
    }
    asked = GanCommand.model_validate(given(options))
    with session.connect() as client:
        if dry_run:
            show_estimate(session, client.gans.estimate(asked))
            return
        finish(
            session,
            client,
            client.gans.train(asked),
            lambda made: show_gan(session, client.gans.get(made["gan"])),
            no_wait=no_wait,
        )
