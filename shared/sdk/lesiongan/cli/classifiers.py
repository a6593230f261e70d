"""``lesiongan classifiers``."""

from typing import Annotated

import typer

from lesiongan.cli.command import command
from lesiongan.cli.session import Session, facts, table
from lesiongan.cli.submitting import DryRunOption, NoWaitOption, finish, given, show_estimate
from lesiongan.contracts.classifiers import Classifier, ClassifierArchitecture, ClassifierCommand

app = typer.Typer(help="Classifiers: train, list, look, delete.", no_args_is_help=True)

ClassifierArgument = Annotated[str, typer.Argument(metavar="CLASSIFIER", help="an id: clf_…")]


@command(app, "train")
def train(  # noqa: PLR0913 - one argument an option
    session: Session,
    datasets: Annotated[
        list[str], typer.Argument(metavar="DATASET", help="one id or several: ds_…")
    ],
    *,
    name: Annotated[str | None, typer.Option(help="of the classifier")] = None,
    architecture: Annotated[
        ClassifierArchitecture | None, typer.Option(help="default: resnet18")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="passes over the training images")] = None,
    steps: Annotated[int | None, typer.Option(help="instead of epochs")] = None,
    patience: Annotated[
        int | None, typer.Option(help="evaluations without a better one; default: 10")
    ] = None,
    no_patience: Annotated[
        bool, typer.Option("--no-patience", help="train to the end in any case")
    ] = False,
    batch_size: Annotated[int | None, typer.Option(help="images a step")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="of AdamW, at its peak")] = None,
    synthetic_share: Annotated[
        float | None, typer.Option(help="of a batch, 0 to 1; default: as many as there are")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="of the first weights and the order")] = None,
    no_wait: NoWaitOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Train a classifier on the training images of data sets, and select it on their val."""
    if no_patience and patience is not None:
        raise typer.BadParameter("give --patience or --no-patience, not both")
    options = {
        "datasets": datasets,
        "name": name,
        "architecture": architecture,
        "epochs": epochs,
        "steps": steps,
        "patience": patience,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "synthetic_share": synthetic_share,
        "seed": seed,
    }
    # Null is what the API calls no patience; an option that is left out has its default.
    never_early = {"patience": None} if no_patience else {}
    asked = ClassifierCommand.model_validate({**given(options), **never_early})
    with session.connect() as client:
        if dry_run:
            show_estimate(session, client.classifiers.estimate(asked))
            return
        finish(
            session,
            client,
            client.classifiers.train(asked),
            lambda made: show_classifier(session, client.classifiers.get(made["classifier"])),
            no_wait=no_wait,
        )


@command(app, "list")
def list_classifiers(
    session: Session,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 50,
) -> None:
    """List classifiers, newest first."""
    with session.connect() as client:
        found = [*client.classifiers.list(limit=limit)]
    rows = [
        (
            c.id,
            c.status,
            c.architecture,
            _percent(c.scores.get("val_accuracy")),
            "phantom" if c.phantom else "",
            c.name,
        )
        for c in found
    ]
    columns = ("ID", "STATUS", "ARCHITECTURE", "VAL ACCURACY", "DATA", "NAME")
    session.show(found, lambda out: out.print(table(columns, rows)))


@command(app, "show")
def show(session: Session, classifier: ClassifierArgument) -> None:
    """Show one classifier."""
    with session.connect() as client:
        show_classifier(session, client.classifiers.get(classifier))


@command(app, "delete")
def delete(
    session: Session,
    *,
    classifier: ClassifierArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Delete a classifier."""
    if not yes:
        typer.confirm(f"Delete {classifier}?", abort=True, err=True)
    with session.connect() as client:
        client.classifiers.delete(classifier)
    session.show(
        {"deleted": classifier}, lambda out: out.print(f"deleted {classifier}", markup=False)
    )


def show_classifier(session: Session, classifier: Classifier) -> None:
    """A classifier as facts."""
    size, channels = classifier.image_size, classifier.channels
    images = None if size is None else f"{size} by {size} pixels, {channels} channel(s)"
    datasets = ", ".join(classifier.datasets)
    about = facts(
        [
            ("classifier", classifier.id),
            ("name", classifier.name),
            ("status", classifier.status),
            ("architecture", classifier.architecture),
            ("trained on", f"{datasets}{' (phantom)' if classifier.phantom else ''}"),
            ("training images", classifier.train_images),
            ("categories", ", ".join(classifier.categories) or None),
            ("images", images),
            ("resumed from", classifier.resumed_from_step),
            ("weights", classifier.weights_sha256),
            *(
                (name, _short(value))
                for name, value in classifier.scores.items()
                if not isinstance(value, list)
            ),
            ("job", classifier.job),
        ]
    )
    session.show(classifier, lambda out: out.print(about))


def _percent(share: object) -> str | None:
    return f"{share:.1%}" if isinstance(share, float) else None


def _short(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value
