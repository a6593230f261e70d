"""``lesiongan jobs``."""

import json
from typing import Annotated

import typer
from rich.console import Console

from lesiongan.cli.command import REFUSED, command, tell_error
from lesiongan.cli.session import Session, facts, table
from lesiongan.cli.waiting import in_words, wait_for
from lesiongan.client import Client
from lesiongan.contracts.jobs import ENDED, Job, JobStatus
from lesiongan.errors import JobFailed

app = typer.Typer(help="Jobs: list, watch, cancel, retry.", no_args_is_help=True)

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="an id: job_…")]


@command(app, "list")
def list_jobs(
    session: Session,
    kind: Annotated[str | None, typer.Option(help="only this kind")] = None,
    status: Annotated[JobStatus | None, typer.Option(help="only in this state")] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 20,
) -> None:
    """List jobs, newest first."""
    with session.connect() as client:
        found = [*client.jobs.list(kind=kind, status=status, limit=limit)]
    rows = [
        (j.id, j.kind, j.status, in_words(j.progress), f"{j.created_at:%Y-%m-%d %H:%M}")
        for j in found
    ]
    columns = ("ID", "KIND", "STATUS", "PROGRESS", "MADE")
    session.show(found, lambda out: out.print(table(columns, rows)))


@command(app, "show")
def show(session: Session, job: JobArgument) -> None:
    """Show one job."""
    with session.connect() as client:
        show_job(session, client.jobs.get(job))


@command(app, "watch")
def watch(session: Session, job: JobArgument) -> None:
    """Follow a job until it has ended; exit code 1 if it failed.

    With --json: one event a line, and the job in the last line.
    """
    with session.connect() as client:
        if session.json:
            _watch_as_lines(client, job)
        else:
            show_job(session, wait_for(session, client, client.jobs.get(job)))


@command(app, "cancel")
def cancel(session: Session, job: JobArgument) -> None:
    """Ask a job to stop."""
    with session.connect() as client:
        show_job(session, client.jobs.cancel(job))


@command(app, "retry")
def retry(session: Session, job: JobArgument) -> None:
    """Queue a failed or cancelled job again."""
    with session.connect() as client:
        show_job(session, client.jobs.retry(job))


def _watch_as_lines(client: Client, job_id: str) -> None:
    for event in client.jobs.events(job_id):
        typer.echo(json.dumps({"event": event.event, "id": event.id, "data": event.data}))
    job = client.jobs.get(job_id)
    typer.echo(job.model_dump_json())
    if job.status != "succeeded":
        tell_error(JobFailed(job))
        raise typer.Exit(REFUSED)


def show_job(session: Session, job: Job) -> None:
    """A job as facts."""

    def render(out: Console) -> None:
        started, finished = job.started_at, job.finished_at
        seconds = None
        if started is not None and finished is not None:
            seconds = f"{(finished - started).total_seconds():.1f} s"
        output = ", ".join(f"{name} {value}" for name, value in (job.output or {}).items())
        out.print(
            facts(
                [
                    ("job", job.id),
                    ("kind", job.kind),
                    ("status", job.status),
                    ("progress", None if job.status in ENDED else in_words(job.progress)),
                    ("attempts", job.attempts),
                    ("took", seconds),
                    ("made", output or None),
                    ("error", None if job.error is None else job.error.detail),
                ]
            )
        )

    session.show(job, render)
