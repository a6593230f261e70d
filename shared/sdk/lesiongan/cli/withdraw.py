"""``lesiongan withdraw`` and ``lesiongan withdrawals``."""

from collections.abc import Iterator
from typing import Annotated

import typer

from lesiongan.cli.command import command
from lesiongan.cli.progress import megabytes
from lesiongan.cli.session import Session, facts, table
from lesiongan.contracts.withdrawals import Withdrawal

app = typer.Typer()
withdrawals_app = typer.Typer(help="What was withdrawn, and when.", no_args_is_help=True)


@command(app, "withdraw")
def withdraw(
    session: Session,
    *,
    patient: Annotated[
        str | None,
        typer.Argument(
            metavar="PATIENT",
            help="the identifier as in the source, or a pseudonym; asked for where it is left out, "
            "so that no shell remembers it",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only show what would be removed")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Remove a patient's images and all that was made of them, for good."""
    given = patient or typer.prompt("Patient", hide_input=True, err=True)
    with session.connect() as client:
        if dry_run or not yes:
            planned = client.withdraw(given)
            if dry_run:
                show_withdrawal(session, planned)
                return
            if not session.terse:
                show_withdrawal(session, planned)
            typer.confirm("Remove all of this, for good?", abort=True, err=True)
        show_withdrawal(session, client.withdraw(given, dry_run=False))


@command(withdrawals_app, "list")
def list_withdrawals(
    session: Session,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 50,
) -> None:
    """List withdrawals, newest first."""
    with session.connect() as client:
        found = [*client.withdrawals.list(limit=limit)]
    rows = [
        (
            w.id,
            w.patient,
            f"{w.created_at:%Y-%m-%d %H:%M}",
            sum(w.counts.get(kind, 0) for kind in ("datasets", "gans", "classifiers")),
            w.patient_images,
            w.objects,
        )
        for w in found
    ]
    columns = ("ID", "PATIENT", "WHEN", "SETS AND MODELS", "IMAGES", "OBJECTS")
    session.show(found, lambda out: out.print(table(columns, rows)))


def show_withdrawal(session: Session, found: Withdrawal) -> None:
    """What goes, one line a thing, and how much that is."""
    about = facts(
        [
            ("withdrawal", found.id or "dry run: nothing is removed"),
            ("patient", found.patient),
            ("images", found.patient_images),
            ("objects", f"{found.objects} ({megabytes(found.bytes, None)})"),
            *(("note", note) for note in found.notes),
        ]
    )
    rows = table(("WHAT", "ID", "IMAGES", "NAME"), _rows(found))
    session.show(found, lambda out: out.print(about, rows))


def _rows(found: Withdrawal) -> Iterator[tuple[object, ...]]:
    for each in found.datasets:
        yield each.kind, each.id, f"{each.patient_images} of {each.images}", each.name
    models = {"GAN": found.gans, "classifier": found.classifiers, "experiment": found.experiments}
    for what, made in models.items():
        for model in made:
            yield what, model.id, None, model.name
    others = {
        "unfinished data set": found.unfinished_datasets,
        "upload": found.uploads,
        "result of": found.results,
        "job, cancelled": found.jobs_cancelled,
        "job, restarted": found.jobs_restarted,
    }
    for what, ids in others.items():
        for each_id in ids:
            yield what, each_id, None, None
