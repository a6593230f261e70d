"""``lesiongan jobs``."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lesiongan.cli.command import command, tell_error
from lesiongan.cli.exits import FAILED
from lesiongan.cli.session import Session, facts, show_file, table
from lesiongan.cli.waiting import in_words, wait_for
from lesiongan.cli.watching import WatchOption, look
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
    graph: Annotated[
        str | None, typer.Option(metavar="JOB", help="only this job and all that it waits for")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 20,
    *,
    watch: WatchOption = False,
) -> None:
    """List jobs, newest first; --watch goes on while one of them has not ended."""
    with session.connect() as client:
        look(
            session,
            lambda: [*client.jobs.list(kind=kind, status=status, graph=graph, limit=limit)],
            _print_jobs,
            ended=lambda found: all(job.status in ENDED for job in found),
            watch=watch,
        )


@command(app, "show")
def show(session: Session, job: JobArgument, *, watch: WatchOption = False) -> None:
    """Show one job."""
    with session.connect() as client:
        look(
            session,
            lambda: client.jobs.get(job),
            print_job,
            ended=lambda found: found.status in ENDED,
            watch=watch,
        )


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


@command(app, "result")
def result(
    session: Session,
    job: JobArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="where it is saved")],
) -> None:
    """Save what a preview made that took longer than its call."""
    with session.connect() as client:
        output.write_bytes(client.jobs.result(job))
    show_file(session, output)


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
        raise typer.Exit(FAILED)


def show_job(session: Session, job: Job) -> None:
    """A job as facts."""
    session.show(job, lambda out: print_job(out, job))


def _print_jobs(out: Console, found: list[Job]) -> None:
    rows = [
        (j.id, j.kind, j.status, in_words(j.progress), f"{j.created_at:%Y-%m-%d %H:%M}")
        for j in found
    ]
    out.print(table(("ID", "KIND", "STATUS", "PROGRESS", "MADE"), rows))


def print_job(out: Console, job: Job) -> None:
    """Facts about a job."""
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
