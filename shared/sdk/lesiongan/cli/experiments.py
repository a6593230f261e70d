"""``lesiongan experiments``, and the table of an experiment."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lesiongan.cli.command import command
from lesiongan.cli.session import Session, facts, plain, show_file, table
from lesiongan.cli.waiting import wait_for
from lesiongan.cli.watching import WatchOption, look
from lesiongan.contracts.arms import ARMS
from lesiongan.contracts.experiments import Experiment
from lesiongan.contracts.findings import Comparison, Figure
from lesiongan.contracts.jobs import ENDED

app = typer.Typer(help="Experiments: start, watch, read, list, delete.", no_args_is_help=True)

ExperimentArgument = Annotated[str, typer.Argument(metavar="EXPERIMENT", help="an id: exp_…")]


@command(app, "list")
def list_experiments(
    session: Session,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 50,
) -> None:
    """List experiments, newest first."""
    with session.connect() as client:
        found = [*client.experiments.list(limit=limit)]
    rows = [
        (e.id, e.status, e.dataset, e.seeds, "phantom" if e.phantom else "", e.name) for e in found
    ]
    columns = ("ID", "STATUS", "DATA SET", "SEEDS", "DATA", "NAME")
    session.show(found, lambda out: out.print(table(columns, rows)))


@command(app, "show")
def show(session: Session, experiment: ExperimentArgument, *, watch: WatchOption = False) -> None:
    """Show one experiment and its table."""
    with session.connect() as client:
        look(
            session,
            lambda: client.experiments.get(experiment),
            print_experiment,
            ended=lambda found: found.status in ENDED,
            watch=watch,
        )


@command(app, "watch")
def watch(session: Session, experiment: ExperimentArgument) -> None:
    """Follow an experiment until it has ended, and show its table."""
    with session.connect() as client:
        wait_for(session, client, client.jobs.get(client.experiments.get(experiment).job))
        show_experiment(session, client.experiments.get(experiment))


@command(app, "report")
def report(
    session: Session,
    experiment: ExperimentArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="default: EXPERIMENT.html")
    ] = None,
) -> None:
    """Save the report: one HTML page that needs no other file."""
    path = output or Path(f"{experiment}.html")
    with session.connect() as client:
        client.experiments.download_report(experiment, path)
    show_file(session, path)


@command(app, "predictions")
def predictions(
    session: Session,
    experiment: ExperimentArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="default: EXPERIMENT.parquet")
    ] = None,
) -> None:
    """Save what the table is computed from: a row a prediction, as Parquet."""
    path = output or Path(f"{experiment}.parquet")
    with session.connect() as client:
        client.experiments.download_predictions(experiment, path)
    show_file(session, path)


@command(app, "delete")
def delete(
    session: Session,
    *,
    experiment: ExperimentArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Delete an experiment's table and report; what it trained stays."""
    if not yes:
        typer.confirm(f"Delete {experiment}?", abort=True, err=True)
    with session.connect() as client:
        client.experiments.delete(experiment)
    session.show(
        {"deleted": experiment}, lambda out: out.print(f"deleted {experiment}", markup=False)
    )


def show_experiment(session: Session, experiment: Experiment) -> None:
    """An experiment as facts, tables and its summary."""
    session.show(experiment, lambda out: print_experiment(out, experiment))


def print_experiment(out: Console, experiment: Experiment) -> None:
    """Facts, and the tables and the summary where the experiment has ended."""
    phantom = " (phantom)" if experiment.phantom else ""
    out.print(
        facts(
            [
                ("experiment", experiment.id),
                ("name", experiment.name),
                ("status", experiment.status),
                ("data set", f"{experiment.dataset}{phantom}"),
                ("test images", experiment.n_test),
                ("seeds", experiment.seeds),
                *(("note", note) for note in experiment.notes),
                ("job", experiment.job),
            ]
        )
    )
    parts = (
        (experiment.arms, results_table(experiment)),
        (experiment.comparisons, comparisons_table(experiment)),
        (experiment.sweep, sweep_table(experiment)),
        (experiment.sweep, worth_table(experiment)),
        (experiment.summary, Text(plain(experiment.summary))),
    )
    for there_is_any, part in parts:
        if there_is_any:
            out.print()
            out.print(part)


def results_table(experiment: Experiment) -> Table:
    """A row an arm: mean ± standard deviation over seeds [95 % interval], in percent.

    Precision and recall are means over categories.
    """
    columns = (
        "ARM",
        "TRAINING IMAGES",
        "ACCURACY %",
        "BALANCED ACCURACY %",
        "PRECISION %",
        "RECALL %",
    )
    rows = [
        (
            arm.arm,
            arm.train_images,
            *map(in_percent, (arm.accuracy, arm.balanced_accuracy, arm.precision, arm.recall)),
        )
        for arm in sorted(experiment.arms, key=lambda result: ARMS.index(result.arm))
    ]
    return table(columns, rows)


def comparisons_table(experiment: Experiment) -> Table:
    """A row a pair of arms: the difference in accuracy [95 % interval] in points, and p."""
    rows = [_compared(comparison) for comparison in experiment.comparisons]
    return table(("COMPARISON", "ACCURACY, POINTS", "P"), rows)


def sweep_table(experiment: Experiment) -> Table:
    """A row a number of real images, a column an arm: accuracy [95 % interval] in percent."""
    points = experiment.sweep.points if experiment.sweep else []
    arms = [row.arm for row in experiment.arms]
    rows = []
    for point in points:
        figures = {row.arm: in_percent(row.accuracy) for row in point.arms}
        rows.append((point.train_per_category, *(figures[arm] for arm in arms)))
    return table(("REAL IMAGES A CATEGORY", *(f"{arm} %" for arm in arms)), rows)


def worth_table(experiment: Experiment) -> Table:
    """How many real images of each category a baseline needs to do as well as an arm."""
    found = experiment.sweep.worth if experiment.sweep else []
    columns = ("ARM", "REAL IMAGES A CATEGORY", "AGAINST", "NEEDS")
    ends = {"below": "<= ", "above": "> ", None: ""}
    rows = [
        (
            one.arm,
            one.train_per_category,
            one.baseline,
            f"{ends[one.beyond]}{one.equivalent:.1f} [{one.ci[0]:.1f}, {one.ci[1]:.1f}]",
        )
        for one in found
    ]
    return table(columns, rows)


def in_percent(figure: Figure) -> str:
    """``77.2 ± 1.3 [75.1, 79.0]``; one seed has no spread."""
    spread = "" if figure.sd is None else f" ± {100 * figure.sd:.1f}"
    low, high = figure.ci
    return f"{100 * figure.mean:.1f}{spread} [{100 * low:.1f}, {100 * high:.1f}]"


def _compared(comparison: Comparison) -> tuple[str, str, str]:
    low, high = comparison.ci
    return (
        f"{comparison.a} - {comparison.b}",
        f"{100 * comparison.difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]",
        "< 0.001" if comparison.p < 0.001 else f"{comparison.p:.3f}",
    )
