"""``lesiongan experiment``."""

from pathlib import Path
from typing import Annotated

import typer

from lesiongan.cli.command import command
from lesiongan.cli.datasets import DatasetArgument
from lesiongan.cli.experiments import app as experiments_app
from lesiongan.cli.experiments import show_experiment
from lesiongan.cli.jobs import show_job
from lesiongan.cli.session import Session
from lesiongan.cli.submitting import DryRunOption, NoWaitOption, given, show_estimate
from lesiongan.cli.waiting import wait_for
from lesiongan.client import Client
from lesiongan.contracts.augmentation import Interpolation
from lesiongan.contracts.classifiers import ClassifierArchitecture
from lesiongan.contracts.experiments import ExperimentCommand
from lesiongan.contracts.jobs import Job

app = typer.Typer()

_GAN = "The GAN of each seed"
_CLASSIFIER = "The classifier of each arm and seed"


@command(experiments_app, "start")
@command(app, "experiment")
def experiment(  # noqa: PLR0913 - one argument an option
    session: Session,
    dataset: DatasetArgument,
    *,
    name: Annotated[str | None, typer.Option(help="of the experiment")] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="seed: the LesionGAN paper's protocol, on a raw data set; few_labels: what did "
            "best with 5 labelled images a category and others without"
        ),
    ] = None,
    test_images: Annotated[
        int | None, typer.Option(help="draw so many, of each category alike; default: all")
    ] = None,
    arms: Annotated[
        list[str] | None,
        typer.Option(
            help="repeat it: none, traditional, gan, combined (these by default), oversample, "
            "class_weights, distil, pseudo_label, tstr"
        ),
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="repetitions; default: 5")] = None,
    train_per_category: Annotated[
        list[int] | None,
        typer.Option(help="real training images, repeat it for a sweep; default: all"),
    ] = None,
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="use images without a category too")
    ] = False,
    size: Annotated[
        int | None, typer.Option(help="pixels; only for a raw data set, which it preprocesses")
    ] = None,
    copies: Annotated[int | None, typer.Option(help="augmented, of each real image")] = None,
    operation: Annotated[
        list[str] | None, typer.Option(help="repeat it; default: all but flip, trim and blur")
    ] = None,
    interpolation: Annotated[Interpolation | None, typer.Option(help="default: nearest")] = None,
    synthetic_ratio: Annotated[
        float | None, typer.Option(help="synthetic images for each real one; default: 3")
    ] = None,
    synthetic_per_category: Annotated[
        int | None, typer.Option(help="synthetic images of each category, in place of a ratio")
    ] = None,
    synthetic_truncation: Annotated[
        float | None,
        typer.Option(help="standard deviations within which latents are drawn; default: any"),
    ] = None,
    filter_confidence: Annotated[
        float | None,
        typer.Option(help="keep synthetic images that a teacher is so sure of; default: all"),
    ] = None,
    pseudo_rounds: Annotated[
        int | None,
        typer.Option(help="how often unlabelled images are named; default: once"),
    ] = None,
    filter_copies: Annotated[
        bool,
        typer.Option("--filter-copies", help="leave out what may be a copy of a training image"),
    ] = False,
    gan: Annotated[
        str | None,
        typer.Option(help="an id: gan_…, in place of new ones", rich_help_panel=_GAN),
    ] = None,
    gan_steps: Annotated[
        int | None, typer.Option(help="generator steps", rich_help_panel=_GAN)
    ] = None,
    gan_batch_size: Annotated[
        int | None, typer.Option(help="images a step", rich_help_panel=_GAN)
    ] = None,
    gan_n_critic: Annotated[
        int | None, typer.Option(help="critic steps a generator step", rich_help_panel=_GAN)
    ] = None,
    gan_learning_rate: Annotated[
        float | None, typer.Option(help="of Adam", rich_help_panel=_GAN)
    ] = None,
    gan_width: Annotated[
        int | None, typer.Option(help="channels of the narrowest layers", rich_help_panel=_GAN)
    ] = None,
    gan_pretrain_steps: Annotated[
        int | None, typer.Option(help="of these, without any category", rich_help_panel=_GAN)
    ] = None,
    gan_pseudo_confidence: Annotated[
        float | None,
        typer.Option(
            help="tell it what a teacher so sure takes unlabelled images for; default: 0.9",
            rich_help_panel=_GAN,
        ),
    ] = None,
    architecture: Annotated[
        ClassifierArchitecture | None,
        typer.Option(help="default: small_cnn", rich_help_panel=_CLASSIFIER),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="the same in each arm", rich_help_panel=_CLASSIFIER)
    ] = None,
    synthetic_share: Annotated[
        float | None, typer.Option(help="of a batch; default: 0.25", rich_help_panel=_CLASSIFIER)
    ] = None,
    synthetic_first: Annotated[
        float | None,
        typer.Option(
            help="share of the steps: synthetic images, then real", rich_help_panel=_CLASSIFIER
        ),
    ] = None,
    pretrained: Annotated[
        bool,
        typer.Option(
            "--pretrained",
            help="begin with the installation's weights",
            rich_help_panel=_CLASSIFIER,
        ),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="save the HTML report here")
    ] = None,
    no_wait: NoWaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Compare classifiers trained without, with traditional, with synthetic, with both images."""
    options = {
        "dataset": dataset,
        "name": name,
        "preset": preset,
        "test_images": test_images,
        "arms": arms or None,
        "seeds": seeds,
        "train_per_category": _one_or_more(train_per_category),
        "unlabelled": unlabelled or None,
        "preprocess": given({"size": size}) or None,
        "copies": copies,
        "operations": operation or None,
        "interpolation": interpolation,
        "synthetic_ratio": synthetic_ratio,
        "synthetic_per_category": synthetic_per_category,
        "synthetic_truncation": synthetic_truncation,
        "filter_confidence": filter_confidence,
        "filter_copies": filter_copies or None,
        "pseudo_rounds": pseudo_rounds,
        "gan_pseudo_confidence": gan_pseudo_confidence,
        "gan_id": gan,
        "gan": given(
            {
                "steps": gan_steps,
                "batch_size": gan_batch_size,
                "n_critic": gan_n_critic,
                "learning_rate": gan_learning_rate,
                "width": gan_width,
                "pretrain_steps": gan_pretrain_steps,
            }
        )
        or None,
        "classifier": given(
            {
                "architecture": architecture,
                "steps": steps,
                "synthetic_share": synthetic_share,
                "synthetic_first": synthetic_first,
                "pretrained": pretrained or None,
            }
        )
        or None,
    }
    if gan is not None and options["gan"]:
        raise typer.BadParameter("--gan is trained already: leave the options --gan-… out")
    _check_report(report, no_wait=no_wait)
    asked = ExperimentCommand.model_validate(given(options))
    with session.connect() as client:
        if dry_run:
            show_estimate(session, client.experiments.estimate(asked))
            return
        job = client.experiments.run(asked)
        if no_wait:
            show_job(session, job)
        else:
            _finish(session, client, job, report)


def _one_or_more(sizes: list[int] | None) -> int | list[int] | None:
    return sizes[0] if sizes and len(sizes) == 1 else sizes or None


def _check_report(report: Path | None, *, no_wait: bool) -> None:
    """Raises :class:`typer.BadParameter` now for what would be in vain after hours."""
    if report is None:
        return
    if no_wait:
        raise typer.BadParameter("--report is made at the end: leave --no-wait out")
    if not report.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {report.parent} for --report")


def _finish(session: Session, client: Client, job: Job, report: Path | None) -> None:
    """Wait, save the report and show the table; with ``--json``, print the experiment."""
    job = wait_for(session, client, job)
    made = client.experiments.get((job.output or {})["experiment"])
    if report is not None:
        client.experiments.download_report(made, report)
        session.tell(f"report: {report}")
    show_experiment(session, made)
